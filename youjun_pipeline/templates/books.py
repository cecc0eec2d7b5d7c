"""The blank workbooks that districts fill in: one for each dataset; known schools are already in it.

A filled-in template is read like any other file, without a notice: help for filling in is on sheets that mark themselves as no
data (`contracts.model.HELPER_SHEET`), or in columns that the contract calls informational. Belongs here: which rows and columns a
template has. Keep out: how its sheets look (`data_sheet`, `help_sheets`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xlsxwriter

from youjun_pipeline import vocabulary
from youjun_pipeline.contracts import Dataset, load_datasets
from youjun_pipeline.contracts.model import AnyGiven
from youjun_pipeline.ingest.campus import as_written
from youjun_pipeline.ingest.districts import District, scan
from youjun_pipeline.ingest.files import content_hash, read_file
from youjun_pipeline.standard import DEFAULT_STANDARD, Catalogue, available_catalogues, load_catalogue
from youjun_pipeline.templates.data_sheet import Layout, write_data
from youjun_pipeline.templates.help_sheets import write_checks, write_instructions, write_lists
from youjun_pipeline.templates.open_items import OpenItems, open_items

if TYPE_CHECKING:
    import duckdb

# The columns of a roster that stay the same from one delivery to the next; pupils are counted again each time.
LASTING = (
    *("school_code", "school_name", "township", "school_type", "sponsor_code", "urban_rural", "built_year"),
    *("boarding", "dense_urban", "campus"),
)
STAGES = ("primary", "junior", "senior")
STAGE_WORDS = vocabulary.words("stage")

# These are filled from the official statistics workbooks, never by hand.
FROM_FORMS = ("class_bands",)

# A fixed date, so that equal templates have equal bytes: XlsxWriter would write the time of creation.
CREATED = dt.datetime(2000, 1, 1)


class TemplateError(ValueError):
    """Why templates cannot be written; the message, in Chinese, says what to do."""


@dataclass(frozen=True)
class Roster:
    """The schools of a district as last delivered: rows of `schools` with typed values."""

    district: str
    delivery: dt.date | None
    schools: list[dict[str, Any]] = field(default_factory=list)
    catalogue: Catalogue | None = None
    open_items: OpenItems = field(default_factory=OpenItems)

    def stages(self, school: Mapping[str, Any]) -> list[str]:
        """The stages that a school teaches: by its type, or because it has pupils in them."""
        kind = self.catalogue.school_types.get(school["school_type"]) if self.catalogue else None
        return [
            stage
            for stage in STAGES
            if (school[f"{stage}_students"] or 0) > 0
            or (kind is not None and getattr(kind, f"teaches_{stage}"))
        ]


def newest_roster(data: Path, code: str, con: duckdb.DuckDBPyConnection | None = None) -> Roster:
    """The newest delivered roster of a district in the data folder, with the open items of the publication in `con`.

    Raises TemplateError if the district is unknown or has no roster, or if the roster cannot be read.
    """
    districts = {d.code: d for d in scan(data).districts}
    if code not in districts:
        known = "、".join(sorted(districts)) or "没有区县"
        raise TemplateError(f"{data} 中没有区县 {code}；现有：{known}")
    roster = _roster(districts[code])
    return replace(roster, open_items=open_items(con, code)) if con else roster


def _roster(district: District) -> Roster:
    from youjun_pipeline.ingest.validate import validate

    dataset = load_datasets()["schools"]
    files = [file for file in district.files if file.dataset == dataset.name]
    if not files:
        raise TemplateError(f"{district.code} 还没有交付学校名册，请去掉 --district 生成空白模板")
    newest = max(files, key=lambda file: file.delivery)
    result = read_file(newest.path, dataset)
    checked = validate(dataset, result.frame.assign(content_sha256=content_hash(newest.path)))
    failure = result.failure or next(iter(checked.failures.values()), None)
    if failure:
        raise TemplateError(f"{newest.relative}：{failure.message}")
    schools = sorted(map(as_written, checked.accepted.to_pylist()), key=lambda row: row["school_code"])
    known = district.standard in available_catalogues()
    catalogue = load_catalogue(district.standard) if known else None
    return Roster(f"{district.name}（{district.code}）", newest.delivery, schools, catalogue)


def write_templates(folder: Path, roster: Roster | None = None) -> list[Path]:
    """Write a template for every dataset into `folder`, which is created if missing; returns the files in order."""
    folder.mkdir(parents=True, exist_ok=True)
    catalogue = roster.catalogue if roster and roster.catalogue else load_catalogue(DEFAULT_STANDARD)
    paths = []
    for dataset in load_datasets().values():
        if dataset.name in FROM_FORMS:
            continue
        path = folder / f"{dataset.name}.xlsx"
        write_template(path, _of_catalogue(dataset, catalogue), roster, catalogue)
        paths.append(path)
    return paths


def write_scenario_template(folder: Path, roster: Roster | None = None) -> Path:
    """Write the template of a scenario's actions. It is not part of a delivery; it goes into the district's `scenarios/`."""
    from youjun_pipeline.planning.scenario_file import contract

    catalogue = roster.catalogue if roster and roster.catalogue else load_catalogue(DEFAULT_STANDARD)
    path = folder / f"{contract().name}.xlsx"
    write_template(path, contract(), roster, catalogue)
    return path


def write_price_template(folder: Path) -> Path:
    """Write the template of the least-cost plan's prices. It is not part of a delivery; it goes into the district's folder."""
    from youjun_pipeline.planning.least_cost.price_book import contract

    path = folder / f"{contract().name}.xlsx"
    write_template(path, contract(), None, load_catalogue(DEFAULT_STANDARD))
    return path


def write_template(path: Path, dataset: Dataset, roster: Roster | None, catalogue: Catalogue) -> None:
    """Write one template; names of schools are written as text, even if they look like something else."""
    layout = Layout(dataset, _rows(dataset, roster, catalogue), _choices(dataset, roster, catalogue))
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"title": f"{dataset.title}填报模板", "created": CREATED})
        schools = [(s["school_code"], s["school_name"]) for s in roster.schools] if roster else []
        write_data(book, layout, schools)
        write_instructions(
            book, layout, roster.district if roster else "", roster.delivery if roster else None
        )
        write_checks(book, layout)
        write_lists(book, layout, schools)


def _rows(dataset: Dataset, roster: Roster | None, catalogue: Catalogue) -> list[dict[str, Any]]:
    """The rows that are already in the template: column or informational header -> value."""
    if dataset.name == "assurance":
        return _items(dataset, catalogue)
    if dataset.name == "prices":
        return [{"item": words[0]} for words in dataset.columns["item"].values.values()]
    if roster is None:
        return []
    if dataset.name in roster.open_items.rows:
        return roster.open_items.rows[dataset.name]
    if dataset.name == "schools":
        return [{name: school[name] for name in LASTING} for school in roster.schools]
    rows = []
    for school in roster.schools:
        row = {"school_code": school["school_code"], "学校名称": school["school_name"]}
        row |= {"campus": school["campus"]} if "campus" in dataset.columns else {}
        stages = roster.stages(school)
        if dataset.name == "teachers":
            rows += [row | {"stage": STAGE_WORDS[stage]} for stage in stages]
        elif dataset.name in ("facilities", "school_finance") or (
            dataset.name == "graduation_cohorts" and "junior" in stages
        ):
            rows.append(row)
    # Money and graduates are reported once for a school together with all its campuses.
    return list({tuple(row.values()): row for row in rows}.values())


def _choices(dataset: Dataset, roster: Roster | None, catalogue: Catalogue) -> dict[str, Sequence[str]]:
    """Lists for columns of text: indicators, subjects, and the numbers of the plan's measures and milestones."""
    plan = roster.open_items if roster else OpenItems()
    lists: dict[str, Sequence[str]] = {
        "indicator": list(catalogue.indicators),
        "subject": list(catalogue.monitoring.subjects),
    }
    if dataset.name == "scenario_actions" and roster:
        schools = [str(school["school_name"]) for school in roster.schools]
        lists |= {"school": schools, "to_school": schools}
    if dataset.name != "measures":
        lists["measure_no"] = plan.measures
    if dataset.name != "milestones":
        lists["milestone_no"] = plan.milestones
    return {name: words for name, words in lists.items() if name in dataset.columns and words}


