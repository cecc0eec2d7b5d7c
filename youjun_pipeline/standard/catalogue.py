"""A catalogue as a whole, and how its file is found, merged and read.

A catalogue may extend another (`extends = "national-2017"`) and state only what differs: a change of rules is
a change of data. Keep out: the fields of each entry (`model`), checks that look at several entries together
(`checks`), rows for DuckDB (`tables`), and the numbers themselves (the TOML files).
"""

from __future__ import annotations

import tomllib
from contextlib import suppress
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from youjun_pipeline.standard.checks import cross_check
from youjun_pipeline.standard.entries import Problem, section
from youjun_pipeline.standard.model import (
    Entry,
    Indicator,
    Monitoring,
    Option,
    Parameter,
    RespondentGroup,
    SchoolType,
    Stage,
    Text,
    Waiver,
    Watched,
)

CATALOGUES = Path(__file__).parent
# What a template without a district, and a check of files without one, go by.
DEFAULT_STANDARD = "national-2017"


class CatalogueError(ValueError):
    """A catalogue cannot be used; `problems` holds every reason, the message lists them all (Chinese)."""

    def __init__(self, source: str, problems: list[Problem]) -> None:
        self.source = source
        self.problems = sorted(set(problems))
        lines = "".join(f"\n  - {'：'.join(filter(None, problem))}" for problem in self.problems)
        super().__init__(f"标准目录 {source} 不能使用，共 {len(self.problems)} 处问题：{lines}")


class Catalogue(Entry):
    """One version of the standard. Shares are fractions, money in yuan, areas in ㎡."""

    id: Text
    name: Text
    document: Text
    issued_on: date
    stages: dict[str, Stage]
    school_types: dict[str, SchoolType]
    parameters: dict[str, Parameter]
    indicators: dict[str, Indicator]
    waivers: dict[str, Waiver]
    options: dict[str, Option]
    respondent_groups: dict[str, RespondentGroup]
    monitoring: Monitoring
    watched: dict[str, Watched]

    @property
    def figures(self) -> list[str]:
        """Every reported figure that a numerator or a ratio is made of, as `dataset.column` or `assurance.<item>`."""
        found = [given.input for entry in self.indicators.values() for given in entry.inputs]
        found += [
            term.lstrip("-")
            for entry in self.indicators.values()
            for part in entry.parts
            for term in (*part.numerator, *part.denominator)
        ]
        return sorted({*found, *(figure for waiver in self.waivers.values() for figure in waiver.adds)})

    def on(self, day: date) -> Catalogue:
        """The catalogue with the limits and parameters that hold on that day."""

        def held(dated: list[Any]) -> list[Any]:
            return [d for d in dated if d.is_in_force(day) and not d.unverified] or dated[:1]

        parameters = {
            key: entry.model_copy(update={"dated": held(entry.dated)})
            for key, entry in self.parameters.items()
        }
        indicators = {
            code: entry.model_copy(
                update={"dated_limits": {variant: held(d) for variant, d in entry.dated_limits.items()}}
            )
            for code, entry in self.indicators.items()
        }
        return self.model_copy(update={"parameters": parameters, "indicators": indicators})


def available_catalogues() -> list[str]:
    """Ids of the catalogues that come with the package, sorted."""
    return sorted(path.stem for path in CATALOGUES.glob("*.toml"))


def usable_catalogues() -> list[Catalogue]:
    """The catalogues on file that can be used; a draft that is wrong is nobody's but its districts'."""
    found = []
    for name in available_catalogues():
        with suppress(CatalogueError):
            found.append(load_catalogue(name))
    return found


@cache
def load_catalogue(catalogue_id: str) -> Catalogue:
    """The catalogue of that id; raises CatalogueError when there is none, or when it is wrong in any way."""
    return load_catalogue_file(_find(catalogue_id, CATALOGUES))


