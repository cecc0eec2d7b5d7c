-- Evaluations that the run asks for: its phases that have begun and are not closed, of its districts. Findings and changes
-- rest on the phases before: with a phase go those before it that were never made, and those after it that were.
-- effective_on is the day up to which deliveries count: the phase's end or the as-of date, whichever is earlier.
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
            from raw.phase other
            where other.district_code = p.district_code and list_contains(getvariable('phases'), other.phase_id)
                and other.starts <= getvariable('as_of')
                and (other.phase_order < p.phase_order) = exists (
                    from ops.passed_evaluation made
                    where made.district_code = p.district_code and made.phase_id = p.phase_id
                )
        )
    )
    and (getvariable('districts') is null or list_contains(getvariable('districts'), p.district_code))
    and not exists (
        from ops.phase_closure c
        where c.district_code = p.district_code and c.phase_id = p.phase_id and c.reopened_at is null
    )
