-- The ways a plan may write an indicator: its code, its name, its short name (blanks aside, letters in capitals).
with written as (
    select standard_id, indicator_code, unnest([indicator_code, name, short_name] || other_names) as name
    from standard.indicator
)
select distinct standard_id, indicator_form(name) as form, indicator_code
from written
