-- 来源文件：每个交付文件读入、接受和隔离的行数。
-- A row that counts for nothing in every evaluation is rejected too: its school is in no roster, or it reports
-- on what the plan does not have.
with unknown as (
    select district_code, dataset, delivery, file, count(*) as row_count
    from quality.rejected_row
    where rule = 'unknown_school'
        or (dataset in ('progress', 'acceptances')
            and rule in ('unknown_measure', 'unknown_milestone', 'unknown_indicator', 'before_plan'))
    group by all
)
select f.district_code, f.delivery, f.dataset, f.file, f.content_sha256 as sha256, c.rows_read,
    c.rows_accepted - coalesce(u.row_count, 0) as rows_accepted,
    c.rows_rejected + coalesce(u.row_count, 0) as rows_rejected,
    c.failure_rule, c.failure_message
from raw.delivered_file f
join run_district d using (district_code)
join raw.content c using (content_sha256, dataset)
left join unknown u using (district_code, dataset, delivery, file)
