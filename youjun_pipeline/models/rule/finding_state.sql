-- Findings of an evaluation with their state, from all phases up to it, whichever run made those phases. A finding begins with a
-- failure; a pass closes it, a failure after that reopens it, missing data leave it unchanged. There is one verdict per school
-- for indicators judged by school (stage_key empty), otherwise one per stage. If a school has ended, the verdict on the school
-- that took it in is used; after a split, the worst verdict on the successors. A finding of a school that is closed or no longer
-- judged is settled.
with phase as (
    select e.district_code, e.phase_id, p.phase_id as at_phase_id, p.phase_order as at_order,
        p.effective_on as at_effective_on, p.starts as at_starts, p.standard_id
    from run_evaluation e
    join mart.evaluation p on p.district_code = e.district_code and p.phase_order <= e.phase_order
    semi join raw.phase k on k.district_code = p.district_code and k.phase_id = p.phase_id
), sent as (
    -- a file that repeats the previous figure brings nothing new: the day of the first file counts
    select district_code, dataset, delivery,
        max(if(content is distinct from before, delivery, null)) over (
            partition by district_code, dataset order by delivery) as first_on
    from (
        select district_code, dataset, delivery, string_agg(content_sha256, ' ' order by content_sha256) as content,
            lag(content) over (partition by district_code, dataset order by delivery) as before
        from raw.delivered_file
        group by district_code, dataset, delivery
    )
), data_day as (
    -- the day of the newest figures of an indicator in a phase: a delivery of another dataset changes nothing
    select p.district_code, p.at_phase_id, l.indicator_code, max(coalesce(s.first_on, l.delivery)) as data_on
    from (select distinct district_code, at_phase_id from phase) p
    join mart.lineage l on l.district_code = p.district_code and l.phase_id = p.at_phase_id
    left join sent s
        on s.district_code = l.district_code and s.dataset = split_part(l.input, '.', 1) and s.delivery = l.delivery
    group by p.district_code, p.at_phase_id, l.indicator_code
), judgement as (
    select district_code, phase_id, 'school' as level, indicator_code, stage, school_code as item, school_name, value,
        threshold, gap, status, reason
    from mart.school_indicator
    union all
    select district_code, phase_id, 'stage', indicator_code, stage, 'CV', null, cv, cv_limit,
        greatest(cv - cv_limit, 0), status, reason
    from mart.stage_balance
    union all
    select district_code, phase_id, 'district', 'Q9', null, grade || subject, null, level, level_required,
        greatest(level_required - level, 0), status,
        grade || ' 年级' || subject || '学业水平 ' || coalesce(level::varchar, '缺') || ' 级，校际差异率 '
            || coalesce(shown3(between_school_rate), '缺')
    from mart.monitoring_subject
    where is_newest
    union all
    select d.district_code, d.phase_id, 'district', d.indicator_code, null, d.indicator_code, null, d.value, d.target,
        null, d.status, d.summary
    from mart.district_indicator d
    join mart.evaluation p using (district_code, phase_id)
    join standard.indicator i on i.standard_id = p.standard_id and i.indicator_code = d.indicator_code
    where i.level = 'district' and d.indicator_code <> 'Q9'
), judged_at as (
    select p.district_code, p.at_phase_id, j.* exclude (district_code, phase_id),
        if(i.level = 'school', '', coalesce(j.stage, '')) as stage_key,
        -- the distance from its threshold as a share of the threshold, because successors differ in size
        (j.threshold - j.value) / nullif(j.threshold, 0) * if(i.direction = 'at_most', -1, 1) as shortfall
    from (select distinct district_code, at_phase_id, standard_id from phase) p
    join judgement j on j.district_code = p.district_code and j.phase_id = p.at_phase_id
    join standard.indicator i on i.standard_id = p.standard_id and i.indicator_code = j.indicator_code
), failed as (
    select p.district_code, p.phase_id, j.level, j.indicator_code, j.stage_key,
        coalesce(o.origin_code, j.item) as origin,
        min(p.at_order) as first_order,
        arg_min(p.at_phase_id, p.at_order) as first_phase_id,
        arg_max(j.stage, p.at_order) as stage,
        arg_max(j.school_name, p.at_order) as school_name
    from phase p
    join judged_at j using (district_code, at_phase_id)
    left join (select *, 'school' as level from core.school_origin) o
        on o.district_code = p.district_code and o.phase_id = p.phase_id and o.school_code = j.item
        and o.level = j.level
    where is_failing(j.status)
    group by all
), identity as materialized (
    -- numbered, because joins over five text columns cost several times as much
    select *, row_number() over () as n from failed
), stand_in as (
    select distinct district_code, phase_id, origin, origin as item, 0 as hops, true as is_same,
        []::varchar[] as passed, null::date as since
    from identity
    union all
    select district_code, phase_id, school_code, successor_code, hops, is_rename, passed, since
    from core.school_successor
    semi join run_evaluation using (district_code, phase_id)
), heir as (
    select i.n, p.at_order, c.is_same, c.hops, j.shortfall, j.item as judged_item, j.stage, j.school_name, j.value,
        j.threshold, j.gap, j.status, j.reason
    from identity i
    join phase p using (district_code, phase_id)
    join stand_in c using (district_code, phase_id, origin)
    join judged_at j using (district_code, at_phase_id, level, indicator_code, stage_key, item)
    where p.at_order >= i.first_order and coalesce(c.since <= p.at_effective_on, true)
    -- a school that took in another one does not represent it while the other one is still judged itself
    qualify not list_has_any(c.passed, list(j.item) over (partition by i.n, p.at_order))
), seen as (
    select * from heir
    qualify row_number() over (
        partition by n, at_order
        order by case status when 'below' then 1 when 'near' then 2 when 'no_data' then 3 else 4 end,
            shortfall desc nulls last, hops, judged_item
    ) = 1
), listed as (
    -- schools in the roster with a known type: if such a school is not judged, it has no such section or is out of scope
    select c.district_code, c.phase_id, c.origin, p.at_phase_id, 'school' as level,
        any_value(coalesce(s.out_of_scope_reason, '学校不再有这个学段的学生')) as why
    from stand_in c
    join phase p using (district_code, phase_id)
    join mart.school s
        on s.district_code = c.district_code and s.phase_id = p.at_phase_id and s.school_code = c.item
    join standard.school_type t on t.standard_id = p.standard_id and t.school_type = s.school_type
    where c.is_same
    group by all
), shut as (
    select district_code, phase_id, from_code as origin, 'school' as level, min(effective_on) as shut_on
    from core.school_change
    semi join run_evaluation using (district_code, phase_id)
    where kind = 'close' and is_in_force
    group by all
), history as (
    select i.*, p.at_phase_id, p.at_order, p.at_effective_on, p.at_starts, d.data_on, s.is_same, s.judged_item,
        s.stage as stage_now, s.school_name as judged_name, s.value, s.threshold, s.gap,
        case when s.status is not null then s.status when l.why is not null then 'not_applicable'
            when c.shut_on is not null then 'not_applicable' else 'no_data' end as status,
        case when s.status is not null then if(s.is_same, '', '已由' || s.school_name || '承接，按该校判定：') || s.reason
            when l.why is not null then '本阶段不再评估：' || l.why
            when c.shut_on is not null then '学校已于 ' || c.shut_on || ' 撤销'
            else '本阶段没有可判定的数据，沿用此前的状态' end as reason
    from identity i
    join phase p on p.district_code = i.district_code and p.phase_id = i.phase_id and p.at_order >= i.first_order
    left join data_day d
        on d.district_code = p.district_code and d.at_phase_id = p.at_phase_id and d.indicator_code = i.indicator_code
    left join seen s on s.n = i.n and s.at_order = p.at_order
    left join listed l
        on l.level = i.level and l.district_code = i.district_code and l.phase_id = i.phase_id
        and l.origin = i.origin and l.at_phase_id = p.at_phase_id
    left join shut c
        on c.level = i.level and c.district_code = i.district_code and c.phase_id = i.phase_id
        and c.origin = i.origin and c.shut_on <= p.at_effective_on
), followed as (
    select n,
        arg_max(is_failing(status), at_order) filter (is_failing(status) or is_settled(status)) as is_open,
        bool_or(is_settled(status)) as has_been_closed,
        max(coalesce(data_on, at_effective_on)) filter (is_failing(status)) as last_failed_on,
        max(at_effective_on) filter (is_settled(status)) as last_settled_on
    from history
    group by n
), dated as (
    -- The day on which a phase saw a finding in its state: the day of the figures, but not before the phase began, because an
    -- earlier phase judged older figures. Missing data leave the state unchanged.
    select n, at_order, at_effective_on, greatest(coalesce(data_on, at_effective_on), at_starts) as seen_on,
        last_value(if(is_failing(status) or is_settled(status), is_failing(status), null) ignore nulls)
            over (partition by n order by at_order) as stands_open
    from history
), lasting as (
    select *, max(at_order) filter (stands_open) over (partition by n) as last_open_order,
        lead(seen_on, 1, at_effective_on) over (partition by n order by at_order) as until
    from dated
), duration as (
    select n, min(seen_on) as opened_on,
        min(seen_on) filter (at_order > last_open_order) as closed_on,
        sum(greatest(until - seen_on, 0)) filter (stands_open)::integer as days_open
    from lasting
    group by n
), named as (
    -- the school's present name and code
    select s.*, k.school_name as known_name
    from (
        select c.district_code, c.phase_id, c.origin, 'school' as level, arg_max(c.item, (c.hops, c.item)) as school_code
        from stand_in c
        where c.is_same
        group by all
    ) s
    left join core.known_school k using (district_code, phase_id, school_code)
)
-- The level is on both sides of the join, so that it can be a join key: with a condition on one side, an outer join compares
-- every pair.
select
    f.district_code, f.phase_id,
    concat_ws('-', f.district_code, f.indicator_code, nullif(f.stage_key, ''), f.origin) as finding_id,
    f.level, f.indicator_code, f.stage_key, f.origin,
    coalesce(f.stage_now, f.stage) as stage,
    coalesce(named.school_code, f.origin) as item,
    named.school_code,
    if(named.school_code is null, null, coalesce(if(f.is_same, f.judged_name, null), named.known_name, f.school_name))
        as school_name,
    if(named.school_code is null, null, f.judged_item) as judged_school_code,
    f.value, f.threshold, f.gap, f.status, f.reason,
    case when not t.is_open then 'closed' when t.has_been_closed then 'reopened' else 'open' end as state,
    f.first_phase_id, t.last_failed_on, t.last_settled_on, f.data_on, u.opened_on, u.closed_on, u.days_open
from history f
join followed t using (n)
join duration u using (n)
left join named using (district_code, phase_id, level, origin)
where f.at_phase_id = f.phase_id
