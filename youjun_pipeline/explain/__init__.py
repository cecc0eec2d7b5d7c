"""One number's whole way, from the clause to the cell it stands in, as text.

Keep out: judging; values and statuses are those of the published tables.
"""
