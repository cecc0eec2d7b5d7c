-- The evaluations of the run: those requested and not kept out, with the options in force.
with chosen_value as (
    select r.district_code, r.phase_id, r.standard_id, r.effective_on, o.option, coalesce(v.value, o.default_value) as value
    from run_request r
    join standard.option o using (standard_id)
    left join run_option v using (district_code, phase_id, option)
), option_value as (
    -- a number below the national floor of that day counts as the floor
    select v.district_code, v.phase_id, v.option,
        coalesce(greatest(try_cast(v.value as decimal(18, 6)), max(f.value))::varchar, v.value) as value
    from chosen_value v
    join chosen_value u
        on u.district_code = v.district_code and u.phase_id = v.phase_id and u.option = 'apply_unverified'
    left join standard.floor f
        on f.standard_id = v.standard_id and f.option = v.option and v.value is not null
        and v.effective_on between coalesce(f.starts, v.effective_on) and coalesce(f.ends, v.effective_on)
        and (not f.unverified or u.value = 'true')
    group by v.district_code, v.phase_id, v.option, v.value
), chosen as (
    select
        district_code,
        phase_id,
        max(value) filter (option = 'include_private')::boolean as include_private,
        max(value) filter (option = 'music_art_rule') as music_art_rule,
        coalesce(string_split(nullif(max(value) filter (option = 'waivers'), ''), ','), []) as waivers,
        max(value) filter (option = 'funding_norm_primary_yuan')::decimal(18, 6) as funding_norm_primary_yuan,
        max(value) filter (option = 'funding_norm_junior_yuan')::decimal(18, 6) as funding_norm_junior_yuan,
        max(value) filter (option = 'fund_schools_out_of_scope')::boolean as fund_schools_out_of_scope,
        max(value) filter (option = 'count_private_teachers')::boolean as count_private_teachers,
        max(value) filter (option = 'survey_rule') as survey_rule,
        max(value) filter (option = 'survey_methods') as survey_methods,
        max(value) filter (option = 'apply_unverified')::boolean as apply_unverified,
        max(value) filter (option = 'close_after_days')::integer as close_after_days,
        map_from_entries(list((option, value) order by option)) as settings
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
