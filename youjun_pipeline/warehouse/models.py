"""Models: the SQL files that fill core, rule, mart and quality tables, and how one is built.

A model is one SELECT in `models/<schema>/<table>.sql`, for every evaluation of the run at once. What it depends on is
read from the SQL. Keep out: what the SQL says (it is in the files) and who calls it (`orchestration`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import duckdb

from youjun_pipeline.sql import transaction
from youjun_pipeline.warehouse.tables import EVALUATION_KEY, declared_tables, describe

MODELS = Path(__file__).parents[1] / "models"
MODEL_SCHEMAS = ("core", "rule", "mart", "quality", "ops")


class ModelError(RuntimeError):
    """A model's SELECT and its declared table disagree; the message lists both sides."""


@dataclass(frozen=True)
class Model:
    """One SQL file: the table it fills, its SELECT, and the tables it reads (full names)."""

    schema: str
    name: str
    sql: str
    reads: frozenset[str]

    @property
    def full_name(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def description(self) -> str:
        """The comment at the head of the file."""
        lines = []
        for line in self.sql.splitlines():
            if not line.startswith("--"):
                break
            lines.append(line.removeprefix("--").strip())
        return " ".join(lines)


@cache
def load_models() -> dict[str, Model]:
    """Every model by full name, each after those it reads."""
    models = {}
    for schema in MODEL_SCHEMAS:
        for path in sorted((MODELS / schema).glob("*.sql")):
            sql = path.read_text(encoding="utf-8")
            model = Model(schema, path.stem, sql, tables_read(sql))
            models[model.full_name] = model
    order = TopologicalSorter({m.full_name: m.reads & models.keys() - {m.full_name} for m in models.values()})
    return {name: models[name] for name in order.static_order()}


def tables_read(sql: str) -> frozenset[str]:
    """Full names of the tables a SELECT reads, without its own CTEs and the run's `run_evaluation`."""
    import sqlglot
    from sqlglot import exp

    tree = sqlglot.parse_one(sql, dialect="duckdb")
    return frozenset(f"{t.db}.{t.name}" for t in tree.find_all(exp.Table) if t.db)


@dataclass(frozen=True)
class Built:
    """What a model made: the rows its table now has for the run's evaluations, and its columns with their types."""

    rows: int
    columns: dict[str, str]


def build(con: duckdb.DuckDBPyConnection, model: Model) -> Built:
    """Replace the model's rows of the run's evaluations in one transaction.

    The rows are restricted to `run_evaluation`, and a declared table gets its `run_id` from there: no model can write
    outside its run. A table per district is replaced for the districts of the run, any other (a dimension) whole.
    Raises ModelError that names the file, whether DuckDB refuses the SELECT or it and the declaration disagree.
    """
    try:
        return _build(con, model)
    except duckdb.Error as error:
        raise ModelError(f"models/{model.schema}/{model.name}.sql: {error}") from error


def _build(con: duckdb.DuckDBPyConnection, model: Model) -> Built:
    declared = declared_tables().get(model.full_name)
    # SQL of a model may end in a comment or a semicolon-less line, so it stands on lines of its own
    select = f"(\n{model.sql}\n)"
    columns = {name: type_ for name, type_, *_ in con.execute(f"describe {select}").fetchall()}
    per_evaluation = set(EVALUATION_KEY) <= columns.keys()
    with transaction(con):
        target = list(declared.columns) if declared else list(columns)
        if declared:
            _agree(model, set(columns) | {"run_id"}, set(target) | {"run_id"})
        else:
            _ensure_shape(con, model, columns)
        names = ", ".join(f'"{c}"' for c in target)
        if per_evaluation:
            con.execute(f"delete from {model.full_name} t using run_evaluation e {_SAME_EVALUATION}")
            picked = ", ".join('e."run_id"' if c == "run_id" else f't."{c}"' for c in target)
            source = f"select {picked} from {select} t join run_evaluation e using (district_code, phase_id)"
        else:
            of_run = "semi join run_district using (district_code)" if "district_code" in columns else ""
            condition = "where district_code in (from run_district)" if of_run else ""
            con.execute(f"delete from {model.full_name} {condition}")
            picked = ", ".join(
                f"{_RUN_ID} as run_id" if c == "run_id" and c not in columns else f'"{c}"' for c in target
            )
            source = f"select {picked} from {select} {of_run}"
        inserted = con.execute(f"insert into {model.full_name} ({names}) {source}").fetchall()[0][0]
        return Built(inserted, columns)


_SAME_EVALUATION = "where t.district_code = e.district_code and t.phase_id = e.phase_id"
_RUN_ID = "getvariable('run_id')"


def _agree(model: Model, selected: set[str], declared: set[str]) -> None:
    if selected != declared:
        raise ModelError(
            f"{model.full_name}: the SQL gives columns that are not declared {sorted(selected - declared)}, "
            f"the declaration names columns the SQL does not give {sorted(declared - selected)}"
        )


def _ensure_shape(con: duckdb.DuckDBPyConnection, model: Model, columns: dict[str, str]) -> None:
    """An undeclared (core, rule) table takes the shape of its SELECT; when that changed it starts empty."""
    existing = describe(con, model.full_name)
    if existing != columns:
        body = ", ".join(f'"{name}" {type_}' for name, type_ in columns.items())
        con.execute(f"create or replace table {model.full_name} ({body})")
