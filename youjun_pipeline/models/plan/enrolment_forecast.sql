select s.district_code, s.phase_id, s.school_code, k.school_name, s.stage, s.grade::integer as grade, s.year::integer as year,
    s.horizon::integer as horizon, s.students, s.low, s.high, s.misses::integer as misses
from planning_pupils s
left join mart.school k
    on k.district_code = s.district_code and k.phase_id = s.phase_id and k.school_code = s.school_code
