"""Models: the SQL files that fill core, rule, mart and quality tables, and how a model is built.

A model is one SELECT in `models/<schema>/<table>.sql`, for all evaluations of the run at once. Its dependencies are read from the
SQL. Keep out: what the SQL says (it is in the files) and who calls it (`orchestration`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from youjun_pipeline.sql import transaction
from youjun_pipeline.warehouse.tables import EVALUATION_KEY, SINGLE_KEYS, declared_tables, describe

if TYPE_CHECKING:
    from sqlglot import exp

MODELS = Path(__file__).parents[1] / "models"
MODEL_SCHEMAS = ("core", "rule", "mart", "quality", "ops")


class ModelError(RuntimeError):
    """A model's SELECT does not fit its declared table; the message lists both sides."""


@dataclass(frozen=True)
class Mentions:
    """The names in a SELECT, all in lower case.

    `tables` are full names of tables. `names` are all other names (columns, aliases, tables of the run); "*" is among them if a
    star may take every column of a table with the rules of the run.
    """

    tables: frozenset[str]
    names: frozenset[str]


@dataclass(frozen=True)
class Model:
    """One SQL file: the table that it fills, its SELECT, and the tables and names in it (`Mentions`)."""

    schema: str
    name: str
    sql: str
    mentions: Mentions

    @property
    def reads(self) -> frozenset[str]:
        """Full names of the tables it reads."""
        return self.mentions.tables

    @property
    def full_name(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def description(self) -> str:
        """The declared description of the table; for an unpublished table the comment at the head of its file."""
        if declared := declared_tables().get(self.full_name):
            return declared.comment
        lines = []
        for line in self.sql.splitlines():
            if not line.startswith("--"):
                break
            lines.append(line.removeprefix("--").strip())
        return " ".join(lines)


@cache
def load_models() -> dict[str, Model]:
    """Every model by full name, each after the models that it reads; every process gets the same order."""
    models = {}
    for schema in MODEL_SCHEMAS:
        for path in sorted((MODELS / schema).glob("*.sql")):
            sql = path.read_text(encoding="utf-8")
            model = Model(schema, path.stem, sql, mentions(sql))
            models[model.full_name] = model
    # Sorted, because the order of a set differs between processes, and `standing` hashes the program in this order.
    order = TopologicalSorter(
        {m.full_name: sorted(m.reads & models.keys() - {m.full_name}) for m in models.values()}
    )
    return {name: models[name] for name in order.static_order()}


def behind(tables: Iterable[str]) -> list[Model]:
    """The models that fill `tables`, and all models that these read; each after the models that it reads."""
    models, wanted, waiting = load_models(), set[str](), list(tables)
    while waiting:
        name = waiting.pop()
        if name in models and name not in wanted:
            wanted.add(name)
            waiting += models[name].reads
    return [model for name, model in models.items() if name in wanted]


def tables_read(sql: str) -> frozenset[str]:
    """Full names of the tables that a SELECT reads, without its own CTEs and the run's `run_evaluation`."""
    return mentions(sql).tables


def mentions(sql: str) -> Mentions:
    """The tables and the names in a SELECT, as parsed by sqlglot."""
    import sqlglot
    from sqlglot import exp

    tree = sqlglot.parse_one(sql, dialect="duckdb")
    tables = frozenset(f"{t.db}.{t.name}".lower() for t in tree.find_all(exp.Table) if t.db)
    # An option that is looked up by name is only that option; a SELECT that takes all settings may use any option.
    lookups = [
        found
        for found in tree.find_all(exp.Bracket)
        if found.this.name == "settings" and found.expressions[0].is_string
    ]
    looked_in = {id(found.this.this) for found in lookups}
    names = {i.name.lower() for i in tree.find_all(exp.Identifier) if id(i) not in looked_in}
    names |= {found.expressions[0].name for found in lookups}
    if any(_hands_on_a_run(select) for select in tree.find_all(exp.Select)):
        names.add("*")
    return Mentions(tables, frozenset(names))


# The tables of the run with the rules by which an evaluation is judged (models/run).
_RULES_OF_THE_RUN = ("run_evaluation", "run_request", "run_option")


def _hands_on_a_run(select: exp.Select) -> bool:
    """Whether a SELECT may pass on every column of a table of the run: by `*`, by `e.*`, or by the row `e` itself."""
    from sqlglot import exp

    joined = [j.this for j in select.args.get("joins") or () if j.kind not in ("SEMI", "ANTI")]
    sources = [
        source.this for source in [select.args.get("from_") or select.args.get("from")] if source
    ] + joined
    of_run = {
        s.alias_or_name
        for s in sources
        if isinstance(s, exp.Table) and not s.db and s.name in _RULES_OF_THE_RUN
    }
    stars = {
        # `x.*` is a column named "*" in table x; a bare star may take any column
        s.parent.table if isinstance(s.parent, exp.Column) and s.parent.table else "*"
        for e in select.expressions
        for s in e.find_all(exp.Star)
        if not isinstance(s.parent, exp.Count)
    }
    rows = {column.name for column in select.find_all(exp.Column)}
    return bool(of_run) and ("*" in stars or bool(of_run & (stars | rows)))


@dataclass(frozen=True)
class Built:
    """The result of a model: the rows that its table now has for the run's evaluations, and its columns with their types."""

    rows: int
    columns: dict[str, str]


def build(con: duckdb.DuckDBPyConnection, model: Model) -> Built:
    """Replace the model's rows of the run's evaluations in one transaction.

    The rows are restricted to `run_evaluation`, and a declared table gets its `run_id` from there, so no model can write outside
    its run. In a table per district the rows of the run's districts are replaced; any other table (a dimension) is replaced
    completely. Raises ModelError with the file's name, if DuckDB refuses the SELECT or the SELECT does not fit its declaration.
    """
    try:
        return _build(con, model)
    except duckdb.Error as error:
        raise ModelError(f"models/{model.schema}/{model.name}.sql: {error}") from error


def _build(con: duckdb.DuckDBPyConnection, model: Model) -> Built:
    declared = declared_tables().get(model.full_name)
    if columns := _nothing_to_make(con, model):
        return Built(0, columns)
    # a model's SQL may end with a comment, so it gets lines of its own
    select = f"(\n{model.sql}\n)"
    columns = {name: type_ for name, type_, *_ in con.execute(f"describe {select}").fetchall()}
    per_evaluation = set(EVALUATION_KEY) <= columns.keys()
    target = list(declared.columns) if declared else list(columns)
    if declared:
        made = {"run_id", *(SINGLE_KEYS.keys() & set(target))}
        _agree(model, set(columns) | made, set(target) | made)
    existing = columns if declared else describe(con, model.full_name)
    with transaction(con):
        if existing != columns:
            _reshape(con, model, columns)
        names = ", ".join(f'"{c}"' for c in target)
        if per_evaluation:
            return Built(replace_rows(con, model.full_name, select, target), columns)
        of_run = "semi join run_district using (district_code)" if "district_code" in columns else ""
        condition = "where district_code in (from run_district)" if of_run else ""
        con.execute(f"delete from {model.full_name} {condition}")
        picked = ", ".join(
            f"{_RUN_ID} as run_id" if c == "run_id" and c not in columns else f'"{c}"' for c in target
        )
        source = f"select {picked} from {select} {of_run}"
        inserted = con.execute(f"insert into {model.full_name} ({names}) {source}").fetchall()[0][0]
        return Built(inserted, columns)


_RUN_ID = "getvariable('run_id')"


def _nothing_to_make(con: duckdb.DuckDBPyConnection, model: Model) -> dict[str, str]:
    """The columns of a model's table if the run makes none of its rows; empty if there is something to do."""
    columns = describe(con, model.full_name)
    if "district_code" not in columns:
        return {}
    scope = "run_evaluation" if set(EVALUATION_KEY) <= columns.keys() else "run_district"
    return {} if con.execute(f"from temp.{scope} limit 1").fetchall() else columns


def replace_rows(con: duckdb.DuckDBPyConnection, full_name: str, select: str, columns: Iterable[str]) -> int:
    """Replace the rows of the run's evaluations in a per-evaluation table by the rows of `select`.

    `select` is in brackets or is a table's name. Its rows of other evaluations are left out, `run_id` is always the run's, and
    the single-column keys are made here. Returns the number of rows that the table now has for the run. Call it in a transaction.
    """
    columns = list(columns)
    con.execute(
        f"delete from {full_name} t using run_evaluation e "
        "where t.district_code = e.district_code and t.phase_id = e.phase_id"
    )
    names = ", ".join(f'"{c}"' for c in columns)
    made = {"run_id": "e.run_id"} | {name: sql for name, (_, _, sql) in SINGLE_KEYS.items()}
    picked = ", ".join(made.get(c, f't."{c}"') for c in columns)
    inserted: int = con.execute(
        f"insert into {full_name} ({names}) "
        f"select {picked} from {select} t join run_evaluation e using (district_code, phase_id)"
    ).fetchall()[0][0]
    return inserted


def _agree(model: Model, selected: set[str], declared: set[str]) -> None:
    if selected != declared:
        raise ModelError(
            f"{model.full_name}: the SQL gives columns that are not declared {sorted(selected - declared)}, "
            f"the declaration names columns the SQL does not give {sorted(declared - selected)}"
        )


def _reshape(con: duckdb.DuckDBPyConnection, model: Model, columns: dict[str, str]) -> None:
    """Create an undeclared (core, rule) table again, empty, with the columns of its SELECT."""
    body = ", ".join(f'"{name}" {type_}' for name, type_ in columns.items())
    con.execute(f"create or replace table {model.full_name} ({body})")
