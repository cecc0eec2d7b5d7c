-- Births by district and year, of the newest delivery that has the year.
select o.district_code, a.year, arg_max(a.value, f.delivery)::double as births
from planning_outlook o
join temp.run_evaluation e using (district_code, phase_id)
join raw.delivered_file f
    on f.district_code = o.district_code and f.delivery <= e.effective_on and f.dataset = 'district_figures'
join accepted.district_figures a using (content_sha256)
where a.item in ('births', '出生人口数', '出生人口', '出生人数') and a.value is not null
group by all
