-- Rows that look like a mistake: they were accepted, but no evaluation uses them.
select district_code, null::varchar as phase_id, 'rows_are_used' as check_name, dataset, 'warning' as severity,
    false as passed, sum(rows)::bigint as failed_rows,
    array_to_string(list(file || coalesce(' ' || nullif(sheet, ''), '') || coalesce(' 第 ' || "row" || ' 行', '') || '：' || message
        order by delivery, file, sheet, "row")[1:20], '；') || if(count(*) > 20, '……共 ' || count(*) || ' 行', '') as message
from quality.unused_row
semi join run_district using (district_code)
where rule in ('stage_not_taught', 'unknown_item', 'unknown_target')
group by district_code, dataset
