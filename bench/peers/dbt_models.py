"""The peer in dbt-duckdb: the pipeline's own SQL files as dbt models, over a database that the pipeline has loaded.

`write_project` makes the project: each file as it is, below the `ref`s that tell dbt its order. `lay_out` makes the database:
what a run keeps in its connection (its evaluations, its macros) becomes ordinary tables and macros, and the models' tables go.
"""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

FINAL = ("mart.school_verdict", "mart.stage_balance", "mart.district_verdict")
"""The tables that are compared; the models are these and all they rest on."""
HERE = Path(__file__).parent


def write_project(folder: Path) -> int:
    """Write the dbt project into `folder`, which must not exist yet; returns how many models it has."""
    from youjun_pipeline.warehouse.models import behind

    shutil.copytree(HERE / "dbt", folder)
    models = behind(FINAL)
    names = {model.full_name: f"{model.schema}__{model.name}" for model in models}
    (folder / "models").mkdir()
    for model in models:
        read = sorted(names[table] for table in model.reads & names.keys() - {model.full_name})
        lines = [f"{{{{ config(schema='{model.schema}', alias='{model.name}') }}}}"]
        lines += [f"-- depends_on: {{{{ ref('{name}') }}}}" for name in read]
        lines += ["{% raw %}", model.sql, "{% endraw %}"]
        (folder / "models" / f"{names[model.full_name]}.sql").write_text("\n".join(lines), "utf-8")
    return len(models)


def lay_out(database: Path, phase_id: str, as_of: date) -> None:
    """Make a copy of a loaded working database ready for dbt, in place."""
    from youjun_pipeline.vocabulary import macros
    from youjun_pipeline.warehouse.connection import connect
    from youjun_pipeline.warehouse.models import MODELS, behind
    from youjun_pipeline.warehouse.run import RUN_TABLES, RunScope, begin_run, floor_word

    with connect(database) as con:
        begin_run(con, RunScope("peer", (phase_id,), as_of))
        for name in (*RUN_TABLES, "district"):
            con.execute(f"create table main.run_{name} as from temp.run_{name}")
        for model in behind(FINAL):
            con.execute(f"drop table if exists {model.full_name}")
        words = f"'{floor_word(con)}'"
    # In a connection of its own: temporary macros of the same names would be found first.
    with connect(database) as con:
        for text in ((MODELS / "run" / "macros.sql").read_text("utf-8"), macros()):
            lasting = text.replace("create or replace temp macro", "create or replace macro")
            con.execute(lasting.replace("getvariable('floor_word')", words))
