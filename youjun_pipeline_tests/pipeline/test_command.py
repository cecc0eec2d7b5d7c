"""`youjun run` as a person starts it: its output, its files, its exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from youjun_pipeline.cli import main
from youjun_pipeline.orchestration import execute
from youjun_pipeline.settings import Settings
from youjun_pipeline_tests.conftest import CHECKOUT
from youjun_pipeline_tests.pipeline.runs import FIRST, NORTH, SOUTH, Place, two_districts

# Whole refreshes, several of them.
pytestmark = pytest.mark.long

# Beside the file; each is swapped whole and named in the manifest.
FOLDERS = ("parquet", "official", "papers", "schools", "site", "data_docs")


def youjun(place: Place, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, from a folder that is not the checkout."""
    return subprocess.run(
        [sys.executable, "-m", "youjun_pipeline.cli", *arguments],
        cwd=place.data,
        env=os.environ | {"PYTHONPATH": str(CHECKOUT)} | place.environment | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return two_districts(tmp_path_factory.mktemp("command"), (FIRST,))


def test_run_says_where_the_results_are_and_how_each_district_stands(place: Place) -> None:
    done = youjun(place, "run")
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    [rows] = place.rows("select rows from ops.publication")
    head, blank, titles, north, south = done.stdout.splitlines()[:5]
    assert (head, blank) == (f"发布库 {place.published}（{rows[0]} 行）", "")
    assert titles.split() == ["区县", "阶段", "在评学校", "未达标学校", "未达标指标", "隔离行", "结论"]
    for line, code, name in ((north, NORTH, "北区"), (south, SOUTH, "南区")):
        [(schools, failing, indicators)] = place.rows(
            "select schools_in_scope, schools_failing, indicators_failing from mart.district_verdict where district_code = ?",
            code,
        )
        [(rejected,)] = place.rows(
            "select rows_in_quarantine from mart.district_verdict where district_code = ?", code
        )
        numbers = [str(number) for number in (schools, failing, indicators, rejected)]
        assert line.split() == [f"{name}（数据为重构）", FIRST.name, FIRST.id, *numbers, "未通过"]
    progress = done.stderr.splitlines()
    assert (
        "读取 学校名册：2 个新文件" in progress
        and "计算 2 个评估（2 个区县）；没有变化的 0 个不再计算" in progress
        and "发布" in progress
    )


def test_run_of_what_is_as_it_was_left_runs_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = place.rows("select count(*) from ops.publication")
    done = youjun(place, "run")
    assert done.returncode == 0
    assert done.stdout.splitlines()[:2] == [
        "没有变化：文件、程序和设置都与上一次运行时相同，没有重新计算（--verify 照常运行）",
        f"发布库 {place.published}（{place.rows('select rows from ops.publication')[0][0]} 行）",
    ]
    assert place.rows("select count(*) from ops.publication") == entries
    asked: list[Settings] = []
    monkeypatch.setattr(execute, "run_refresh", lambda settings, *_, **__: asked.append(settings))
    with place.settings():
        assert main(["run", "--verify"]) == 0
        assert main(["run", "--no-reports"]) == 0
    assert len(asked) == 2


def test_everything_of_the_interface_stands_beside_the_file(place: Place) -> None:
    folder = place.published.parent
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert manifest["publication"]["file"] == "youjun.duckdb"
    assert {name: manifest["folders"].get(name) for name in FOLDERS} == dict.fromkeys(
        FOLDERS, manifest["publication"]["run_id"]
    )
    assert (folder / "parquet" / "mart.school_indicator").is_dir()
    assert (folder / "official" / NORTH / f"{FIRST.id}.xlsx").stat().st_size > 5_000
    assert any((folder / "schools" / SOUTH / FIRST.id).iterdir())
    assert (folder / "site" / "index.html").is_file()
    assert any((folder / "data_docs").iterdir())
    assert [p.name for p in place.data.iterdir() if p.name not in (".work", "published")] == [
        p.name for p in place.data.glob("1101*")
    ]


def test_failure_is_one_message_and_exit_code_one(place: Place) -> None:
    done = youjun(place, "run", "--phase", "1999")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"没有这些阶段：1999；现有：{FIRST.id}\n"


def test_wrong_settings_are_exit_code_two(place: Place, tmp_path: Path) -> None:
    done = youjun(place, "run", "--as-of", "yesterday", YOUJUN_DATA=str(tmp_path / "nowhere"))
    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert lines[0].startswith(f"YOUJUN_DATA={tmp_path / 'nowhere'}：文件夹不存在")
    assert lines[1].startswith("YOUJUN_AS_OF=yesterday：不是日期，请写作 2024-06-30")
    assert youjun(place, "run", "--phases", "x").returncode == 2
