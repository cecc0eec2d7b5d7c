"""What the same deliveries would give under other rules or figures, computed by exactly the same models.

For each variant the evaluations of the run are made again as evaluations of their own (`2023-startup@<variant>`). All variants
are computed in one pass, in a temporary database in memory. The working database is read and never written. Under other rules
only the rows that a variant can change are computed; all other rows are copied from the base evaluation under another phase id.
With other figures everything is computed, so only deliveries and the standard are read from the base.
Keep out: what is compared or concluded (`rule_impact`, `projection`, planning).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import duckdb

from youjun_pipeline.standard import CATALOGUE_TABLES, Catalogue
from youjun_pipeline.warehouse.catalogues import insert_catalogues
from youjun_pipeline.warehouse.connection import SCHEMAS
from youjun_pipeline.warehouse.models import Model, behind, build
from youjun_pipeline.warehouse.run import RUN_TABLES, run_sql
from youjun_pipeline.warehouse.stand_in import MARK, ScenarioError, quoted, replace_files
from youjun_pipeline.warehouse.tables import EVALUATION_KEY, SINGLE_KEYS, declared_tables, sql_text

SCENARIO = "youjun_scenario"
VERDICTS = (
    "mart.school_indicator",
    "mart.school_verdict",
    "mart.stage_balance",
    "mart.district_indicator",
    "mart.district_verdict",
)

__all__ = ["SCENARIO", "VERDICTS", "ScenarioError", "Variant", "scenario"]

Connection = duckdb.DuckDBPyConnection


@dataclass(frozen=True)
class Variant:
    """Other rules for every evaluation of the run.

    `standard_id` None keeps each district's own standard. `options` override the district's options, as texts in the form of
    `standard.option`. With `without_waivers` no waiver counts, whatever its dates or the district's options. With a
    `district_code`, and a `phase_id`, the variant is only for that district or evaluation; several variants may share a name.
    """

    name: str
    standard_id: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    without_waivers: bool = False
    district_code: str | None = None
    phase_id: str | None = None

    def touches(self, model: Model) -> bool:
        """Whether the model's own SQL may give other rows under this variant.

        A wrong yes costs time, a wrong no gives wrong numbers.
        """
        names, tables = model.mentions.names, model.mentions.tables
        judges_by = any(table.startswith("standard.") for table in tables) or names & {"standard_id", "*"}
        return bool(
            (self.standard_id and judges_by)
            or (self.without_waivers and "standard.waiver" in tables)
            or names & {*self.options, *(("*", "run_option", "settings") if self.options else ())}
        )


@contextmanager
def scenario(
    con: Connection,
    variants: Collection[Variant],
    *,
    tables: Iterable[str] = VERDICTS,
    catalogues: Iterable[Catalogue] = (),
    files: Mapping[str, str] | None = None,
) -> Iterator[int]:
    """Build `tables` for every variant of the run's evaluations; yields how many evaluations were made.

    Inside the block the working database is current again, and the scenario's tables are beside it as
    `youjun_scenario.mart.<table>`. `youjun_scenario.main.evaluation` maps (district_code, phase_id) to base_phase_id and variant.
    A variant that changes nothing for an evaluation is left out. At the end, also after an error, the connection is as before.

    Args:
        con: the working database with a run that is open and built.
        variants: the other rules, each with its own name.
        tables: full names of the wanted models; the tables that they read are built too.
        catalogues: catalogues that variants name and the warehouse does not have.
        files: other figures, as SELECTs by dataset: the rows of a variant's evaluation that replace its delivered rows, with
            district_code and phase_id of `main.evaluation` and the dataset's own columns. An evaluation without such rows keeps
            its files. What was rejected in the delivered files stays rejected. With `files` no variant is left out.

    Raises:
        ScenarioError: if a standard, option or table does not exist, or a name is given twice.
    """
    base, schema = con.execute("select current_database(), current_schema()").fetchall()[0]
    con.execute(f"attach ':memory:' as {SCENARIO}")
    try:
        with _kept_run_tables(con):
            _lay_out(con, base)
            con.execute(f"use {SCENARIO}")
            try:
                insert_catalogues(con, catalogues)
                made = _begin(con, variants, base, keep_equal=files is not None)
                if files is not None:
                    replace_files(con, base, files)
                    _build_whole(con, behind(tables))
                else:
                    _build_touched(con, base, variants, behind(tables))
            finally:
                con.execute(f"use {quoted(base, schema)}")
        yield made
    finally:
        con.execute(f"detach {SCENARIO}")


@contextmanager
def _kept_run_tables(con: Connection) -> Iterator[None]:
    """Restore the run's temporary tables at the end; inside the block they are also available as `kept_<table>`."""
    for name in RUN_TABLES:
        con.execute(f"create or replace temp table kept_{name} as from temp.run_{name}")
    try:
        yield
    finally:
        for name in RUN_TABLES:
            con.execute(f"create or replace temp table run_{name} as from temp.kept_{name}")
            con.execute(f"drop table temp.kept_{name}")


