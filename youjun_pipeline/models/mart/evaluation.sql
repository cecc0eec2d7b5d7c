select
    district_code, phase_id, district_name, phase_name, phase_order, starts, ends, as_of, effective_on, standard_id,
    data_origin, plan_title, document_number, issued_on as plan_issued_on, include_private, music_art_rule, close_after_days,
    list_sort([w.waiver for w in active]) as active_waivers,
    list_sort([w.waiver for w in active if w.granted_by = 'district']) as district_waivers,
    is_closed, is_stale,
    getvariable('started_at') as evaluated_at
from (
    select e.*, false as is_closed, false as is_stale,
        coalesce((
            select list({'waiver': w.waiver, 'granted_by': w.granted_by})
            from core.active_waiver w
            where w.district_code = e.district_code and w.phase_id = e.phase_id
        ), []) as active
    from run_evaluation e
)
