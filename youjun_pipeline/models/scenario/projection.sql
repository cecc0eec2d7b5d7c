-- 预测：按不同依据推算，到后续阶段结束时各指标各学段能否达标。
-- Verdicts with the measures' effects are in youjun_scenario.mart, besides today's verdicts; if nothing takes effect, today's
-- verdicts are used (variant ''). G3 and class sizes change by their gap: rooms are added where they are missing, pupils leave
-- classes that are too large. A measure without quantity changes nothing; findings that it answers are in doubt, not solved.
with made as (
    select district_code, base_phase_id as phase_id, variant, phase_id as made_phase_id
    from youjun_scenario.main.evaluation
), relief as (
    select f.district_code, f.phase_id, f.variant, f.indicator_code, f.school_code, max(f.quantity) as quantity
    from (
        select district_code, phase_id, variant, indicator_code, school_code, effect, sum(quantity) as quantity
        from projection_effect
        where effect in ('rooms', 'pupils')
        group by district_code, phase_id, variant, indicator_code, school_code, effect, source
    ) f
    join run_evaluation e using (district_code, phase_id)
    join standard.indicator i on i.standard_id = e.standard_id and i.indicator_code = f.indicator_code
    where f.effect = 'rooms' or (i.category <> 'resource' and i.level = 'section')
    group by all
), keyed as (
    -- an indicator of the whole school is judged once, under whatever stage it is listed
    select e.district_code, e.phase_id, i.indicator_code, i.level = 'school' as is_by_school
    from run_evaluation e
    join standard.indicator i using (standard_id)
), judged_school as (
    select m.district_code, m.phase_id, m.variant, s.indicator_code, s.stage, if(k.is_by_school, '', s.stage) as stage_key,
        s.school_code, s.school_name,
        if(is_failing(s.status) and s.gap <= r.quantity, 'met', s.status) as status
    from made m
    join youjun_scenario.mart.school_indicator s
        on s.district_code = m.district_code and s.phase_id = m.made_phase_id
    join keyed k
        on k.district_code = m.district_code and k.phase_id = m.phase_id and k.indicator_code = s.indicator_code
    left join relief r
        on r.district_code = m.district_code and r.phase_id = m.phase_id and r.variant = m.variant
        and r.indicator_code = s.indicator_code and r.school_code = s.school_code
    union all
    select district_code, phase_id, '', indicator_code, stage, null, school_code, school_name, status
    from mart.school_indicator
    semi join run_evaluation using (district_code, phase_id)
), judged_stage as (
    select m.district_code, m.phase_id, m.variant, b.indicator_code, b.stage, b.status
    from made m
    join youjun_scenario.mart.stage_balance b
        on b.district_code = m.district_code and b.phase_id = m.made_phase_id
    union all
    select district_code, phase_id, '', indicator_code, stage, status
    from mart.stage_balance
    semi join run_evaluation using (district_code, phase_id)
), finding as (
    select f.*, if(k.is_by_school, '', coalesce(f.stage, '')) as stage_key,
        -- null if a finding is not of that level: then a join asks for nothing more
        coalesce(f.judged_school_code, f.school_code) as at_school_code,
        if(f.level = 'stage', f.stage, null) as cv_stage
    from mart.finding f
    join keyed k using (district_code, phase_id, indicator_code)
), followed as (
    -- each finding under each set of verdicts; a merged school's finding is judged at the school that took it in
    select f.district_code, f.phase_id, m.variant, f.finding_id, f.level, f.indicator_code, f.stage, f.stage_key, f.cv_stage,
        f.state, coalesce(g.to_school_code, f.at_school_code) as at_school_code, g.to_school_code is not null as is_merging
    from finding f
    join made m using (district_code, phase_id)
    left join (
        select distinct district_code, phase_id, variant, school_code, to_school_code
        from projection_effect
        where effect = 'merger'
    ) g
        on g.district_code = f.district_code and g.phase_id = f.phase_id and g.variant = m.variant and g.school_code = f.at_school_code
), outcome as (
    select f.* exclude (is_merging, cv_stage), coalesce(s.status, b.status) as status_then,
        case
            when is_settled(status_then) then false
            when is_failing(status_then) then true
            else f.state <> 'closed'
        end as is_left
    from followed f
    left join judged_school s
        on s.district_code = f.district_code and s.phase_id = f.phase_id and s.variant = f.variant
        and s.indicator_code = f.indicator_code and s.school_code = f.at_school_code and s.stage_key = f.stage_key
    left join judged_stage b
        on b.district_code = f.district_code and b.phase_id = f.phase_id and b.variant = f.variant
        and b.indicator_code = f.indicator_code and b.stage = f.cv_stage
    union all
    select district_code, phase_id, '', finding_id, level, indicator_code, stage, stage_key, state, at_school_code, status,
        state <> 'closed'
    from finding
    union all
    select district_code, phase_id, 'verified', finding_id, level, indicator_code, stage, stage_key, state,
        at_school_code, status, not signed_off
    from finding
), fresh as (
    -- what passes today and would fail then, as in receiving schools, besides the findings that merge into them
    select s.district_code, s.phase_id, s.variant, s.indicator_code, s.stage, s.school_name as what
    from judged_school s
    anti join followed f
        on f.district_code = s.district_code and f.phase_id = s.phase_id and f.variant = s.variant and f.indicator_code = s.indicator_code and f.at_school_code = s.school_code
        and f.stage_key = s.stage_key and not f.is_merging
    where s.variant <> '' and is_failing(s.status)
    union all
    select b.district_code, b.phase_id, b.variant, b.indicator_code, b.stage, '校际差异系数'
    from judged_stage b
    anti join followed f
        on f.district_code = b.district_code and f.phase_id = b.phase_id and f.variant = b.variant
        and f.indicator_code = b.indicator_code and f.cv_stage = b.stage
    where b.variant <> '' and is_failing(b.status)
), judged_set as (
    -- signed-off findings depend on today's verdicts
    select district_code, phase_id, variant, variant as judged_as from made
    union all
    select district_code, phase_id, unnest(['', 'verified']), '' from run_evaluation
), counted as (
    select district_code, phase_id, variant, indicator_code, stage,
        count(*) filter (kind = 'left') as findings_left, count(*) filter (kind = 'solved') as findings_solved,
        count(*) filter (kind = 'fresh') as fresh, count(*) filter (kind = 'no_data') as no_data,
        list(what order by what) filter (kind = 'fresh') as fresh_names
    from (
        select district_code, phase_id, variant, indicator_code, stage, if(is_left, 'left', 'solved') as kind,
            null as what
        from outcome
        union all
        select district_code, phase_id, variant, indicator_code, stage, 'fresh', what from fresh
        union all
        select j.district_code, j.phase_id, s.variant, j.indicator_code, j.stage, 'no_data', null
        from (
            select district_code, phase_id, variant, indicator_code, stage, status from judged_school
            union all
            select district_code, phase_id, variant, indicator_code, stage, status from judged_stage
        ) j
        join judged_set s on s.district_code = j.district_code and s.phase_id = j.phase_id and s.judged_as = j.variant
        where j.status = 'no_data'
        union all
        select d.district_code, d.phase_id, v.variant, d.indicator_code, null, 'no_data', null
        from mart.district_indicator d
        join run_evaluation e using (district_code, phase_id)
        join standard.indicator i on i.standard_id = e.standard_id and i.indicator_code = d.indicator_code
        join judged_set v using (district_code, phase_id)
        where i.level = 'district' and d.status = 'no_data'
    )
    group by all
), cell as (
    select c.district_code, c.phase_id, c.coming_phase_id, c.coming_name, c.coming_ends, c.basis, c.year,
        n.* exclude (district_code, phase_id, variant)
    from projection_case c
    left join made m using (district_code, phase_id, variant)
    join counted n
        on n.district_code = c.district_code and n.phase_id = c.phase_id
        and n.variant = case when c.basis = 'verified' then 'verified' else coalesce(m.variant, '') end
), answer as (
    -- measures for the findings of a cell, and whether they will have taken effect; a coefficient changes with every measure of
    -- its indicator and stage
    select distinct c.coming_phase_id, c.basis, o.district_code, o.phase_id, o.indicator_code, o.stage, o.finding_id, o.is_left, l.measure_no,
        p.measure_no is null as is_spent,
        p.unquantified is not null as is_unquantified,
        case c.basis when 'slippage' then p.slipped_on else p.planned_on end as acts_on,
        not is_spent and coalesce(acts_on > c.coming_ends, not is_unquantified) as is_late
    from projection_case c
    left join made m using (district_code, phase_id, variant)
    join outcome o
        on o.district_code = c.district_code and o.phase_id = c.phase_id and o.variant = coalesce(m.variant, '')
    join (
        select district_code, phase_id, finding_id, measure_no
        from rule.finding_measure
        union
        select f.district_code, f.phase_id, f.finding_id, p.measure_no
        from finding f
        join rule.plan_effect p using (district_code, phase_id, indicator_code)
        where f.level = 'stage' and coalesce(p.stage = f.stage, true)
    ) l on l.district_code = o.district_code and l.phase_id = o.phase_id and l.finding_id = o.finding_id
    left join rule.plan_effect p
        on p.district_code = o.district_code and p.phase_id = o.phase_id and p.measure_no = l.measure_no
    left join mart.measure_status s
        on s.district_code = o.district_code and s.phase_id = o.phase_id and s.measure_no = l.measure_no
    where c.basis <> 'verified' and (p.measure_no is not null or s.state = 'done')
), answered as (
    select coming_phase_id, basis, district_code, phase_id, indicator_code, stage,
        count(distinct finding_id) filter (is_left and is_unquantified and not is_late) as in_doubt,
        list(distinct measure_no order by measure_no) filter (is_left and is_unquantified and not is_late) as unquantified,
        list(distinct measure_no order by measure_no) filter (is_left and is_late) as late,
        list(distinct measure_no order by measure_no) filter (is_left and is_spent) as spent,
        list(distinct measure_no order by measure_no) filter (not is_unquantified and not is_late and not is_spent)
            as acting
    from answer
    group by all
)
select
    c.district_code, c.phase_id, c.coming_phase_id, c.basis, c.indicator_code, c.stage,
    (c.findings_left + c.fresh)::integer as findings_left,
    case
        when c.findings_left + c.fresh = 0 then if(c.no_data > 0, null, true)
        when c.findings_left + c.fresh > coalesce(a.in_doubt, 0) then false
    end as passes,
    '到“' || c.coming_name || '”结束（' || c.coming_ends || '）' || case
        when c.basis = 'verified' then '，只计已验收销号的：' || case
            when c.findings_left + c.findings_solved = 0 then '没有问题'
            when c.findings_left = 0 then c.findings_solved || ' 个问题全部已销号'
            else (c.findings_left + c.findings_solved) || ' 个问题中 ' || c.findings_left || ' 个没有销号' end
        else concat_ws('；',
            '：' || case when c.findings_left > 0 then '仍有 ' || c.findings_left || ' 个问题'
                when c.findings_solved > 0 then '问题全部解决' else '没有问题' end,
            if(c.stage is not null, if(c.year is not null, '学生数按 ' || c.year || ' 学年的预测', if(c.basis = 'constant', '学生数不变', null)), null),
            if(c.fresh > 0, '新增未达标 ' || c.fresh || ' 处：' || ten_of(c.fresh_names), null),
            if(len(a.acting) > 0, '按数量计入 ' || len(a.acting) || ' 项措施：' || ten_of(a.acting), null),
            if(len(a.unquantified) > 0, len(a.unquantified) || ' 项措施未量化，不作假设：' || ten_of(a.unquantified), null),
            if(len(a.spent) > 0, len(a.spent) || ' 项措施已报完成而问题还在：' || ten_of(a.spent), null),
            if(len(a.late) > 0, len(a.late) || ' 项措施到那时还没有完成：' || ten_of(a.late), null))
    end || if(c.no_data > 0, '；' || c.no_data || ' 处缺数据', '') as message
from cell c
left join answered a
    on a.district_code = c.district_code and a.phase_id = c.phase_id and a.coming_phase_id = c.coming_phase_id
    and a.basis = c.basis and a.indicator_code = c.indicator_code and a.stage is not distinct from c.stage
