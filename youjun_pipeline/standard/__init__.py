"""What is judged: the standard as versioned catalogue files (TOML), their model, and their rows for DuckDB.

Belongs here: every number, date and text of the standard, and the checks that a catalogue is whole.
Keep out: how a value is computed (`models/`) and the rest of the package, which this part does not import.
"""

from youjun_pipeline.standard.catalogue import (
    DEFAULT_STANDARD,
    Catalogue,
    CatalogueError,
    available_catalogues,
    catalogue_of,
    load_catalogue,
    load_catalogue_file,
    usable_catalogues,
)
from youjun_pipeline.standard.comparison import Comparison, load_comparisons, usable_comparisons
from youjun_pipeline.standard.entries import Problem
from youjun_pipeline.standard.tables import CATALOGUE_TABLES, catalogue_tables

__all__ = [
    "CATALOGUE_TABLES",
    "DEFAULT_STANDARD",
    "Catalogue",
    "CatalogueError",
    "Comparison",
    "Problem",
    "available_catalogues",
    "catalogue_of",
    "catalogue_tables",
    "load_catalogue",
    "load_catalogue_file",
    "load_comparisons",
    "usable_catalogues",
    "usable_comparisons",
]