def rows_of(dataset: Dataset, roster: Roster) -> list[dict[str, Any]]:
    """The rows that are already in the template of a dataset about schools."""
    return _rows(dataset, roster, roster.catalogue or load_catalogue(DEFAULT_STANDARD))


def _of_catalogue(dataset: Dataset, catalogue: Catalogue) -> Dataset:
    """The dataset with only the items that the catalogue asks for, without those of other stored catalogues."""
    if dataset.name != "assurance":
        return dataset
    asked = set(catalogue.indicators) | {
        f"{code}.{key}" for code, indicator in catalogue.indicators.items() for key in indicator.items
    }
    column = dataset.columns["item"]
    kept = replace(column, values={item: words for item, words in column.values.items() if item in asked})
    return replace(dataset, columns={**dataset.columns, "item": kept})


def _items(dataset: Dataset, catalogue: Catalogue) -> list[dict[str, Any]]:
    """Every item of assurance that is used, with its name and which of its cells must be filled in."""
    wanted: dict[str, list[str]] = {}
    for rule in dataset.rules:
        if isinstance(rule.test, AnyGiven) and "item" in rule.when:
            titles = [dataset.columns[name].zh for name in rule.test.columns]
            for item in rule.when["item"]:
                wanted.setdefault(item, []).extend(titles)
    rows = []
    for item, words in dataset.columns["item"].values.items():
        name = words[0] if words else catalogue.indicators[item].name if item in catalogue.indicators else ""
        rows.append({"item": item, "指标项名称": name, "填写栏目": "、".join(wanted.get(item, []))})
    return rows
