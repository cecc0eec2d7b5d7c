-- Evaluations that the run requests: open phases of its districts that have begun. Besides the named phases these are the phases
-- that they depend on (every phase before them) and every phase that has rows. Evaluations that stand are left out afterwards
-- (`standing`), and any run makes those again that do not stand, so that no run leaves phases of a district behind its files.
-- effective_on is the last day whose deliveries count: the phase's end or the as-of date, whichever is earlier.
select
    p.district_code,
    p.phase_id,
    p.phase_name,
    p.phase_order,
    p.starts,
    p.ends,
    getvariable('as_of') as as_of,
    least(p.ends, getvariable('as_of')) as effective_on,
    d.district_name,
    d.standard_id,
    d.data_origin,
    d.plan_title,
    d.document_number,
    d.issued_on
from raw.phase p
join raw.district d using (district_code)
where p.starts <= getvariable('as_of')
    and (
        list_contains(getvariable('phases'), p.phase_id)
        or exists (
            from mart.evaluation made where made.district_code = p.district_code and made.phase_id = p.phase_id
        )
        or exists (
            from raw.phase later
            where later.district_code = p.district_code and later.phase_order > p.phase_order
                and later.starts <= getvariable('as_of') and list_contains(getvariable('phases'), later.phase_id)
        )
    )
    and (getvariable('districts') is null or list_contains(getvariable('districts'), p.district_code))
    and not exists (
        from ops.phase_closure c
        where c.district_code = p.district_code and c.phase_id = p.phase_id and c.reopened_at is null
    )
