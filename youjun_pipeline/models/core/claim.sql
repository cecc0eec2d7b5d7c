-- The claims of the superior's letters in use, one row per claim: the indicator by code, the school by code, and the claim's
-- level. Words that match no indicator stay as written.
-- level: school (named), count, total (of schools or indicators), stage (its CV), district (or one subject of Q9).
with finding as (
    select e.district_code, e.phase_id, e.standard_id, e.phase_order, f.delivery, a.content_sha256, a.sheet, a.row_number,
        a.source, trim(a.indicator) as words, a.stage, nullif(trim(a.school_name), '') as school_name, a.claimed_count
    from core.chosen_file f
    join run_evaluation e using (district_code, phase_id)
    join accepted.superior_findings a using (content_sha256)
    where f.dataset = 'superior_findings'
), meant as (
    -- words that two indicators share identify neither of them
    select standard_id, form, any_value(indicator_code) as indicator_code
    from core.indicator_name
    group by standard_id, form
    having count(*) = 1
), coded as (
    select f.*, m.indicator_code, i.category, i.level as indicator_level,
        nullif(regexp_extract(f.words, '(.)年级', 1), '') as grade_word
    from finding f
    left join meant m on m.standard_id = f.standard_id and m.form = indicator_form(f.words)
    left join standard.indicator i on i.standard_id = f.standard_id and i.indicator_code = m.indicator_code
)
select c.district_code, c.phase_id, c.delivery, c.source, c.words, c.stage, c.school_name, c.claimed_count,
    case
        when c.grade_word is not null and c.indicator_code is null then 'Q9' else c.indicator_code
    end as indicator_code,
    c.indicator_level,
    case
        when c.school_name is not null then 'school'
        when c.claimed_count is not null and c.indicator_code is null
            and regexp_matches(c.words, '合计|总计|总数|共计|未达标|total') then 'total'
        when c.claimed_count is not null then 'count'
        when c.category = 'resource' then 'stage'
        else 'district'
    end as level,
    contains(c.words, '指标') as is_of_indicators,
    -- 四年级语文, 4年级语文 and Q9 四年级语文 are one subject of the monitoring
    if(c.school_name is null and c.claimed_count is null and c.grade_word is not null,
        {
            'grade': coalesce(try_cast(c.grade_word as integer), instr('一二三四五六七八九', c.grade_word)),
            'subject': regexp_extract(c.words, '年级(.+)$', 1)
        }, null) as subject,
    n.school_code, n.resolution, n.candidates,
    -- a letter belongs to the phase in which it came; later phases show what became of its claims
    c.phase_order > (
        select min(p.phase_order) from raw.phase p where p.district_code = c.district_code and p.ends >= c.delivery
    ) as is_follow_up
from coded c
left join core.named_school n
    on n.district_code = c.district_code and n.phase_id = c.phase_id and n.dataset = 'superior_findings'
    and n.content_sha256 = c.content_sha256 and n.sheet = c.sheet and n.row_number = c.row_number
left join core.school s
    on s.district_code = c.district_code and s.phase_id = c.phase_id and s.school_code = n.school_code
-- a claim about one stage of a whole school is a claim about its campuses with that stage
where n.resolution is distinct from 'campuses' or c.stage is null
    or (c.stage <> 'junior' and s.has_primary) or (c.stage <> 'primary' and s.has_junior)
