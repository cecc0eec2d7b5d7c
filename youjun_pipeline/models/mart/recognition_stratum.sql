-- Wilson's interval. The sample is a share of the residents; groups with a minimum share get it, the other groups divide the
-- rest.
with population as (
    select district_code, phase_id, arg_max(value, year)::decimal(18, 6) * 10000 as residents
    from core.figure
    semi join run_evaluation using (district_code, phase_id)
    where input = 'district_figures.population_wan'
    group by district_code, phase_id
), number as (
    select e.district_code, e.phase_id, e.standard_id, p.residents,
        ceil(p.residents::decimal(24, 6) * s.value::decimal(12, 9))::bigint as required,
        z.value::double as z,
        (select sum(g.least_share) from standard.respondent_group g where g.standard_id = e.standard_id) as reserved,
        (select count(*) from standard.respondent_group g where g.standard_id = e.standard_id and g.least_share is null) as others
    from run_evaluation e
    join core.parameter s
        on s.district_code = e.district_code and s.phase_id = e.phase_id and s.parameter = 'survey_sample_share'
    join core.parameter z
        on z.district_code = e.district_code and z.phase_id = e.phase_id and z.parameter = 'survey_confidence_z'
    left join population p on p.district_code = e.district_code and p.phase_id = e.phase_id
    where e.survey_rule = 'national'
        or exists (from core.survey_answer a where a.district_code = e.district_code and a.phase_id = e.phase_id)
), answered as (
    select district_code, phase_id, stratum, any_value(year) as year,
        if(bool_or(is_contradiction), null, sum(valid)) as valid,
        if(bool_or(is_contradiction), null, sum(satisfied)) as satisfied
    from core.survey_answer
    semi join run_evaluation using (district_code, phase_id)
    group by all
), stratum as (
    select n.district_code, n.phase_id, g.respondent_group as stratum, g.sort_order, n.residents, n.required, n.z,
        ceil(n.required * coalesce(g.least_share, (1 - n.reserved) / n.others))::bigint as required_valid, g.least_share
    from number n
    join standard.respondent_group g using (standard_id)
    union all
    -- groups that were asked although the catalogue does not require it
    select n.district_code, n.phase_id, a.stratum, 99, n.residents, n.required, n.z, 0, null
    from number n
    join answered a using (district_code, phase_id)
    where not exists (
        from standard.respondent_group g where g.standard_id = n.standard_id and g.respondent_group = a.stratum
    )
), measured as (
    select s.*, a.year, coalesce(a.valid, if(a.stratum is null, 0, null)) as valid, a.satisfied,
        a.satisfied::double / nullif(a.valid, 0) as rate
    from stratum s
    left join answered a using (district_code, phase_id, stratum)
)
select district_code, phase_id, stratum as respondent_group, sort_order, year, valid, satisfied, rate,
    (rate + z * z / (2 * valid) - z * sqrt(rate * (1 - rate) / valid + z * z / (4 * valid * valid))) / (1 + z * z / valid)
        as rate_low,
    (rate + z * z / (2 * valid) + z * sqrt(rate * (1 - rate) / valid + z * z / (4 * valid * valid))) / (1 + z * z / valid)
        as rate_high,
    valid / nullif(sum(valid) over (partition by district_code, phase_id), 0) as share, least_share::double as least_share,
    residents::bigint as residents, required as required_sample, required_valid, greatest(required_valid - valid, 0) as missing_valid
from measured
