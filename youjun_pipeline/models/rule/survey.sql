-- What S1 asks besides its ratio. The sample (part 8): it must be a large enough share of the residents, and parents a large
-- enough share of the sample; otherwise nothing is known. Questionnaires and visits are judged separately if the district judges
-- them so (parts 2 and on).
with asked as (
    select e.district_code, e.phase_id, e.survey_rule, e.survey_methods, r.indicator_code, l.value::decimal(14, 6) as target
    from run_evaluation e
    join standard.ratio r on r.standard_id = e.standard_id and r.dataset = 'recognition'
    join core.limit l
        on l.district_code = e.district_code and l.phase_id = e.phase_id and l.indicator_code = r.indicator_code
        and l.variant = r.limit_variant
    join core.parameter s
        on s.district_code = e.district_code and s.phase_id = e.phase_id and s.parameter = 'survey_sample_share'
), sample as (
    select a.district_code, a.phase_id, a.indicator_code,
        max(s.residents) as residents,
        if(bool_or(s.valid is null), null, sum(s.valid)) as total,
        max(s.required_sample) as required,
        list(s.respondent_group || ' ' || s.valid || ' 份，不足有效样本的 ' || percent1(s.least_share::double) || '，缺 '
            || ceil(s.least_share::decimal(9, 6) * t.total - s.valid)::bigint || ' 份' order by s.sort_order)
            filter (s.valid < s.least_share::decimal(9, 6) * t.total) as lopsided
    from asked a
    join mart.recognition_stratum s using (district_code, phase_id)
    join (
        select district_code, phase_id, sum(valid)::bigint as total
        from mart.recognition_stratum
        semi join run_evaluation using (district_code, phase_id)
        group by all
    ) t using (district_code, phase_id)
    where a.survey_rule = 'national'
    group by all
), method as (
    select a.district_code, a.phase_id, a.indicator_code, a.target, coalesce(s.method, '未写明方式') as method,
        if(bool_or(s.is_contradiction), null, sum(s.satisfied)) as satisfied,
        if(bool_or(s.is_contradiction), null, sum(s.valid)) as valid
    from asked a
    join core.survey_answer s using (district_code, phase_id)
    where a.survey_methods = 'each'
    group by all
)
select district_code, phase_id, indicator_code, 8 as part, null::double as value, null::double as target,
    case when residents is null or total is null or total < required or len(lopsided) > 0 then 'no_data' else 'met' end as status,
    case
        when residents is null then '没有报送人口总数（population_wan），不能判断样本是否足够'
        when total is null then '样本数不能确定'
        when total < required then '有效样本 ' || total || ' 份，按常住人口 ' || residents || ' 人应不少于 ' || required
            || ' 份，缺 ' || (required - total) || ' 份'
        when len(lopsided) > 0 then array_to_string(lopsided, '；')
        else '有效样本 ' || total || ' 份，应不少于 ' || required || ' 份，各类对象齐全'
    end as summary
from sample
union all
select district_code, phase_id, indicator_code,
    (1 + row_number() over (partition by district_code, phase_id, indicator_code order by method))::integer,
    satisfied::double / nullif(valid, 0), target::double,
    case when satisfied is null or valid = 0 then 'no_data' when satisfied >= target * valid then 'met' else 'below' end,
    method || '认可度 ' || coalesce(percent1(satisfied::double / nullif(valid, 0)), '缺数据') || '，标准 '
        || percent1(target::double)
from method
