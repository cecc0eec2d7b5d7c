-- Claims are compared with this phase's verdicts; for a letter of an earlier phase this shows what has been corrected since.
with judgement as (
    select district_code, phase_id, indicator_code, stage, school_code, school_name, status, reason
    from mart.school_indicator
    semi join run_evaluation using (district_code, phase_id)
), subject as (
    select district_code, phase_id, 'Q9' as indicator_code, grade, subject, status, grade || '年级' || subject as item
    from mart.monitoring_subject
    semi join run_evaluation using (district_code, phase_id)
    where is_newest
), closed as (
    select f.district_code, f.phase_id, f.indicator_code, f.stage, f.school_code, f.level, p.phase_name
    from mart.finding f
    semi join run_evaluation e on e.district_code = f.district_code and e.phase_id = f.phase_id
    join raw.phase p on p.district_code = f.district_code and p.phase_id = f.first_phase_id
    where f.state = 'closed'
), claim_stage as (
    -- the stages of a claim, one by one: an OR in a join would be a nested loop over the whole country
    select district_code, phase_id, level, indicator_code, school_code, stage as claimed_stage,
        unnest(case
            when stage is null or stage = 'compulsory' then ['primary', 'junior', 'compulsory']
            else [stage, 'compulsory']
        end) as stage
    from core.claim
    semi join run_evaluation using (district_code, phase_id)
), school_claim as (
    -- a claim about a stage also means the verdict on the whole school (stage compulsory), and vice versa
    select c.*,
        list({'stage': j.stage, 'school_name': j.school_name, 'status': j.status, 'reason': j.reason}
            order by list_position(['below', 'near', 'no_data', 'met_by_waiver', 'met', 'not_applicable'], j.status),
                j.stage) filter (
                    j.status is not null
                    and (c.stage is null or c.stage in (j.stage, 'compulsory') or j.stage = 'compulsory')
                ) as judged
    from core.claim c
    semi join run_evaluation e on e.district_code = c.district_code and e.phase_id = c.phase_id
    left join judgement j
        on j.district_code = c.district_code and j.phase_id = c.phase_id and j.school_code = c.school_code
        and j.indicator_code = c.indicator_code
    where c.level = 'school'
    group by all
), school_row as (
    select c.district_code, c.phase_id, c.level, c.source, coalesce(c.indicator_code, c.words) as indicator_code, c.stage,
        c.school_code, c.school_name, null as item, '未达标' as claimed, status_word(c.judged[1].status) as computed,
        if(c.judged is null, null, known_to_fail(c.judged[1].status)) as agrees,
        concat_ws('；',
            case c.resolution
                when 'former' then '按原校名对应“' || k.school_name || '”'
                when 'alias' then '按别名对应“' || k.school_name || '”'
                when 'normalised' then '按简写对应“' || k.school_name || '”'
                when 'code' then '按标识码对应“' || k.school_name || '”'
            end,
            case
                when c.indicator_code is null then '认不出指标“' || c.words || '”，无法核对'
                when c.resolution = 'unknown' then '名册中找不到“' || c.school_name || '”'
                    || coalesce('，最接近的有：' || c.candidates, '') || '，无法核对'
                when c.resolution = 'ambiguous' then '“' || c.school_name || '”可能指多所学校：' || c.candidates || '，无法核对'
                when c.judged is null and s.school_code is null then '本阶段名册中已没有这所学校，无法核对'
                when c.judged is null and not s.in_scope then '学校未纳入评估（' || s.out_of_scope_reason || '），无法核对'
                when c.judged is null then '学校没有这个学段的这项指标，无法核对'
                when agrees then '通报与计算一致：' || c.judged[1].reason
                when agrees is null then '缺数据，无法核对：' || c.judged[1].reason
                when z.phase_name is not null then '“' || z.phase_name || '”阶段算出，本阶段已达标：' || c.judged[1].reason
                else '通报未达标，计算没有算出：' || c.judged[1].reason
            end) as note
    from school_claim c
    left join core.known_school k
        on k.district_code = c.district_code and k.phase_id = c.phase_id and k.school_code = c.school_code
    left join core.school s
        on s.district_code = c.district_code and s.phase_id = c.phase_id and s.school_code = c.school_code
    left join closed z
        on z.district_code = c.district_code and z.phase_id = c.phase_id and z.level = 'school'
        and z.school_code = c.school_code and z.indicator_code = c.indicator_code and z.stage = c.judged[1].stage
), stage_row as (
    select c.district_code, c.phase_id, c.level, c.source, c.indicator_code, c.stage, null, null, null, '差异系数未达标',
        string_agg(if(c.stage is null, t.name, '') || status_word(b.status), '、' order by t.split_weight)
            filter (b.status is not null) as computed,
        -- a failing indicator confirms the claim; otherwise one without data leaves it open
        case when bool_or(b.status = 'below') then true when not bool_or(b.status = 'no_data') then false end as agrees,
        case
            when computed is null then '没有这个学段的差异系数，无法核对'
            when agrees then '通报与计算一致：' || string_agg(b.reason, '；' order by t.split_weight)
            when agrees is null then '缺数据，无法核对：' || string_agg(b.reason, '；' order by t.split_weight)
            when any_value(z.phase_name) is not null
                then '“' || any_value(z.phase_name) || '”阶段算出，本阶段已达标：' || string_agg(b.reason, '；' order by t.split_weight)
            else '通报未达标，计算没有算出：' || string_agg(b.reason, '；' order by t.split_weight)
        end as note
    from core.claim c
    join run_evaluation e using (district_code, phase_id)
    left join (
        select distinct * exclude (school_code) from claim_stage where level = 'stage'
    ) a
        on a.district_code = c.district_code and a.phase_id = c.phase_id and a.indicator_code = c.indicator_code
        and a.claimed_stage is not distinct from c.stage
    left join mart.stage_balance b
        on b.district_code = a.district_code and b.phase_id = a.phase_id and b.indicator_code = a.indicator_code
        and b.stage = a.stage
    left join standard.stage t on t.standard_id = e.standard_id and t.stage = b.stage
    left join closed z
        on z.district_code = c.district_code and z.phase_id = c.phase_id and z.level = 'stage'
        and z.indicator_code = c.indicator_code and z.stage = b.stage
    where c.level = 'stage'
    group by c.district_code, c.phase_id, c.level, c.source, c.indicator_code, c.stage
), district_row as (
    select c.district_code, c.phase_id, c.level, c.source, coalesce(c.indicator_code, c.words), c.stage, null, null,
        c.subject.grade || '年级' || c.subject.subject as item, '未达标',
        status_word(if(c.subject is null, d.status, m.status)) as computed,
        known_to_fail(if(c.subject is null, d.status, m.status)) as agrees,
        case
            when c.indicator_code is null then '认不出指标“' || c.words || '”，无法核对'
            when c.subject is not null and m.status is null then '质量监测中没有这个年级的这个学科，无法核对'
            when agrees then '通报与计算一致' || if(c.subject is null, '：' || d.summary, '')
            when agrees is null then '缺数据，无法核对' || if(c.subject is null, '：' || d.summary, '')
            when c.is_follow_up then '通报之后已达标' || if(c.subject is null, '：' || d.summary, '')
            else '通报未达标，计算没有算出' || if(c.subject is null, '：' || d.summary, '')
        end as note
    from core.claim c
    semi join run_evaluation e on e.district_code = c.district_code and e.phase_id = c.phase_id
    left join mart.district_indicator d
        on d.district_code = c.district_code and d.phase_id = c.phase_id and d.indicator_code = c.indicator_code
    left join subject m
        on m.district_code = c.district_code and m.phase_id = c.phase_id and m.grade = c.subject.grade
        and m.subject = c.subject.subject
    where c.level = 'district'
), countable as (
    -- What fails, and what may fail: a school without data is in no count, but a letter may know that it fails. A school that is
    -- judged as a whole counts for the stage under which it is named; if it is named under no stage, it counts for none.
    select j.*, coalesce(c.stage, j.stage) as counted_stage, c.stages is not null as is_named
    from judgement j
    left join (
        select district_code, phase_id, indicator_code, school_code, min(stage) as stage, list(stage) as stages
        from core.claim
        where level = 'school' and school_code is not null
        group by all
    ) c using (district_code, phase_id, indicator_code, school_code)
    where is_failing(j.status) or j.status = 'no_data'
), failing as (
    from countable where is_failing(status)
), tally as (
    select c.district_code, c.phase_id, c.level, c.source, coalesce(c.indicator_code, c.words) as indicator_code, c.stage,
        c.claimed_count, c.is_of_indicators, c.is_follow_up,
        case
            when c.level = 'total' and c.is_of_indicators then (
                select {'fail': count(*) filter (is_failing(d.status)),
                    'may_fail': count(*) filter (is_failing(d.status) or d.status = 'no_data')}
                from mart.district_indicator d
                where d.district_code = c.district_code and d.phase_id = c.phase_id
            )
            when c.indicator_code = 'Q9' then (
                select {'fail': count(*) filter (s.status = 'below'),
                    'may_fail': count(*) filter (s.status in ('below', 'no_data'))}
                from subject s
                where s.district_code = c.district_code and s.phase_id = c.phase_id
            )
            when c.level = 'total' or c.indicator_level in ('section', 'school') then (
                select {'fail': count(distinct f.school_code) filter (is_failing(f.status)),
                    'may_fail': count(distinct f.school_code)}
                from countable f
                where f.district_code = c.district_code and f.phase_id = c.phase_id
                    and (c.level = 'total' or f.indicator_code = c.indicator_code)
                    and (c.stage is null or c.stage = if(f.stage = 'compulsory', f.counted_stage, f.stage))
            )
        end as found,
        case when c.level = 'total' and c.is_of_indicators then (
            select count(distinct n.indicator_code) from core.claim n
            where n.district_code = c.district_code and n.phase_id = c.phase_id and n.indicator_code is not null
        ) else (
            select nullif(count(distinct coalesce(n.school_code, n.school_name)), 0) from core.claim n
            where n.district_code = c.district_code and n.phase_id = c.phase_id and n.level = 'school'
                and (c.level = 'total' or n.indicator_code = c.indicator_code)
                and (c.stage is null or n.stage = c.stage)
        ) end as named_count
    from core.claim c
    semi join run_evaluation e on e.district_code = c.district_code and e.phase_id = c.phase_id
    where c.level in ('count', 'total')
), count_row as (
    select district_code, phase_id, level, source, indicator_code, stage, null, null, null, claimed_count::varchar,
        computed_count::varchar,
        if(claimed_count > computed_count and claimed_count <= count_at_most, null, claimed_count = computed_count) as agrees,
        case
            when computed_count is null then '这一项不按数量计算，无法核对'
            else '通报 ' || claimed_count || ' ' || unit || coalesce('，' || named_word || ' ' || named_count || ' ' || unit, '')
                || '，计算 ' || computed_count || ' ' || unit || case
                    when claimed_count = computed_count then '：一致'
                    when agrees is null then '，另有 ' || (count_at_most - computed_count) || ' ' || unit || '缺数据，无法核对'
                    when is_follow_up then '：通报之后有变化'
                    when claimed_count > computed_count
                        then '：通报多 ' || (claimed_count - computed_count) || ' ' || unit || '，宜与来文单位核实'
                    else '：通报少 ' || (computed_count - claimed_count) || ' ' || unit || '，宜与来文单位核实'
                end
        end as note
    from (
        select *, found.fail as computed_count, found.may_fail as count_at_most,
            if(level = 'total' and is_of_indicators, '项', if(indicator_code = 'Q9', '个学科', '所')) as unit,
            if(level = 'total', if(is_of_indicators, '通报列出的指标', '点名的不同学校'), '点名') as named_word
        from tally
    )
), letter as (
    select district_code, phase_id, indicator_code, level, count(*) as claims
    from core.claim
    semi join run_evaluation using (district_code, phase_id)
    group by all
), own as (
    select f.district_code, f.phase_id, 'school' as level, f.indicator_code, f.stage, f.school_code, f.school_name,
        null as item, f.status, f.reason
    from failing f
    where not exists (
        from claim_stage c
        where c.level = 'school' and c.district_code = f.district_code and c.phase_id = f.phase_id
            and c.school_code = f.school_code and c.indicator_code = f.indicator_code and c.stage = f.stage
    )
    union all
    select b.district_code, b.phase_id, 'stage', b.indicator_code, b.stage, null, null, null, b.status, b.reason
    from mart.stage_balance b
    semi join run_evaluation e on e.district_code = b.district_code and e.phase_id = b.phase_id
    where b.status = 'below' and not exists (
        from claim_stage c
        where c.level = 'stage' and c.district_code = b.district_code and c.phase_id = b.phase_id
            and c.indicator_code = b.indicator_code and c.stage = b.stage
    )
    union all
    select d.district_code, d.phase_id, 'district', d.indicator_code, null, null, null, s.item, coalesce(s.status, d.status),
        if(s.item is null, d.summary, s.item || '未达标')
    from mart.district_indicator d
    join run_evaluation e using (district_code, phase_id)
    join standard.indicator i
        on i.standard_id = e.standard_id and i.indicator_code = d.indicator_code and i.level = 'district'
    left join subject s
        on s.district_code = d.district_code and s.phase_id = d.phase_id and s.indicator_code = d.indicator_code
        and s.status = 'below'
    where is_failing(d.status) and not exists (
        from core.claim c
        where c.level = 'district' and c.district_code = d.district_code and c.phase_id = d.phase_id
            and c.indicator_code = d.indicator_code
            and (c.subject is null or (c.subject.grade = s.grade and c.subject.subject = s.subject))
    )
), own_row as (
    select o.district_code, o.phase_id, o.level, null, o.indicator_code, o.stage, o.school_code, o.school_name, o.item, null,
        status_word(o.status),
        if(a.district_code is null or (n.claims is null and q.claims is not null), null, false) as agrees,
        case
            when a.district_code is null then '没有收到上级通报，无法核对'
            when n.claims is null and q.claims is not null then '通报只给出数量，没有点名，无法核对'
            else '计算未达标，通报没有提到'
        end || '：' || o.reason
    from own o
    left join (select distinct district_code, phase_id from letter) a using (district_code, phase_id)
    left join letter n
        on n.district_code = o.district_code and n.phase_id = o.phase_id and n.indicator_code = o.indicator_code
        and n.level = o.level
    left join letter q
        on q.district_code = o.district_code and q.phase_id = o.phase_id and q.indicator_code = o.indicator_code
        and q.level = 'count'
), line as (
    from school_row
    union all
    from stage_row
    union all
    from district_row
    union all
    from count_row
    union all
    from own_row
)
-- a letter may make the same claim twice, with other words for the indicator
from line
qualify row_number() over (
    partition by district_code, phase_id, level, source, indicator_code, stage, school_code, school_name, item, claimed
    order by note
) = 1
