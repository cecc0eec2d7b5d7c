-- Budget lines of the plan.
select f.district_code, f.phase_id, b.budget_no, i.indicator_code, b.indicator, b.stage, b.measure_nos, b.amount_wan,
    b.source, f.delivery, f.file, b.content_sha256, b.sheet, b.row_number
from core.chosen_file f
join run_evaluation e using (district_code, phase_id)
join accepted.budgets b using (content_sha256)
left join core.indicator_name i on i.standard_id = e.standard_id and i.form = indicator_form(b.indicator)
where f.dataset = 'budgets'
