-- Which measure answers which finding, many to many: by school and indicator, by the stage's balance coefficient, or by district
-- indicator. A measure without a stage, or for both stages, answers findings of both; for indicators judged by school the stage
-- does not matter.
with aimed as (
    select m.district_code, m.phase_id, m.measure_no, m.covers, m.indicator_code, i.level as judged_by,
        unnest(case
            when i.level <> 'section' then ['']
            when m.stage is null or m.stage = 'compulsory' then ['primary', 'junior']
            else [m.stage]
        end) as stage_key
    from core.measure m
    join run_evaluation e using (district_code, phase_id)
    join standard.indicator i on i.standard_id = e.standard_id and i.indicator_code = m.indicator_code
), named as (
    select s.district_code, s.phase_id, s.measure_no, coalesce(o.origin_code, s.school_code) as origin
    from core.measure_school s
    semi join run_evaluation using (district_code, phase_id)
    left join core.school_origin o using (district_code, phase_id, school_code)
    where s.school_code is not null
)
select distinct a.district_code, a.phase_id, f.finding_id, a.measure_no
from aimed a
join named n using (district_code, phase_id, measure_no)
join rule.finding_state f using (district_code, phase_id, indicator_code, stage_key, origin)
where a.covers = 'schools' and f.level = 'school'
union all
select a.district_code, a.phase_id, f.finding_id, a.measure_no
from aimed a
join rule.finding_state f using (district_code, phase_id, indicator_code, stage_key)
where a.covers = 'balance' and f.level = 'stage'
union all
select a.district_code, a.phase_id, f.finding_id, a.measure_no
from aimed a
join rule.finding_state f using (district_code, phase_id, indicator_code)
where a.covers = 'district' and f.level = 'district'
