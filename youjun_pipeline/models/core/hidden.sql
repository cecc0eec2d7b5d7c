-- What rows that do not count may hide: rejected rows of the chosen files, rows of a school that no roster of the district has
-- ever had, rows of a future year, conclusions of 未达标 on an unknown item. If private schools are left out, a school that may
-- be private is treated like an unreadable row of the roster. Contracts (`hides`) say which part of a key identifies what the row
-- belongs to; null means that it may be anything. Models that read this table leave open every verdict that the row could have
-- changed, for better or worse.
with told as (
    select f.district_code, f.phase_id, f.dataset, h.school_code, h.stage, h.item, h.year, true as in_quarantine
    from core.chosen_file f
    semi join run_evaluation using (district_code, phase_id)
    join raw.hidden_row h using (content_sha256, dataset)
    union all
    select district_code, phase_id, dataset, school_code, stage, item, year, true
    from core.unknown_school
    union all
    select district_code, phase_id, dataset, school_code, null, item, null, true
    from core.future_row
    semi join run_evaluation using (district_code, phase_id)
    anti join core.unknown_school using (district_code, phase_id, dataset, content_sha256, sheet, row_number)
    union all
    select a.district_code, a.phase_id, 'assurance', null, null, null, null, false
    from core.assurance a
    join run_evaluation e using (district_code, phase_id)
    anti join standard.indicator i
        on i.standard_id = e.standard_id and i.indicator_code = split_part(a.item, '.', 1)
    where a.conclusion = 'not_met'
    union all
    select district_code, phase_id, 'schools', null, null, null, null, false
    from core.school
    semi join run_evaluation using (district_code, phase_id)
    where may_be_left_out
), placed as (
    -- a code that is not in the roster is mistyped, or the school's own row is missing: the row may belong to any school. A
    -- school with campuses may mean each of them.
    select t.* replace (s.school_code as school_code), t.school_code as written_code
    from told t
    left join core.school s
        on s.district_code = t.district_code and s.phase_id = t.phase_id and t.school_code in (s.school_code, s.campus_of)
)
select p.district_code, p.phase_id, p.dataset, p.school_code, p.stage, p.item, p.year, p.in_quarantine, count(*) as rows
from placed p
-- a school that has left the roster belongs to the past: its rows are unused, and they hide nothing
anti join core.known_school k
    on p.school_code is null and k.district_code = p.district_code and k.phase_id = p.phase_id
    and k.school_code = p.written_code
group by all
