-- Options that the districts of the requested evaluations have set, as text. A scenario puts its own in their place.
select r.district_code, r.phase_id, o.option, o.value
from run_request r
join raw.district_option o using (district_code)