@cache
def catalogue_of(catalogue_id: str, day: date) -> Catalogue:
    """The catalogue of that id with the limits and parameters of a day; raises as `load_catalogue` does."""
    return load_catalogue(catalogue_id).on(day)


def load_catalogue_file(path: Path) -> Catalogue:
    """Read a catalogue file, merged over those it extends (looked up beside it first, then in the package).

    Raises CatalogueError naming every wrong entry and the reason.
    """
    raw = _read_merged(path, ())
    _name_every_waiver(raw)
    problems = cross_check(raw)
    if isinstance(raw.get("id"), str) and raw["id"] != path.stem:
        problems.append(Problem("id", f"与文件名不一致：文件名为 {path.stem}，现为 {raw['id']}"))
    try:
        catalogue = Catalogue.model_validate(raw)
    except ValidationError as error:
        fields = [_field_problem(e) for e in error.errors(include_url=False)]
        raise CatalogueError(path.name, problems + fields) from None
    if problems:
        raise CatalogueError(path.name, problems)
    return catalogue


def _name_every_waiver(raw: dict[str, Any]) -> None:
    """What the option `waivers` may name follows from the waivers there are."""
    option, waivers = section(raw, "options").get("waivers"), section(raw, "waivers")
    if option is not None:
        option["allowed"] = list(waivers)


def _find(catalogue_id: str, folder: Path) -> Path:
    for candidate in (folder, CATALOGUES):
        # compared by name, so that an id with a path in it finds nothing
        for path in candidate.glob("*.toml"):
            if path.stem == catalogue_id:
                return path
    reason = f"没有这个标准目录，现有：{'、'.join(available_catalogues())}"
    raise CatalogueError(str(catalogue_id), [Problem("", reason)])


def _read_merged(path: Path, children: tuple[Path, ...]) -> dict[str, Any]:
    if path.resolve() in children:
        names = " → ".join(p.stem for p in (*children, path))
        raise CatalogueError(path.name, [Problem("extends", f"互相引用：{names}")])
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CatalogueError(path.name, [Problem("", f"文件读不出：{error.strerror}")]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CatalogueError(path.name, [Problem("", f"不是有效的 TOML（UTF-8）：{error}")]) from error
    base = raw.pop("extends", None)
    if base is None:
        return raw
    base_raw = _read_merged(_find(base, path.parent), (*children, path.resolve()))
    # never inherited: two catalogues would publish under one id
    header = {key: value for key, value in base_raw.items() if key not in ("id", "name")}
    return _merge(header, raw)


def _merge(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Tables are merged entry by entry, anything else replaced; the base's order stays."""
    merged = dict(base)
    for key, value in changes.items():
        known = merged.get(key)
        merged[key] = _merge(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return merged


_REASONS = {
    "missing": "缺少此项",
    "extra_forbidden": "不认识的项，请核对名称",
    "literal_error": "应为以下之一：{expected}",
    "greater_than": "应大于 {gt}",
    "greater_than_equal": "不应小于 {ge}",
    "string_too_short": "不能为空",
    "string_pattern_mismatch": "应写作“数据集.字段”",
    "string_type": "应为文本",
    "bool_type": "应为 true 或 false",
    "int_type": "应为整数",
    "date_type": "应为日期，写作 2019-10-01",
    "list_type": "应为列表",
    "dict_type": "应为一组条目",
    "model_type": "应为一组条目",
}


def _field_problem(error: ErrorDetails) -> Problem:
    """One finding of pydantic as a Problem in Chinese, with the value that was found."""
    template = _REASONS.get(error["type"])
    reason = template.format(**error.get("ctx", {})) if template else error["msg"]
    if isinstance(error["input"], str | bool | int | float | date) and error["type"] != "missing":
        reason += f"（现为 {error['input']!r}）"
    # a number given alone stands in a list of one
    loc = error["loc"][:-2] if error["loc"][-2:] == (0, "value") else error["loc"]
    return Problem(".".join(str(part) for part in loc), reason)
