"""Judges districts by China's standard of high-quality, balanced compulsory education (义务教育优质均衡).

Files that a district delivers go in, a published DuckDB database comes out; `docs/guide.md` tells the way.

Belongs here: the version. Keep out: imports. Every part is imported from its own module, so that loading the
Dagster definitions loads no more than it needs.
"""

__version__ = "0.2.0"
