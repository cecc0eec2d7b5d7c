with section as (
    select district_code, phase_id,
        count(*) as sections,
        count(*) filter (not passes_resource_rule) as failing,
        count(*) filter (passes_resource_rule is null) as open,
        count(*) filter (not passes_strict) as failing_strict,
        count(*) filter (passes_strict is null) as open_strict
    from mart.school_verdict
    semi join run_evaluation using (district_code, phase_id)
    group by district_code, phase_id
), balance as (
    select district_code, phase_id,
        count(*) filter (status in ('below', 'no_data')) as not_met,
        count(*) filter (status_strict in ('below', 'no_data')) as not_met_strict,
        -- "over the limit" and "not known" are different and are reported separately
        list(t.name || b.indicator_name order by b.indicator_code, t.split_weight) filter (b.status = 'below') as over,
        list(t.name || b.indicator_name order by b.indicator_code, t.split_weight) filter (b.status = 'no_data') as unknown
    from mart.stage_balance b
    join run_evaluation e using (district_code, phase_id)
    join standard.stage t on t.standard_id = e.standard_id and t.stage = b.stage
    group by district_code, phase_id
), item as (
    select d.district_code, d.phase_id,
        count(*) filter (is_failing(d.status)) as indicators_failing,
        count(*) filter (d.category <> 'resource' and not is_settled(d.status)) as not_met,
        count(*) filter (d.category <> 'resource' and not is_settled(d.status_strict)) as not_met_strict,
        count(*) filter (d.category = 'veto' and d.status = 'below') as vetoes,
        count(*) filter (d.status = 'no_data') as no_data,
        list({
            'weight': case d.category when 'veto' then 0 when 'recognition' then 2 when 'government' then 3 else 4 end,
            'order': i.sort_order,
            'text': d.indicator_code || ' ' || i.short_name || if(d.status = 'no_data', '（缺数据）：', '：') || d.summary
        } order by i.sort_order) filter (d.category <> 'resource' and not is_settled(d.status)) as blocks
    from mart.district_indicator d
    join run_evaluation e using (district_code, phase_id)
    join standard.indicator i on i.standard_id = e.standard_id and i.indicator_code = d.indicator_code
    group by d.district_code, d.phase_id
), failing as (
    -- a vocational school with compulsory pupils fails G4 without being in scope
    select j.district_code, j.phase_id, count(distinct j.school_code) as schools,
        count(distinct j.school_code) filter (not s.in_scope) as out_of_scope
    from mart.school_indicator j
    join core.school s using (district_code, phase_id, school_code)
    semi join run_evaluation e on e.district_code = j.district_code and e.phase_id = j.phase_id
    where is_failing(j.status)
    group by j.district_code, j.phase_id
), roster as (
    select e.district_code, e.phase_id,
        (
            select count(distinct s.school_code) from core.school s
            where s.district_code = e.district_code and s.phase_id = e.phase_id and s.in_scope
        ) as schools_in_scope,
        coalesce(f.schools, 0) as schools_failing,
        coalesce(f.out_of_scope, 0) as failing_out_of_scope,
        (
            -- a school that is missing from the roster may fail anything
            select coalesce(sum(h.rows), 0) from core.hidden h
            where h.district_code = e.district_code and h.phase_id = e.phase_id and h.dataset = 'schools'
        ) as roster_rows_rejected,
        (
            select coalesce(sum(h.rows), 0) from core.hidden h
            where h.district_code = e.district_code and h.phase_id = e.phase_id and h.in_quarantine
        )::bigint as rows_in_quarantine
    from run_evaluation e
    left join failing f using (district_code, phase_id)
), joined as (
    select r.*,
        coalesce(s.sections, 0) as sections,
        coalesce(s.failing, 0) as sections_failing,
        coalesce(s.open, 0) as sections_open,
        i.indicators_failing,
        i.no_data,
        i.vetoes,
        sections > 0 and roster_rows_rejected = 0 and coalesce(s.failing + s.open, 0) = 0
            and b.not_met = 0 and i.not_met = 0 as passes,
        sections > 0 and roster_rows_rejected = 0 and coalesce(s.failing_strict + s.open_strict, 0) = 0
            and b.not_met_strict = 0 and i.not_met_strict = 0 as passes_strict,
        list_concat(
            coalesce(i.blocks, []),
            [x for x in [
                {'weight': 1, 'order': 1, 'text': case when sections = 0 then '没有可评估的学校' end},
                {'weight': 1, 'order': 2, 'text': case when sections_failing > 0
                    then sections_failing || ' 个学部的七项资源配置未达到学校标准' end},
                {'weight': 1, 'order': 3, 'text': case when sections_open > 0
                    then sections_open || ' 个学部缺数据，尚不能下结论' end},
                {'weight': 1, 'order': 4, 'text': '校际差异系数未达标：' || array_to_string(b.over, '、')},
                {'weight': 1, 'order': 5, 'text': '校际差异系数缺数据：' || array_to_string(b.unknown, '、')},
                {'weight': 1, 'order': 6, 'text': case when roster_rows_rejected > 0
                    then '学校名册有 ' || roster_rows_rejected || ' 行未能读入' end}
            ] if x.text is not null]
        ) as blocks
    from roster r
    left join section s using (district_code, phase_id)
    join balance b using (district_code, phase_id)
    join item i using (district_code, phase_id)
)
select
    district_code, phase_id, passes, passes_strict, schools_in_scope, schools_failing, failing_out_of_scope,
    indicators_failing, no_data as indicators_no_data, rows_in_quarantine,
    [x.text for x in list_sort(blocks)] as blocking,
    case
        when passes then '校校达标、项项达标' || if(passes_strict, '', '（部分按过渡政策达标）')
        when vetoes > 0 then '发生一票否决情形，不予认定；另有 ' || indicators_failing || ' 项指标未达标，涉及 '
            || schools_failing || ' 所学校'
        when indicators_failing = 0 and schools_failing = 0 then '尚有事项缺数据，不能认定'
        else indicators_failing || ' 项指标未达标，未达标学校 ' || schools_failing || ' 所'
            || if(no_data > 0, '；另有 ' || no_data || ' 项缺数据', '')
    end || if(rows_in_quarantine > 0, '（' || rows_in_quarantine || ' 行数据在隔离区，未计入）', '') as summary
from joined
