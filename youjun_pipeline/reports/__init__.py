"""What people print, sign and hand in, made from the publication: official tables and school self-assessments.

Belongs here: the look and the words of a report. Keep out: judging, and sums other than those of a form's total row (the models),
opening DuckDB (`warehouse`), numbers of the standard (they come from the catalogue and the marts).
"""
