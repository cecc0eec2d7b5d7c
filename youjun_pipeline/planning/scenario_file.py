"""Scenario files: `scenarios/<id>.toml`, or a workbook or CSV with the same columns. They are read, checked and written here.

All faults of a file are reported at once, in Chinese, with file, row, column, value and what to do. A file with a fault changes
nothing. Keep out: what actions do (`actions`) and how they are judged (`judge`).
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from youjun_pipeline.contracts.loader import parse_dataset
from youjun_pipeline.contracts.model import Dataset, fold_word
from youjun_pipeline.planning.actions import (
    Action,
    ActionError,
    Forecast,
    Step,
    carry_out,
    missing_fields,
    surplus_fields,
)

SUFFIXES = (".toml", ".xlsx", ".xls", ".csv", ".parquet")


@dataclass(frozen=True)
class Problem:
    """One fault of a scenario file: its place, the value there, and what to do."""

    file: str
    sheet: str
    row: int | None
    column: str
    value: str
    message: str

    def __str__(self) -> str:
        where = "，".join(
            part
            for part in (
                self.file,
                f"工作表“{self.sheet}”" if self.sheet else "",
                f"第 {self.row} 行" if self.row else "",
                f"“{self.column}”" if self.column else "",
                f"值“{self.value}”" if self.value else "",
            )
            if part
        )
        return f"{where}：{self.message}"


class ScenarioFileError(ValueError):
    """A scenario file that cannot be used; `problems` has all its faults."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(str(p) for p in self.problems))


@dataclass(frozen=True)
class Row:
    """An action as written: typed fields by name, and its place in the file."""

    given: Mapping[str, Any]
    file: str
    sheet: str
    number: int

    def problem(self, column: str, message: str, value: object = None) -> Problem:
        declared = contract().columns.get(column)
        shown = self.given.get(column) if value is None else value
        return Problem(
            self.file,
            self.sheet,
            self.number,
            declared.zh if declared else column,
            ""
            if shown is None
            else f"{shown:f}".rstrip("0").rstrip(".")
            if isinstance(shown, Decimal)
            else str(shown),
            message,
        )


