-- The files that each requested evaluation uses: for each dataset the newest delivery up to its effective day; for event datasets
-- every delivery, because events accumulate. Classes come as a roster or as size bands: the newer delivery of the two counts, and
-- if one delivery has both, the roster, which says more.
with newest as (
    select r.district_code, r.phase_id, f.dataset, d.kind, f.delivery, f.file, f.content_sha256
    from run_request r
    join raw.delivered_file f on f.district_code = r.district_code and f.delivery <= r.effective_on
    join raw.dataset d using (dataset)
    qualify d.kind = 'events'
        or f.delivery = max(f.delivery) over (partition by r.district_code, r.phase_id, f.dataset)
)
select n.*
from newest n
where not exists (
    from newest other
    where other.district_code = n.district_code and other.phase_id = n.phase_id
        and (n.dataset = 'classes' and other.dataset = 'class_bands' and other.delivery > n.delivery
            or n.dataset = 'class_bands' and other.dataset = 'classes' and other.delivery >= n.delivery)
)
