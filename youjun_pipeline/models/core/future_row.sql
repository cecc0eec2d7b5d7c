-- Rows of yearly figures with a date after their delivery: the year is mistyped, so nobody knows their year. A budget may be one
-- year ahead. These rows do not count (core.hidden); otherwise one wrong digit would make a wish the newest year.
with dated as (
    select 'school_finance' as dataset, 1 as ahead, content_sha256, sheet, row_number, school_code, null::varchar as item, year
    from accepted.school_finance
    union all
    select 'graduation_cohorts', 0, content_sha256, sheet, row_number, school_code, null, year from accepted.graduation_cohorts
    union all
    select 'recognition', 0, content_sha256, sheet, row_number, null, respondent_group, year from accepted.recognition
    union all
    select 'quality_monitoring', 0, content_sha256, sheet, row_number, null, subject, cycle from accepted.quality_monitoring
)
select f.district_code, f.phase_id, f.dataset, f.delivery, f.file, d.* exclude (dataset, ahead)
from core.chosen_file f
semi join run_evaluation using (district_code, phase_id)
join dated d using (dataset, content_sha256)
where d.year > year(f.delivery) + d.ahead
