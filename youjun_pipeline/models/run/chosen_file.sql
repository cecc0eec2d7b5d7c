-- The files each requested evaluation rests on: per dataset the newest delivery up to its effective day;
-- of event datasets every delivery, since they accumulate.
select r.district_code, r.phase_id, f.dataset, d.kind, f.delivery, f.file, f.content_sha256
from run_request r
join raw.delivered_file f on f.district_code = r.district_code and f.delivery <= r.effective_on
join raw.dataset d using (dataset)
qualify d.kind = 'events'
    or f.delivery = max(f.delivery) over (partition by r.district_code, r.phase_id, f.dataset)
