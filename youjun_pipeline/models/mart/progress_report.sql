-- Every report on a measure or milestone up to the effective day; rule.progress_state derives the measure's state from them.
select district_code, phase_id, reported_on, of_measure_no as measure_no, milestone_no, state, percent, expected_on, spent_wan,
    evidence, reporter, note,
    refused_because is null and reported_on = max(reported_on) filter (refused_because is null) over (
        partition by district_code, phase_id, coalesce(milestone_no, measure_no), milestone_no is null
    ) as is_newest,
    refused_because, delivery, file, sheet, row_number as "row"
from core.progress
semi join run_evaluation using (district_code, phase_id)
