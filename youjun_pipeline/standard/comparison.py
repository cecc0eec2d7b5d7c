"""Comparisons: other rules that every refresh also judges by, so that everybody sees which verdicts hang on a rule.

A comparison is a file in `comparisons/`, named by its id: a title, and what differs from the rules in force: another
catalogue, options, no waivers. Belongs here: their model and loading. Keep out: the evaluation itself (`warehouse`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field, ValidationError, model_validator

from youjun_pipeline.standard.catalogue import (
    Catalogue,
    CatalogueError,
    available_catalogues,
    load_catalogue,
    usable_catalogues,
)
from youjun_pipeline.standard.entries import Problem
from youjun_pipeline.standard.model import Entry, Text

COMPARISONS = Path(__file__).parent / "comparisons"


class _File(Entry):
    """A comparison as its file states it."""

    title: Text
    standard: Text | None = None
    options: dict[str, bool | int | str | list[str]] = Field(default_factory=dict)
    without_waivers: bool = False

    @model_validator(mode="after")
    def _differs(self) -> _File:
        if not (self.standard or self.options or self.without_waivers):
            raise ValueError("没有写明与现行规则的不同：standard、options、without_waivers 至少要有一项")
        return self


@dataclass(frozen=True)
class Comparison:
    """Other rules by id; `options` are texts as `standard.option` holds them, `standard` None keeps each district's own."""

    id: str
    title: str
    standard: str | None
    options: Mapping[str, str]
    without_waivers: bool


def load_comparisons(folder: Path = COMPARISONS) -> list[Comparison]:
    """Every comparison on file, by id. Raises CatalogueError naming every wrong entry of the first wrong file."""
    return [_load(path) for path in sorted(folder.glob("*.toml"))]


def usable_comparisons(folder: Path | None = None) -> tuple[list[Comparison], list[str]]:
    """The comparisons that can be made, by id, and in Chinese why others cannot: a draft that is wrong stops no run."""
    found, faults = [], []
    for path in sorted((folder or COMPARISONS).glob("*.toml")):
        try:
            found.append(_load(path))
        except CatalogueError as error:
            head, *rest = (line.strip(" -") for line in str(error).splitlines() if line.strip())
            told = head + "；".join(rest)
            faults.append(f"规则对照“{path.stem}”本次没有进行：{told}")
    return found, faults


def _load(path: Path) -> Comparison:
    try:
        read = _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CatalogueError(path.name, [Problem("", f"不是有效的 TOML（UTF-8）：{error}")]) from error
    except ValidationError as error:
        problems = [Problem(".".join(map(str, e["loc"])), e["msg"]) for e in error.errors()]
        raise CatalogueError(path.name, problems) from None
    if read.standard and read.standard not in available_catalogues():
        reason = f"没有这个标准目录，现有：{'、'.join(available_catalogues())}"
        raise CatalogueError(path.name, [Problem("standard", reason)])
    judged_by = [load_catalogue(read.standard)] if read.standard else usable_catalogues()
    problems = []
    for name, value in read.options.items():
        for catalogue in judged_by:
            if fault := _option_fault(catalogue, name, value):
                problems.append(Problem(f"options.{name}", fault))
    if problems:
        raise CatalogueError(path.name, problems)
    options = {name: _option_text(value) for name, value in read.options.items()}
    return Comparison(path.stem, read.title, read.standard, options, read.without_waivers)


def _option_fault(catalogue: Catalogue, name: str, value: object) -> str | None:
    option = catalogue.options.get(name)
    if option is None:
        return f"没有这个选项，可用：{'、'.join(catalogue.options)}"
    kind = {"flag": bool, "choice": str, "list": list}.get(option.type, int)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        return f"与选项的类型 {option.type} 不符（现为 {value!r}）"
    chosen = value if isinstance(value, list) else [value]
    if option.allowed and any(item not in option.allowed for item in chosen):
        return f"可选值：{'、'.join(option.allowed)}（现为 {value!r}）"
    return None


def _option_text(value: bool | int | str | list[str]) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(value) if isinstance(value, list) else str(value)
