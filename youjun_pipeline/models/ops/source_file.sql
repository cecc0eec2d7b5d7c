-- A dataset of which a district says that it has none is here with its district.toml and no rows. The rows read are the rejected,
-- used and unused rows together. A row that counts in no evaluation is also rejected: its school is in no roster, or it reports
-- on something that the plan does not have.
with unknown as (
    select district_code, dataset, delivery, file, count(*) as row_count
    from quality.rejected_row
    where rule in ('unknown_school', 'unknown_suspicion')
        or (dataset in ('progress', 'acceptances')
            and rule in ('unknown_measure', 'unknown_milestone', 'unknown_indicator', 'before_plan'))
    group by all
), unused as (
    select district_code, dataset, delivery, file, sum(rows)::bigint as row_count
    from quality.unused_row
    group by all
), delivered as (
    select * from raw.delivered_file
    union all
    select * exclude (reason, rows_seen) from raw.bare_file
)
select f.district_code, f.delivery, f.dataset, f.file, f.content_sha256 as sha256, coalesce(c.rows_read, 0) as rows_read,
    coalesce(c.rows_accepted, 0) - coalesce(u.row_count, 0) as rows_accepted,
    coalesce(c.rows_rejected, 0) + coalesce(u.row_count, 0) as rows_rejected,
    coalesce(c.rows_accepted, 0) - coalesce(u.row_count, 0) - coalesce(n.row_count, 0) as rows_used,
    coalesce(n.row_count, 0) as rows_unused,
    c.failure_rule, c.failure_message
from delivered f
join run_district d using (district_code)
left join raw.content c using (content_sha256, dataset)
left join unknown u using (district_code, dataset, delivery, file)
left join unused n using (district_code, dataset, delivery, file)
where c.content_sha256 is not null or f.file = 'district.toml'
