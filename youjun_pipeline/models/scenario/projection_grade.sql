-- Forecast pupils by grade, for each set; a grade's classes share them evenly.
select v.district_code, v.phase_id, v.variant, f.school_code, f.stage, f.grade, round(f.students)::bigint as students
from (select distinct district_code, phase_id, variant, year from projection_case where year is not null) v
join plan.enrolment_forecast f using (district_code, phase_id, year)
where f.school_code is not null and f.grade is not null
