-- Births and leavers of kindergartens by district and year, from the newest delivery that has the year; leavers of coming years
-- are expected from the present classes.
select o.district_code, o.phase_id, a.item, a.year, arg_max(a.value, f.delivery)::double as heads
from planning_outlook o
join temp.run_evaluation e using (district_code, phase_id)
join raw.delivered_file f
    on f.district_code = o.district_code and f.delivery <= e.effective_on and f.dataset = 'district_figures'
join accepted.district_figures a using (content_sha256)
where a.item in ('births', 'kindergarten_leavers') and a.value is not null
group by all
