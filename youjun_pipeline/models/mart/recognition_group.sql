select district_code, phase_id, year, respondent_group, method, issued, valid, satisfied,
    case when valid > 0 and not is_contradiction then satisfied / valid end as rate
from core.survey_answer
semi join run_evaluation using (district_code, phase_id)
