"""What comes in: one declared contract per dataset of the interface.

Belongs here: the declarations (`datasets/`), their model and their loader. Keep out: everything that touches a delivered
file or a table; this package imports nothing else of the project.
"""

from youjun_pipeline.contracts.loader import DeclarationError, find_dataset, load_datasets
from youjun_pipeline.contracts.model import DUCKDB_TYPES, Column, Dataset, Failure, Rule, fold_word

__all__ = [
    "DUCKDB_TYPES",
    "Column",
    "Dataset",
    "DeclarationError",
    "Failure",
    "Rule",
    "find_dataset",
    "fold_word",
    "load_datasets",
]
