-- Mergers that happen before the school year of a forecast: the forecast has the pupils at the receiving school.
select v.district_code, v.phase_id, v.variant, c.from_code as school_code, c.to_code as to_school_code
from (select distinct district_code, phase_id, variant, year from projection_case where year is not null) v
join rule.coming_merger c using (district_code, phase_id)
where c.since <= v.year