def _lay_out(con: Connection, base: str) -> None:
    """Create the scenario's schemas: views onto the deliveries, copies of the small tables of the standard."""
    for schema in SCHEMAS:
        con.execute(f"create schema {SCENARIO}.{schema}")
    found = con.execute(
        "select schema_name, table_name from duckdb_tables() "
        "where database_name = ? and schema_name in ('raw', 'accepted') order by all",
        [base],
    ).fetchall()
    for schema, table in found:
        con.execute(f"create view {quoted(SCENARIO, schema, table)} as from {quoted(base, schema, table)}")
    for table in CATALOGUE_TABLES:
        source, copy = quoted(base, "standard", table), quoted(SCENARIO, "standard", table)
        con.execute(f"create table {copy} as from {source}")


def _begin(con: Connection, variants: Collection[Variant], base: str, *, keep_equal: bool) -> int:
    """Create the run's temporary tables for the variants; returns how many evaluations there are."""
    con.execute(
        "create table main.variant "
        "(variant varchar, standard_id varchar, without_waivers boolean, district_code varchar, phase_id varchar)"
    )
    con.execute(
        "create table main.variant_option "
        "(variant varchar, district_code varchar, phase_id varchar, option varchar, value varchar)"
    )
    rows = [[v.name, v.standard_id, v.without_waivers, v.district_code, v.phase_id] for v in variants]
    con.execute(
        "insert into main.variant select unnest($1::varchar[]), unnest($2::varchar[]), unnest($3::boolean[]), "
        "unnest($4::varchar[]), unnest($5::varchar[])",
        [list(column) for column in zip(*rows, strict=True)] if rows else [[], [], [], [], []],
    )
    for v in variants:
        for option, value in v.options.items():
            con.execute(
                "insert into main.variant_option values (?, ?, ?, ?, ?)",
                [v.name, v.district_code, v.phase_id, option, value],
            )
    _refuse_unknown(con)
    _copy_without_waivers(con)
    con.execute(f"create table main.request as {_REQUEST}")
    con.execute(
        "create or replace temp table run_request as select * exclude (base_phase_id, variant, without_waivers) from main.request"
    )
    con.execute(f"create or replace temp table run_option as {_OPTION}")
    for name in RUN_TABLES:
        if name not in ("request", "option"):
            con.execute(f"create or replace temp table run_{name} as {run_sql(name)}")
    if not keep_equal:
        _drop_equal(con, base)
    con.execute("create table main.every_evaluation as from temp.run_evaluation")
    con.execute(
        "create table main.evaluation as select district_code, phase_id, r.base_phase_id, r.variant, r.standard_id "
        "from main.request r semi join temp.run_evaluation using (district_code, phase_id)"
    )
    return con.execute("select count(*) from main.evaluation").fetchall()[0][0]


