-- A fall counts only between two consecutive years; otherwise nobody can say when it happened.
with figure as (
    select e.district_code, e.phase_id, w.watched, f.year,
        if(w.per is null, f.value::double, f.value::double / nullif(p.value, 0)::double) as value
    from run_evaluation e
    join standard.watched w using (standard_id)
    join core.figure f
        on f.district_code = e.district_code and f.phase_id = e.phase_id and f.input = 'district_figures.' || w.figure
    left join core.figure p
        on p.district_code = e.district_code and p.phase_id = e.phase_id and p.input = 'district_figures.' || w.per
        and p.year = f.year
), paired as (
    select *, lag(value) over history as before, lag(year) over history = year - 1 as follows
    from figure
    where value is not null
    window history as (partition by district_code, phase_id, watched order by year)
), told as (
    select district_code, phase_id, watched,
        max(year) as year,
        arg_max(value, year) as value,
        arg_max(if(follows, before, null), year) as value_before,
        count(*) filter (follows) as pairs,
        coalesce(list(year order by year) filter (follows and moved_by(before, value) < 0), []) as fell_in
    from paired
    group by all
)
select e.district_code, e.phase_id, w.watched, w.sort_order, w.name, w.unit, w.rule, t.year, t.value, t.value_before,
    t.value - t.value_before as change, t.fell_in,
    case when w.rule = 'shown' or coalesce(t.pairs, 0) = 0 then null else len(t.fell_in) = 0 end as holds,
    case
        when t.year is null then '没有报送'
        when w.rule = 'shown' then t.year || ' 年 ' || shown2(t.value) || ' ' || w.unit
        when t.pairs = 0 then t.year || ' 年 ' || shown2(t.value) || ' ' || w.unit || '，没有相邻年度可比'
        when len(t.fell_in) > 0 then array_to_string(t.fell_in, '、') || ' 年比上一年减少'
        else '逐年没有减少，' || t.year || ' 年 ' || shown2(t.value) || ' ' || w.unit
    end as summary,
    w.source
from run_evaluation e
join standard.watched w using (standard_id)
left join told t on t.district_code = e.district_code and t.phase_id = e.phase_id and t.watched = w.watched
