-- The limits of an evaluation's standard on its effective day; the district may have raised them by an option. If several hold on
-- a day, the newest counts; an unverified limit counts only if the district says so.
select e.district_code, e.phase_id, l.indicator_code, l.variant,
    -- a district may ask for more than its standard, never for less
    greatest(l.value, try_cast(o.value as decimal(18, 6))) as value,
    l.starts, l.source
from run_evaluation e
join standard.limit l using (standard_id)
left join standard.option s
    on s.standard_id = e.standard_id and s.sets_limit = l.indicator_code and l.variant = 'district'
left join run_option o on o.district_code = e.district_code and o.phase_id = e.phase_id and o.option = s.option
where e.effective_on between coalesce(l.starts, e.effective_on) and coalesce(l.ends, e.effective_on)
    and (not l.unverified or e.apply_unverified)
qualify row_number() over (
    partition by e.district_code, e.phase_id, l.indicator_code, l.variant order by l.starts desc nulls last
) = 1