# The standard of a variant without waivers is a copy of the variant's standard, named after the variant, without the waivers.
_REQUEST = f"""
    select v.* replace (v.standard_id || if(v.without_waivers, '{MARK}' || v.variant, '') as standard_id)
    from (
        select k.* replace (
                k.phase_id || '{MARK}' || v.variant as phase_id, coalesce(v.standard_id, k.standard_id) as standard_id
            ), k.phase_id as base_phase_id, v.variant, v.without_waivers
        from temp.kept_request k
        semi join temp.kept_evaluation e on e.district_code = k.district_code and e.phase_id = k.phase_id
        join main.variant v
            on coalesce(v.district_code = k.district_code, true) and coalesce(v.phase_id = k.phase_id, true)
    ) v
"""
_OPTION = """
    select r.district_code, r.phase_id, o.option, o.value
    from main.request r
    join main.variant_option o
        on o.variant = r.variant and coalesce(o.district_code = r.district_code, true)
        and coalesce(o.phase_id = r.base_phase_id, true)
    union all
    select r.district_code, r.phase_id, o.option, o.value
    from main.request r
    join temp.kept_option o on o.district_code = r.district_code and o.phase_id = r.base_phase_id
    where not exists (
        from main.variant_option v
        where v.variant = r.variant and v.option = o.option and coalesce(v.district_code = r.district_code, true)
            and coalesce(v.phase_id = r.base_phase_id, true)
    )
"""


def _refuse_unknown(con: Connection) -> None:
    unknown = con.execute("""
        select '没有标准目录 ' || standard_id from main.variant
        where standard_id is not null and standard_id not in (select standard_id from standard.catalogue)
        union all
        select '没有选项 ' || option from main.variant_option
        where option not in (select option from standard.option)
        union all
        select '名称重复 ' || variant from main.variant group by variant, district_code, phase_id having count(*) > 1
        order by all
    """).fetchall()
    if unknown:
        raise ScenarioError("；".join(reason for (reason,) in unknown))


def _copy_without_waivers(con: Connection) -> None:
    """Copy each standard that a variant without waivers may use, without its waivers."""
    for table in CATALOGUE_TABLES:
        if table != "waiver":
            con.execute(f"""
                insert into standard.{table}
                select t.* replace (t.standard_id || {sql_text(MARK)} || v.variant as standard_id)
                from standard.{table} t
                join (select distinct variant, standard_id, without_waivers from main.variant) v
                    on v.without_waivers and t.standard_id = coalesce(v.standard_id, t.standard_id)
            """)


def _drop_equal(con: Connection, base: str) -> None:
    """Leave out variants that change nothing: same standard, same options, and no waiver that could be lost."""
    columns = [row[0] for row in con.execute("describe temp.run_evaluation").fetchall()]
    same = " and ".join(
        f'k."{c}" is not distinct from e."{c}"' for c in columns if c not in ("phase_id", "standard_id")
    )
    con.execute(f"""
        delete from temp.run_evaluation e
        using main.request r
        join temp.kept_evaluation k on k.district_code = r.district_code and k.phase_id = r.base_phase_id
        where e.district_code = r.district_code and e.phase_id = r.phase_id and {same}
            and e.standard_id = k.standard_id || if(r.without_waivers, {sql_text(MARK)} || r.variant, '')
            and not (r.without_waivers and exists (
                from {quoted(base)}.standard.waiver w
                where w.standard_id = k.standard_id
                    and (k.effective_on between w.starts and w.ends or list_contains(k.waivers, w.waiver))
            ))
    """)


def _build_whole(con: Connection, models: list[Model]) -> None:
    """Build all models for all evaluations."""
    for model in models:
        if declared := declared_tables().get(model.full_name):
            con.execute(declared.create_sql())
        build(con, model)


