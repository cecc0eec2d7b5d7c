-- For each dataset that verdicts use: whether everything that they need was reported.
with asked as (
    select e.district_code, e.phase_id, unnest([
        'schools', 'classes', 'teachers', 'facilities', 'special_rooms', 'school_finance', 'graduation_cohorts', 'assurance',
        'recognition', 'quality_monitoring'
    ]) as dataset
    from run_evaluation e
)
select a.district_code, a.phase_id, 'inputs_are_complete' as check_name, a.dataset, 'warning' as severity,
    count(m.message) = 0 as passed, count(m.message) as failed_rows,
    if(count(m.message) = 0, '判定所需的数据齐全',
        '缺报 ' || count(m.message) || ' 处：' || array_to_string(list(m.message order by m.message)[1:20], '；')
            || if(count(m.message) > 20, '……详见 quality.missing_input', '')) as message
from asked a
left join quality.missing_input m
    on m.district_code = a.district_code and m.phase_id = a.phase_id
    and if(m.dataset = 'class_bands', 'classes', m.dataset) = a.dataset
group by a.district_code, a.phase_id, a.dataset
