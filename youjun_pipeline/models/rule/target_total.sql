-- Targets of kind 当期 with a total: whether the planned values of their periods add up to it, and the sum in figures. Only the
-- newest delivery counts, and only targets with readable values for all periods.
select district_code, phase_id, target_no,
    any_value(programme) as programme,
    any_value(metric) as metric,
    any_value(unit) as unit,
    sum(planned) as planned,
    max(total) as total,
    min(total) = max(total) and sum(planned) = max(total) as adds_up,
    string_agg(exact(planned), '+' order by due, period) || '=' || exact(sum(planned)) || '，总目标 '
        || string_agg(distinct exact(total), '、' order by exact(total)) as figures
from core.target
semi join run_evaluation using (district_code, phase_id)
where kind = 'period' and not is_missing_now
group by district_code, phase_id, target_no
having count(total) > 0 and count(planned) = count(*)
