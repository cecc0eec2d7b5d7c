"""From bytes to cells as they are shown: workbooks, text tables, Parquet files, archives, and all limits on the cost of reading.

Belongs here: everything about a file that does not depend on its subject. Keep out: datasets, forms, headers and the meaning of
cells; nothing here knows a contract.
"""
