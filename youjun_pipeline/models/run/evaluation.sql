-- The evaluations of the run: those asked for that nothing keeps out, with the options in force.
with option_value as (
    select r.district_code, r.phase_id, o.option, coalesce(v.value, o.default_value) as value
    from run_request r
    join standard.option o using (standard_id)
    left join run_option v using (district_code, phase_id, option)
), chosen as (
    select
        district_code,
        phase_id,
        max(value) filter (option = 'include_private')::boolean as include_private,
        max(value) filter (option = 'music_art_rule') as music_art_rule,
        coalesce(string_split(nullif(max(value) filter (option = 'waivers'), ''), ','), []) as waivers,
        max(value) filter (option = 'special_education_funding_yuan')::decimal(18, 6)
            as special_education_funding_yuan,
        max(value) filter (option = 'funding_norm_primary_yuan')::decimal(18, 6) as funding_norm_primary_yuan,
        max(value) filter (option = 'funding_norm_junior_yuan')::decimal(18, 6) as funding_norm_junior_yuan,
        max(value) filter (option = 'fund_schools_out_of_scope')::boolean as fund_schools_out_of_scope,
        max(value) filter (option = 'close_after_days')::integer as close_after_days
    from option_value
    group by district_code, phase_id
)
select r.*, chosen.* exclude (district_code, phase_id), getvariable('run_id') as run_id
from run_request r
join chosen using (district_code, phase_id)
where not exists (
    from run_failure f
    where f.district_code = r.district_code and (f.phase_id is null or f.phase_id = r.phase_id)
)