def _build_touched(con: Connection, base: str, variants: Collection[Variant], models: list[Model]) -> None:
    """Fill every model: computed rows for the evaluations that may differ, rows of the base for the others.

    An evaluation may differ if the model's own SQL may give other rows under its variant, or if a table that the model reads has
    already turned out to differ from the base. Most variants change little, so most tables are not computed.
    """
    con.execute("create table main.differing (model varchar, district_code varchar, phase_id varchar)")
    read = set[str]().union(*(model.reads for model in models))
    for model in models:
        con.execute(
            "create or replace temp table run_evaluation as from main.every_evaluation semi join ("
            "select district_code, phase_id from main.evaluation where list_contains($1, variant) union all "
            "select district_code, phase_id from main.differing where list_contains($2, model)"
            ") using (district_code, phase_id)",
            [sorted(v.name for v in variants if v.touches(model)), sorted(model.reads)],
        )
        if not con.execute("from temp.run_evaluation limit 1").fetchall():
            _map_base(con, base, model, as_view=True)
            continue
        _build_whole(con, [model])
        if model.full_name in read:
            _note_differing(con, base, model)
        _map_base(con, base, model, as_view=False)


def _note_differing(con: Connection, base: str, model: Model) -> None:
    """Record the computed evaluations whose rows differ from the base in number or hashes.

    A table without a phase cannot be compared by evaluation; then all computed evaluations count as differing.
    """
    source, made = quoted(base, model.schema, model.name), quoted(model.schema, model.name)
    columns = [row[0] for row in con.execute(f"describe {source}").fetchall()]
    if not set(EVALUATION_KEY) <= set(columns):
        con.execute(
            "insert into main.differing select $1, district_code, phase_id from temp.run_evaluation",
            [model.full_name],
        )
        return
    # the columns that name the evaluation or its run always differ
    told = ", ".join(f'"{c}"' for c in columns if c not in ("phase_id", "run_id", *SINGLE_KEYS))
    rows = f"select district_code, phase_id, count(*) as n, sum(hash({told})) as hashes"
    con.execute(
        f"""
        insert into main.differing
        with asked as (
            select district_code, e.base_phase_id as phase_id
            from main.evaluation e semi join temp.run_evaluation using (district_code, phase_id)
        ), computed as ({rows} from {made} group by all),
        delivered as ({rows} from {source} semi join asked using (district_code, phase_id) group by all)
        select $1, e.district_code, e.phase_id
        from temp.run_evaluation r
        join main.evaluation e using (district_code, phase_id)
        left join computed c using (district_code, phase_id)
        left join delivered d on d.district_code = e.district_code and d.phase_id = e.base_phase_id
        where (c.n, c.hashes) is distinct from (d.n, d.hashes)
        """,
        [model.full_name],
    )


def _map_base(con: Connection, base: str, model: Model, *, as_view: bool) -> None:
    """The base's rows of a model under the variants' phase ids: as a view, or added for the evaluations not computed."""
    source, target = quoted(base, model.schema, model.name), quoted(model.schema, model.name)
    columns = {row[0] for row in con.execute(f"describe {source}").fetchall()}
    per_evaluation = set(EVALUATION_KEY) <= columns
    select = f"from {source}"
    if per_evaluation:
        keys = {name: sql for name, (_, _, sql) in SINGLE_KEYS.items() if name in columns}
        replaced = ", ".join(f"{sql} as {name}" for name, sql in ({"phase_id": "e.phase_id"} | keys).items())
        select = (
            f"select t.* replace ({replaced}) from {source} t join main.evaluation e "
            "on e.district_code = t.district_code and e.base_phase_id = t.phase_id"
        )
    if as_view:
        con.execute(f"create view {target} as {select}")
    elif per_evaluation:
        con.execute(
            f"insert into {target} by name {select} anti join temp.run_evaluation r "
            "on r.district_code = e.district_code and r.phase_id = e.phase_id"
        )
