-- The successor of a school that ended by a merger, a split or a rename, step by step (hops), from the day since on. If the old
-- code of a rename is still in the roster, the rename has not happened: then there are two schools. passed: the schools on the
-- way, all of which have ended.
with recursive step as (
    select c.district_code, c.phase_id, c.from_code, c.to_code, c.kind = 'rename' as is_rename, c.effective_on
    from core.school_change c
    semi join run_evaluation using (district_code, phase_id)
    left join core.school s
        on s.district_code = c.district_code and s.phase_id = c.phase_id and s.school_code = c.from_code
    where c.is_in_force and c.kind in ('merge', 'split', 'rename') and c.from_code <> c.to_code
        and (c.kind <> 'rename' or s.school_code is null)
), walk as (
    select district_code, phase_id, from_code as school_code, to_code as successor_code, 1 as hops,
        is_rename, [from_code] as passed, effective_on as since
    from step
    union
    select w.district_code, w.phase_id, w.school_code, s.to_code, w.hops + 1,
        w.is_rename and s.is_rename, list_append(w.passed, s.from_code), greatest(w.since, s.effective_on)
    from walk w
    join step s
        on s.district_code = w.district_code and s.phase_id = w.phase_id and s.from_code = w.successor_code
    -- prevents an endless circle if a school was renamed back and forth
    where w.hops < 8
)
select district_code, phase_id, school_code, successor_code, is_rename, passed, min(hops) as hops, min(since) as since
from walk
where school_code <> successor_code
group by all
