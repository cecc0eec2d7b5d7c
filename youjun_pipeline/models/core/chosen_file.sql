-- The delivered file behind each dataset of an evaluation.
select c.*
from run_chosen_file c
semi join run_evaluation e using (district_code, phase_id)
