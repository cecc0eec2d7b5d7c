-- What measures add to reported figures. Text and annex may both name the same work: the source with the largest promise counts.
with told as (
    select p.district_code, p.phase_id, p.variant, p.school_code, if(i.is_split, null, p.stage) as stage, p.indicator_code, p.source,
        p.dataset, p.column_name, sum(p.added) as added
    from projection_effect p
    join run_evaluation e using (district_code, phase_id)
    join standard.indicator i on i.standard_id = e.standard_id and i.indicator_code = p.indicator_code
    where p.effect = 'amount'
    group by all
), promised as (
    select * exclude (source, added), max(added) as added
    from told
    group by all
)
select * exclude (indicator_code, added), sum(added) as added
from promised
group by all
