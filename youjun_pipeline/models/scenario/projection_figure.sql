-- What measures add to reported figures: the indicator's first figure that counts in full takes it, in its own unit.
-- Text and annex may both name the same work: of the sources the one that promises most counts.
with told as (
    select district_code, phase_id, variant, school_code, stage, indicator_code, sum(quantity) as quantity
    from projection_effect
    where effect = 'amount'
    group by district_code, phase_id, variant, school_code, stage, indicator_code, source
), added as (
    select t.district_code, t.phase_id, t.variant, t.school_code, if(i.is_split, null, t.stage) as stage, e.standard_id,
        t.indicator_code, max(t.quantity) as quantity
    from told t
    join run_evaluation e using (district_code, phase_id)
    join standard.indicator i on i.standard_id = e.standard_id and i.indicator_code = t.indicator_code
    group by all
), input as (
    select standard_id, indicator_code, arg_min(input, input) as input, arg_min(factor, input) as factor
    from standard.numerator
    where factor > 0 and waiver is null
    group by all
)
select a.district_code, a.phase_id, a.variant, a.school_code, a.stage,
    string_split(n.input, '.')[1] as dataset, string_split(n.input, '.')[2] as column_name,
    sum(a.quantity / n.factor) as added
from added a
join input n using (standard_id, indicator_code)
group by all