@dataclass(frozen=True)
class ScenarioFile:
    """A scenario as read, not yet checked against a district: its rows in the order of the file, and unreadable cells."""

    scenario_id: str
    title: str
    path: Path
    rows: tuple[Row, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Names:
    """The schools of a district: every spelling of a school, folded, with the codes that it may mean; and the names."""

    codes: Mapping[str, frozenset[str]]
    names: Mapping[str, str]

    def resolve(self, written: str) -> str:
        """The one school that `written` means.

        Raises ActionError if no school has the name (the message lists the most similar names) or if several schools have it.
        """
        found = self.codes.get(fold_word(written), frozenset())
        if len(found) == 1:
            return next(iter(found))
        if found:
            several = "、".join(f"{self.names.get(c, c)}（{c}）" for c in sorted(found))
            raise ActionError("school", f"可能指多所学校：{several}。请改填学校标识码")
        near = difflib.get_close_matches(written, list(self.names.values()), n=3, cutoff=0.5)
        advice = f"是否为：{'、'.join(near)}？" if near else ""
        raise ActionError("school", f"名册中没有这所学校。{advice}请按名册填写全称或学校标识码")


@cache
def contract() -> Dataset:
    """The contract of the rows, with headers in both languages."""
    path = Path(__file__).with_name("scenario_actions.toml")
    return parse_dataset(tomllib.loads(path.read_text(encoding="utf-8")))


def find_scenarios(district_folder: Path) -> list[Path]:
    """The scenario files of a district's folder, in order of their names."""
    folder = district_folder / "scenarios"
    found = [p for p in folder.glob("*") if p.suffix.lower() in SUFFIXES and p.name[0] not in "~."]
    return sorted(found)


def read_scenario(path: Path) -> ScenarioFile:
    """Read a scenario file into rows. Unreadable cells become problems; `hold_against` reports them with all others."""
    return _read_toml(path) if path.suffix.lower() == ".toml" else _read_table(path)


def _read_toml(path: Path) -> ScenarioFile:
    try:
        text = path.read_text(encoding="utf-8")
        raw = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return _unreadable(path, f"不是有效的 TOML 文件：{error}")
    lines = [n for n, line in enumerate(text.splitlines(), 1) if line.strip().startswith("[[action]]")]
    actions = raw.get("action", [])
    problems = [
        Problem(
            path.name, "", None, key, str(raw[key])[:40], "情景文件只有 title 和 [[action]]，请删除或改名"
        )
        for key in raw.keys() - {"title", "action"}
    ]
    if not isinstance(actions, list) or not all(isinstance(a, dict) for a in actions):
        return _unreadable(path, "每个动作写作一段 [[action]]")
    headers, texts = contract().headers, []
    for number, action in enumerate(actions):
        row: dict[str, Any] = {
            "sheet": "",
            "row_number": lines[number] if number < len(lines) else number + 1,
        }
        for key, value in action.items():
            name = headers.get(fold_word(str(key)))
            if name is None:
                problems.append(
                    Problem(
                        path.name,
                        "",
                        row["row_number"],
                        str(key),
                        str(value),
                        f"没有这一项；可用：{_headers()}",
                    )
                )
            else:
                row[name] = _as_text(value)
        texts.append(row)
    frame = pd.DataFrame(texts, columns=["sheet", "row_number", *contract().columns])
    rows, more = _checked(path, frame)
    return ScenarioFile(path.stem, str(raw.get("title") or path.stem), path, rows, (*problems, *more))


def _unreadable(path: Path, message: str) -> ScenarioFile:
    return ScenarioFile(path.stem, path.stem, path, (), (Problem(path.name, "", None, "", "", message),))


def _as_text(value: Any) -> str:
    return ("是" if value else "否") if isinstance(value, bool) else str(value)


def _headers() -> str:
    return "、".join(c.zh for c in contract().columns.values())


def _read_table(path: Path) -> ScenarioFile:
    from youjun_pipeline.ingest.files import read_file

    result = read_file(path, contract())
    if result.failure:
        return _unreadable(path, result.failure.message)
    problems = [
        Problem(path.name, "", None, header, "", f"没有这一列；可用：{_headers()}")
        for header in result.ignored_headers
    ]
    rows, more = _checked(path, result.frame)
    return ScenarioFile(path.stem, path.stem, path, rows, (*problems, *more))


def _checked(path: Path, frame: pd.DataFrame) -> tuple[tuple[Row, ...], list[Problem]]:
    """Check rows against the contract; cells are read, and ranges are checked, as in a delivered file."""
    from youjun_pipeline.ingest.validate import validate

    if frame.empty:
        return (), []
    text = frame.astype(dict.fromkeys(contract().columns, "str")).assign(content_sha256=path.name)
    text[list(contract().columns)] = (
        frame[list(contract().columns)].astype(object).where(frame[list(contract().columns)].notna(), None)
    )
    result = validate(contract(), text)
    problems = [
        Problem(
            path.name,
            r.sheet or "",
            int(r.row_number),
            contract().columns[r.column_name].zh
            if r.column_name in contract().columns
            else str(r.column_name),
            "" if r.value is None else str(r.value),
            str(r.message),
        )
        for r in result.rejections.itertuples()
    ]
    problems += [Problem(path.name, "", None, "", "", f.message) for f in result.failures.values()]
    rows = []
    for record in result.accepted.to_pylist():
        given = {k: v for k, v in record.items() if k in contract().columns and v is not None}
        rows.append(Row(given, path.name, record["sheet"] or "", int(record["row_number"])))
    return tuple(rows), problems


@dataclass(frozen=True)
class Checked:
    """A scenario checked against a district: its actions by date, and its steps: the start, then one for each action."""

    actions: tuple[Action, ...]
    steps: tuple[Step, ...]


def hold_against(
    scenario: ScenarioFile, start: Step, names: Names, forecast: Forecast, plan: tuple[date, date]
) -> Checked:
    """Resolve a scenario's names and carry out its actions on a district's figures, in order of their dates.

    Args:
        scenario: as read.
        start: the district's figures and rules as they are.
        names: the district's schools.
        forecast: pupils of a coming year.
        plan: first and last day of the district's plan; an action outside these days is refused.

    Raises:
        ScenarioFileError: with all faults. A faulty scenario is not carried out at all.
    """
    problems = list(scenario.problems)
    opened = {
        fold_word(str(row.given["school"])): str(row.given["value"])
        for row in scenario.rows
        if row.given.get("action") == "open_school" and {"school", "value"} <= row.given.keys()
    }
    resolved: list[tuple[Row, Action]] = []
    for row in scenario.rows:
        action = _resolved(row, names, opened, plan, problems)
        if action:
            resolved.append((row, action))
    # actions of one day keep the order of the file
    resolved.sort(key=lambda pair: pair[1].effective_on)
    steps, done = [start], []
    for row, action in resolved:
        try:
            steps.append(carry_out(steps[-1], action, forecast))
            done.append(action)
        except ActionError as error:
            problems.append(row.problem(error.column, str(error)))
    if problems:
        raise ScenarioFileError(sorted(problems, key=lambda p: p.row or 0))
    return Checked(tuple(done), tuple(steps))


def _resolved(
    row: Row, names: Names, opened: Mapping[str, str], plan: tuple[date, date], problems: list[Problem]
) -> Action | None:
    """The row as an action; its faults are added to `problems`."""
    before = len(problems)
    kind = row.given.get("action")
    if kind is None:
        return None
    reported = {(p.row, p.column) for p in problems}
    for column in missing_fields(kind, row.given):
        if (row.number, contract().columns[column].zh) in reported:
            continue
        problems.append(row.problem(column, "这个动作必须填写此项"))
    for column in surplus_fields(kind, row.given):
        problems.append(row.problem(column, "这个动作不用此项，请删除，以免误以为已经计入"))
    day = row.given.get("effective_on")
    if day is not None and not plan[0] <= day <= plan[1]:
        problems.append(
            row.problem("effective_on", f"不在方案期限内（{plan[0]} 至 {plan[1]}），请改为其间的日期")
        )
    codes = {}
    for column in ("school", "to_school"):
        written = row.given.get(column)
        if written is None or (kind == "open_school" and column == "school"):
            continue
        try:
            codes[column] = opened.get(fold_word(str(written))) or names.resolve(str(written))
        except ActionError as error:
            problems.append(row.problem(column, str(error)))
    if kind == "open_school" and str(row.given.get("value", "")) in names.names:
        problems.append(row.problem("value", "这个学校标识码名册中已有，请另给一个"))
    if len(codes) == 2 and codes["school"] == codes["to_school"]:
        problems.append(row.problem("to_school", "与“学校”是同一所，请改填另一所"))
    quantity = row.given.get("quantity")
    if (
        quantity is not None
        and quantity <= 0
        and kind != "set_pupils"
        and not (kind == "scale_pupils" and quantity == 0)
    ):
        problems.append(row.problem("quantity", "应为正数；减少请用“停用”“分流学生”等动作"))
    if len(problems) > before or any(p.row == row.number for p in problems):
        return None
    known = {f.name for f in fields(Action)}
    given = {k: v for k, v in row.given.items() if k in known}
    for column in ("quantity", "area_m2"):
        if column in given:
            given[column] = float(given[column])
    return Action(**{**given, "kind": kind, **codes})


def write_scenario(path: Path, title: str, actions: Iterable[Mapping[str, Any]]) -> None:
    """Write actions, with fields named as in the contract, as a scenario file; reading the file gives the same actions."""
    lines = [f"title = {_toml(title)}", ""]
    for action in actions:
        lines.append("[[action]]")
        lines += [
            f"{name} = {_toml(action[name])}"
            for name in contract().columns
            if action.get(name) is not None and action[name] == action[name]
        ]
        lines.append("")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines), encoding="utf-8")


def _toml(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:g}" if float(value) == float(f"{value:g}") else repr(float(value))
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
