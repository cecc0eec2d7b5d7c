-- Options set by the districts of the requested evaluations, as text. A scenario replaces them with its own.
select r.district_code, r.phase_id, o.option, o.value
from run_request r
join raw.district_option o using (district_code)
