-- The figures may be older than the report: then the result is not known yet, and the sentence says so.
select
    m.district_code, m.phase_id, m.measure_no, m.finding_id, f.indicator_code, f.stage, f.school_code, f.school_name,
    s.finished_on as reported_on, s.reporter, f.value, f.threshold, f.gap, f.status, t.data_on,
    t.data_on >= s.finished_on as is_checked,
    coalesce(f.school_name, if(f.level = 'stage', '校际差异系数', '全县')) || '：措施 ' || m.measure_no || ' 于 '
        || s.finished_on || ' 填报完成，' || case
        when is_failing(f.status) and is_checked then t.data_on || ' 报送的数据仍未达标'
        when is_failing(f.status) then '现有数据报送于 ' || t.data_on || '，未达标；尚无其后的数据'
        else '但没有可判定的数据' end || '。' || f.reason as message
from rule.finding_measure m
semi join run_evaluation using (district_code, phase_id)
join mart.measure_status s using (district_code, phase_id, measure_no)
join mart.finding f using (district_code, phase_id, finding_id)
join rule.finding_state t using (district_code, phase_id, finding_id)
where s.state = 'done' and f.state <> 'closed'
