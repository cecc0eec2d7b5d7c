-- What passes now and will fail by the forecast of pupils: for the district and for each coefficient the first such year.
with lost as (
    select *, count(*) over (partition by district_code, phase_id, basis, level, indicator_code, stage) as years
    from planning_forecast
    where level in ('district', 'stage') and status_now in ('met', 'met_by_waiver') and is_failing(status)
    qualify year = min(year) over (partition by district_code, phase_id, basis, level, indicator_code, stage)
)
select district_code, phase_id, basis, level, if(level = 'district', 'serious', 'warning') as severity, year, indicator_code, stage,
    value, threshold, probability_failing,
    if(level = 'district', '现在通过，按预测的学生数到 ' || year || ' 学年将不再通过',
        stage_word(stage) || indicator_code || '差异系数现在达标，按预测的学生数到 ' || year || ' 学年为 ' || shown3(value)
            || '，超过上限 ' || shown3(threshold))
        || if(basis = 'plan', '（方案落实后仍如此）', '')
        || if(level = 'district', '：' || message, coalesce('；超限的可能性约 ' || percent1(probability_failing), '')) as message
from lost
