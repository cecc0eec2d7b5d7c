"""The complete origin of one number, from the clause to the cell, as text.

Keep out: judging. Values and statuses are those of the published tables.
"""
