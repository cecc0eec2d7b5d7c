"""Bytes to cells as they are shown: workbooks, text tables, Parquet files, archives, and all guards against what costs too much.

Belongs here: everything about a file that is the same whatever it is about. Keep out: datasets, forms, headers and what a
cell means; nothing here knows a contract.
"""
