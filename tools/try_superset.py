"""Try the Superset dashboard (docs/dashboards/superset) against the real product; `make test-bi` runs this.

Imports the bundle into a fresh Superset, asks for the data of every chart as a browser does, swaps the publication for another
and asks again. Usage: python tools/try_superset.py PUBLICATION.duckdb, in an environment that has Superset.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

BUNDLE = Path(__file__).parents[1] / "docs" / "dashboards" / "superset"
PLACEHOLDER = "/path/to/published/youjun.duckdb"


def main(publication: Path) -> None:
    """Import the bundle for a copy of `publication` and print how many rows each chart gets, before and after a swap."""
    home = Path(tempfile.mkdtemp(prefix="youjun-superset-"))
    served = home / "youjun.duckdb"
    shutil.copy(publication, served)
    (home / "superset_config.py").write_text(
        "import os\n"
        "SECRET_KEY = 'only for this test, on this machine'\n"
        f"SQLALCHEMY_DATABASE_URI = 'sqlite:///{home}/superset.db'\n"
        "WTF_CSRF_ENABLED = False\nTALISMAN_ENABLED = False\nPREVENT_UNSAFE_DB_CONNECTIONS = False\n"
    )
    os.environ["SUPERSET_CONFIG_PATH"] = str(home / "superset_config.py")
    os.environ["SUPERSET_HOME"] = str(home)
    try:
        _try(served, publication)
    finally:
        shutil.rmtree(home)


def _try(served: Path, publication: Path) -> None:
    from flask import g
    from flask_migrate import upgrade
    from superset.app import create_app

    app = create_app()
    with app.app_context():
        import superset
        from superset import db, security_manager

        upgrade(directory=str(Path(superset.__file__).parent / "migrations"))
        # as `superset init` does: the roles get the permissions that the tables had no place for when the application started
        app.appbuilder.add_permissions(update_perms=True)
        security_manager.sync_role_definitions()
        admin = security_manager.find_role("Admin")
        g.user = security_manager.add_user("tester", "T", "T", "t@example.org", admin, password="tester")
        from superset.commands.dashboard.importers.v1 import ImportDashboardsCommand
        from superset.models.slice import Slice

        contents = {
            f"{path.relative_to(BUNDLE)}": path.read_text("utf-8").replace(PLACEHOLDER, str(served))
            for path in BUNDLE.rglob("*.yaml")
        }
        ImportDashboardsCommand(contents, overwrite=True).run()
        charts = [
            (s.slice_name, s.datasource_id, json.loads(s.params)) for s in db.session.query(Slice).all()
        ]
    client = app.test_client()
    client.post("/login/", data={"username": "tester", "password": "tester"})
    assert client.get("/api/v1/dashboard/youjun").status_code == 200
    assert len(charts) == len(list((BUNDLE / "charts").glob("*.yaml")))
    before = {name: _rows(client, datasource, params) for name, datasource, params in charts}
    swap(publication, served)
    after = {name: _rows(client, datasource, params) for name, datasource, params in charts}
    for name, rows in before.items():
        print(f"{name}: {rows} rows, {after[name]} after a publication with one district less", flush=True)
    assert all(before.values())
    assert all(after[name] < rows for name, rows in before.items())


def swap(publication: Path, served: Path) -> None:
    """Move a publication without its first district over the one that is served, as a refresh does."""
    import duckdb

    new = served.with_suffix(".new")
    shutil.copy(publication, new)
    with duckdb.connect(str(new)) as con:
        ((first,),) = con.execute("select min(district_code) from mart.evaluation").fetchall()
        tables = con.execute(
            "select table_name from duckdb_columns() join duckdb_tables() using (schema_name, table_name) "
            "where schema_name = 'mart' and column_name = 'district_code'"
        ).fetchall()
        for (table,) in tables:
            con.execute(f"delete from mart.{table} where district_code = ?", [first])
    new.replace(served)


def _rows(client, datasource: int, params: dict) -> int:
    """How many rows Superset gives for a chart."""
    where = " and ".join(f"({f['sqlExpression']})" for f in params.get("adhoc_filters", []))
    axis = [params["x_axis"]] if "x_axis" in params else []
    query = {
        "columns": params.get("all_columns") or [*axis, *params.get("groupby", [])],
        "row_limit": params["row_limit"],
        "extras": {"where": where},
        "filters": [],
        "annotation_layers": params.get("annotation_layers", []),
    }
    if "metrics" in params:
        query["metrics"] = params["metrics"]
    payload = {
        "datasource": {"id": datasource, "type": "table"},
        "queries": [query],
        "result_format": "json",
        "result_type": "full",
        "force": True,
    }
    answer = client.post("/api/v1/chart/data", json=payload)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return len(answer.get_json()["result"][0]["data"])


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
