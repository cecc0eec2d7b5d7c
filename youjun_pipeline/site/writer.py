"""Writes pages: the folder of the site, the templates, and the functions that every template can call.

Keep out: what a page shows (the modules named after the pages), how it looks (templates, assets).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

from youjun_pipeline.contracts import load_datasets
from youjun_pipeline.reports.naming import item_words
from youjun_pipeline.reports.words import floor_word
from youjun_pipeline.site import names, words
from youjun_pipeline.site.basis import page_of
from youjun_pipeline.site.derivation import how_anchor
from youjun_pipeline.site.wall import unknown_schools
from youjun_pipeline.standard import load_catalogue

HERE = Path(__file__).parent
TEMPLATES, ASSETS = HERE / "templates", HERE / "assets"

FORMULA_STARTS = ("=", "+", "-", "@")
NUMBER = re.compile(r"[+-]?[\d,.]+ ?%?")
WORD_JOINER = "\u2060"

# At most this many workbooks of an evaluation are linked; more would mean one for each school.
FEW_FILES = 8
PLANS = "一校一案"


class Writer:
    """Writes pages into the folder of the site; the documents beside the site are looked up in `published`."""

    def __init__(self, folder: Path, published: Path) -> None:
        self.folder = folder
        self.published = published
        self.pages = 0
        self._environment = _environment()
        self._made: set[Path] = set()

    def write(self, page: str, template: str, context: dict[str, Any]) -> None:
        """Render `template` to the file `page` (relative to the site)."""
        path = self.folder / page
        if path.parent not in self._made:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._made.add(path.parent)
        values = {"root": names.root_of(page), "page": page, **context}
        path.write_text(self._environment.get_template(template).render(values), encoding="utf-8")
        self.pages += 1

    def documents(self, district: str, phase: str) -> list[tuple[str, str]]:
        """Papers about an evaluation: the name of each and its path, relative to the site."""
        found = []
        if (self.published / "official" / district / f"{phase}.xlsx").is_file():
            found.append(("申报表（Excel）", f"../official/{_segment(district)}/{_segment(phase)}.xlsx"))
        for room in ("papers", "schools"):
            folder = self.published / room / district / phase
            files = sorted(f.name for f in folder.glob("*.*") if f.is_file()) if folder.is_dir() else []
            if len(files) <= FEW_FILES:
                way = f"../{room}/{_segment(district)}/{_segment(phase)}/"
                found += [(_label(name), way + _segment(name)) for name in files]
        return found

    def school_plans(self, district: str, phase: str) -> dict[str, str]:
        """The paths of the plans (一校一案) of an evaluation's schools, by school code, for schools with a plan."""
        folder = self.published / "schools" / district / phase / PLANS
        way = "/".join(_segment(part) for part in ("schools", district, phase, PLANS))
        return {f.stem.split("_")[0]: f"../{way}/{_segment(f.name)}" for f in sorted(folder.glob("*.docx"))}

    def common_documents(self) -> list[tuple[str, str]]:
        """Documents about the whole publication."""
        place = "data_docs/index.html"
        return [("数据检验报告", f"../{place}")] if (self.published / place).is_file() else []


def _label(name: str) -> str:
    """A paper's name and its format, because a page of the site may have the same name."""
    kind = {".xlsx": "Excel", ".docx": "Word", ".svg": "A0 图"}.get(Path(name).suffix)
    return f"{Path(name).stem}（{kind}）" if kind else name


def _segment(name: str) -> str:
    """A file's name as one segment of a URL."""
    return quote(name, safe="")


def _environment() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        auto_reload=False,
        finalize=_harmless,
    )
    filters = (words.number, words.plain, words.percent, words.day, words.moment, words.slippage)
    environment.filters |= {f.__name__: f for f in filters} | {"dataset_title": _dataset_title}
    environment.globals |= {
        "words": words,
        "names": names,
        "measure_of": words.measure_of,
        "dataset_title": _dataset_title,
        "column_title": _column_title,
        "page_of": page_of,
        "initials": words.initials,
        "item_words": item_words,
        "unknown_schools": unknown_schools,
        "standard_name": lambda e: load_catalogue(e.standard_id).name,
        "how_anchor": how_anchor,
        "floor_word": lambda e: floor_word(load_catalogue(e.standard_id)),
    }
    return environment


def _harmless(value: Any) -> Any:
    """Text that a spreadsheet could run as a formula after copying; it gets an invisible joiner at its beginning."""
    if isinstance(value, str) and value[:1] in FORMULA_STARTS and not NUMBER.fullmatch(value):
        return type(value)(WORD_JOINER) + value
    return value


def _dataset_title(name: str | None) -> str:
    """A dataset's Chinese title; an unknown name is returned as it is."""
    return load_datasets()[name].title if name in load_datasets() else name or ""


def _column_title(dataset: str | None, column: str | None) -> str:
    """A column's Chinese header; an unknown name is returned as it is."""
    columns = load_datasets()[dataset].columns if dataset in load_datasets() else {}
    return columns[column].zh if column and column in columns else column or ""
