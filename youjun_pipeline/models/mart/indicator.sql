select standard_id, indicator_code, name, short_name, category, level, unit, gap_unit, direction, display_decimals,
    per, is_split, evidence_based, numerator_text, denominator_text, formula_text, clause, sort_order
from standard.indicator
