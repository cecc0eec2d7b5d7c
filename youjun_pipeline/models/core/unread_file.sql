-- Delivered files that no evaluation uses, each with the reason (rule), and the number of its accepted rows. All phases of the
-- district are considered, also those that this run does not make.
with closed as (
    select distinct district_code, phase_id from ops.phase_closure where reopened_at is null
), phase as (
    select p.*, c.phase_id is not null as is_closed,
        -- closed rows that were restored from the publication do not say which files they came from
        is_closed and u.phase_id is null as is_recovered
    from raw.phase p
    left join closed c using (district_code, phase_id)
    left join (select distinct district_code, phase_id from core.chosen_file) u using (district_code, phase_id)
), reach as (
    -- a delivery reports on the first phase that ends after it
    select f.district_code, f.delivery, f.dataset, f.file,
        count(p.phase_id) as phases,
        arg_min(p.phase_id, p.phase_order) as phase_id,
        arg_min(p.phase_name, p.phase_order) as phase_name,
        bool_or(p.starts <= getvariable('as_of')) as has_begun,
        bool_and(p.is_closed) as all_closed,
        bool_or(p.is_recovered) as any_recovered
    from raw.delivered_file f
    left join phase p on p.district_code = f.district_code and p.ends >= f.delivery
    group by all
)
select f.district_code, f.delivery, f.dataset, f.file, r.phase_id as of_phase_id, r.phase_name as of_phase_name, c.rows_accepted,
    case
        when f.delivery > getvariable('as_of') then 'in_the_future'
        when r.phases = 0 then 'after_the_last_phase'
        when not r.has_begun then 'phase_not_begun'
        when r.all_closed then 'phase_closed'
        when exists (
            from raw.delivered_file o
            where o.district_code = f.district_code and o.dataset = f.dataset
                and o.delivery > f.delivery and o.delivery <= getvariable('as_of')
        ) then 'superseded'
        when f.dataset in ('classes', 'class_bands') then 'other_form_in_use'
        else 'not_evaluated'
    end as rule
from raw.delivered_file f
join raw.content c using (content_sha256, dataset)
join reach r using (district_code, delivery, dataset, file)
anti join core.chosen_file u
    on u.district_code = f.district_code and u.dataset = f.dataset and u.delivery = f.delivery and u.file = f.file
where c.failure_rule is null and not coalesce(r.any_recovered, false)
