-- Every school that the district has named in a roster so far, with its newest name: plans mention schools that have since been
-- merged, and their names must still be found.
select e.district_code, e.phase_id, s.school_code,
    arg_max(s.school_name, f.delivery) as school_name,
    any_value(if(s.campus is null, s.school_code, left(s.school_code, -len(s.campus) - 1))) as campus_of,
    arg_max(if(s.campus is null, s.school_name, replace(s.school_name, '（' || s.campus || '）', '')), f.delivery) as whole_name,
    arg_max(s.township, f.delivery) as township,
    max(f.delivery) as newest_delivery
from run_evaluation e
join raw.delivered_file f
    on f.district_code = e.district_code and f.delivery <= e.effective_on and f.dataset = 'schools'
join accepted.schools s using (content_sha256)
where s.school_name is not null
group by e.district_code, e.phase_id, s.school_code
