-- Every limit with the days on which it holds; an unverified limit decides nothing unless a district says so.
select i.standard_id || '/' || i.indicator_code as indicator_id, i.standard_id, i.indicator_code, i.name, i.short_name, i.category, i.level, i.unit, i.gap_unit, i.direction,
    i.display_decimals, i.per, i.is_split, i.evidence_based, i.numerator_text, i.denominator_text, i.formula_text, i.clause,
    (
        select string_agg(
            concat_ws(' ', if(l.variant = 'district', null, coalesce(t.name, l.variant)), exact(l.value))
                || coalesce('（' || nullif(concat_ws('，', l.starts || ' 起', '至 ' || l.ends, if(l.unverified, '尚未核实', null)), '') || '）', ''),
            '；' order by l.variant, l.starts nulls first)
        from standard.limit l
        left join standard.stage t on t.standard_id = l.standard_id and t.stage = l.variant
        where l.standard_id = i.standard_id and l.indicator_code = i.indicator_code
    ) as limits,
    i.sort_order
from standard.indicator i
