"""Watching the data folder: what changed, and what has yet to hold still."""

from __future__ import annotations

import os
from pathlib import Path

from youjun_pipeline.ingest.watch import Watched, fingerprints


def district(folder: Path, name: str = "120114-wuqing") -> Path:
    delivery = folder / name / "deliveries" / "2023-08-31"
    delivery.mkdir(parents=True)
    (folder / name / "district.toml").write_text("code", "utf-8")
    (delivery / "schools.csv").write_text("a,b", "utf-8")
    return delivery


def test_a_change_counts_once_it_has_held_still(tmp_path: Path) -> None:
    delivery = district(tmp_path)
    state, settled = Watched().look(fingerprints(tmp_path))
    assert settled == set(), "what is there at first must hold still as well"
    state, settled = state.look(fingerprints(tmp_path))
    assert settled == {"120114-wuqing"}
    for size in (10, 20):  # half-copied twice
        (delivery / "teachers.csv").write_bytes(b"x" * size)
        state, settled = state.look(fingerprints(tmp_path))
        assert settled == set()
    state, settled = state.look(fingerprints(tmp_path))
    assert settled == {"120114-wuqing"}
    assert state.look(fingerprints(tmp_path)) == (state, set())


def test_same_size_and_another_time_is_a_change_and_a_touched_neighbour_is_none(tmp_path: Path) -> None:
    delivery = district(tmp_path)
    district(tmp_path, "120115-baodi")
    before = fingerprints(tmp_path)
    os.utime(delivery / "schools.csv", ns=(1, 1))
    after = fingerprints(tmp_path)
    assert after["120115-baodi"] == before["120115-baodi"]
    assert after["120114-wuqing"] != before["120114-wuqing"]


def test_files_of_programs_at_work_and_other_folders_are_no_change(tmp_path: Path) -> None:
    delivery = district(tmp_path)
    before = fingerprints(tmp_path)
    (delivery / "~$schools.xlsx").touch()
    (delivery / ".schools.csv.Ab3").touch()
    (tmp_path / ".work").mkdir()
    (tmp_path / "published").mkdir()
    assert fingerprints(tmp_path) == before


def test_a_folder_that_is_gone_is_told_after_two_looks() -> None:
    state = Watched(seen={"120114-a": "1", "120115-b": "2"})
    state, settled = state.look({"120115-b": "2"})
    assert settled == set()
    state, settled = state.look({"120115-b": "2"})
    assert (settled, state.seen) == ({"120114-a"}, {"120115-b": "2"})


def test_memory_is_kept_by_its_mark_and_nonsense_is_no_memory(tmp_path: Path) -> None:
    path, state = tmp_path / "work" / "watched.json", Watched({"120114-a": "1"}, {"120115-b": ""})
    mark = state.remember(path)
    assert len(mark) == 12 and Watched.recall(path, mark) == state
    assert state.remember(path) != mark, "each time another"
    # a cursor that was reset, and one from before a crash
    assert Watched.recall(path, None) == Watched.recall(path, mark) == Watched()
    for text in ("", "{", "[]", '{"mark": "m", "seen": 3}'):
        path.write_text(text, "utf-8")
        assert Watched.recall(path, "m") == Watched()
    path.unlink()
    assert Watched.recall(path, "m") == Watched()


def test_a_scenario_file_is_watched_as_a_delivery_is(tmp_path: Path) -> None:
    folder = tmp_path / "110101-a"
    (folder / "scenarios").mkdir(parents=True)
    (folder / "district.toml").write_text("", encoding="utf-8")
    before = fingerprints(tmp_path)
    (folder / "scenarios" / "s.toml").write_text('title = "试算"\n', encoding="utf-8")
    after = fingerprints(tmp_path)
    assert before.keys() == after.keys() == {"110101-a"}
    assert before != after
