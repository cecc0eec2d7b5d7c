"""The publication through other people's programs: an older DuckDB command line, SQLAlchemy, Node, plain Parquet readers."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from youjun_pipeline.warehouse.manifest import Publication
from youjun_pipeline_tests.generate import generate_district, write_district
from youjun_pipeline_tests.steps import places, refresh

# Whole refreshes, several of them.
pytestmark = pytest.mark.long

COUNT = "select count(*) from mart.school_indicator"


@pytest.fixture(scope="module")
def publication(tmp_path_factory: pytest.TempPathFactory) -> tuple[Publication, int]:
    """A publication and the rows of mart.school_indicator in it."""
    folder: Path = tmp_path_factory.mktemp("clients")
    made = generate_district(0, n_schools=14)
    write_district(folder, made.tables, made.settings)
    result = refresh(places(folder))
    import duckdb

    with duckdb.connect(str(result.path), read_only=True) as con:
        return result, con.execute(COUNT).fetchall()[0][0]


def test_command_line_of_an_older_version(publication: tuple[Publication, int]) -> None:
    program = Path(sys.executable).with_name("duckdb")
    if not program.exists():
        pytest.skip("the duckdb command line (duckdb-cli) is not installed beside this Python")
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    assert version.startswith("v1.4."), "a version other than the pipeline's own is what this is about"
    result, rows = publication
    for query, expected in ((COUNT, rows), ('select count(*) from zh."学校指标"', rows)):
        call = [str(program), "-readonly", "-json", str(result.path), query]
        done = subprocess.run(call, capture_output=True, text=True, check=True)
        assert list(json.loads(done.stdout)[0].values()) == [expected]


def test_sqlalchemy(publication: tuple[Publication, int]) -> None:
    """As Superset asks: the names of tables and columns first, then rows."""
    import sqlalchemy

    result, rows = publication
    engine = sqlalchemy.create_engine(f"duckdb:///{result.path}", connect_args={"read_only": True})
    try:
        inspector = sqlalchemy.inspect(engine)
        assert "school_indicator" in inspector.get_table_names("mart")
        assert "latest_finding" in inspector.get_view_names("bi")
        columns = {
            c["name"]: str(c["type"]) for c in inspector.get_columns("school_indicator", schema="mart")
        }
        assert columns["status"] == "VARCHAR" and columns["value"] == "FLOAT"
        with engine.connect() as connection:
            assert connection.execute(sqlalchemy.text(COUNT)).scalar() == rows
    finally:
        engine.dispose()


def test_node(publication: tuple[Publication, int], tmp_path: Path) -> None:
    node = shutil.which("node")
    script = tmp_path / "count.cjs"
    script.write_text(
        """
        const { DuckDBInstance } = require('@duckdb/node-api');
        (async () => {
          const db = await DuckDBInstance.create(process.argv[2], { access_mode: 'READ_ONLY' });
          const read = await (await db.connect()).runAndReadAll(process.argv[3]);
          console.log(String(read.getRows()[0][0]));
        })();
        """
    )
    if (
        not node
        or subprocess.run([node, "-e", "require('@duckdb/node-api')"], capture_output=True).returncode
    ):
        pytest.skip("node with @duckdb/node-api is not installed")
    result, rows = publication
    done = subprocess.run([node, script, str(result.path), COUNT], capture_output=True, text=True, check=True)
    assert int(done.stdout) == rows


def test_parquet_without_duckdb(publication: tuple[Publication, int]) -> None:
    import pandas as pd
    import pyarrow.parquet as pq

    result, rows = publication
    path = result.path.parent / "parquet" / "mart.school_indicator" / "school_indicator.parquet"
    assert pq.read_table(path).num_rows == rows
    frame = pd.read_parquet(path)
    assert set(frame["status"]) <= {"met", "near", "below", "no_data", "not_applicable", "met_by_waiver"}
