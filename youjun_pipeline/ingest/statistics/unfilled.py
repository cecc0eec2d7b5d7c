"""Forms that were delivered as printed, without a single figure.

On a form with at least one entry, a blank is 0. A form of teachers, classes or buildings without any entry, in a stage or school
with pupils, was not filled in: its figures are not reported. Also not reported are blank pupils of a stage that has classes, and
all figures of a school without a single figure. Teachers without pupils are kept, with a notice. Belongs here: which entries were
not filled in. Keep out: what an entry means (cells.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from youjun_pipeline.ingest.statistics.cells import ATTACHED, SCHOOL, Cell, number
from youjun_pipeline.ingest.statistics.layouts import STAGE_NAMES
from youjun_pipeline.vocabulary import shortened

_STAGE_OF = {"primary_students": "primary", "junior_students": "junior", "senior_students": "senior"}
_FORMS = {"teachers": "教师", "class_bands": "班额", "facilities": "校舍和设备"}
# A form with no other entry may well be blank: a school without backbone teachers leaves that form blank.
_MAY_BE_BLANK = frozenset({"backbone"})
# How every notice about unfilled forms ends if it deserves a warning.
NOT_REPORTED = ("按没有填报处理", "按没有学生处理")


def without_unfilled(
    sources: Sequence[tuple[str, Cell]], identity: frozenset[str], notices: list[str]
) -> set[int]:
    """Indices of the entries of a delivery, each with its file, that were not filled in; notices name what is left out."""
    figures = [(i, file, cell) for i, (file, cell) in enumerate(sources) if cell.column not in identity]
    filled = {cell.school_code for _, _, cell in figures if _says(cell)}
    with_pupils, with_classes, with_teachers = (set[tuple[str, str]]() for _ in range(3))
    for _, _, cell in figures:
        if (number(cell.value) or 0) <= 0:
            continue
        if stage := _STAGE_OF.get(cell.column):
            with_pupils |= {(cell.school_code, stage), (cell.school_code, "")}
        elif cell.dataset == "class_bands":
            with_classes.add((cell.school_code, cell.stage))
        elif cell.column == "full_time":
            with_teachers.add((cell.school_code, cell.stage))
    forms: dict[tuple[str, str, str, str, str], list[tuple[int, Cell]]] = {}
    for i, file, cell in figures:
        # The school with the attached classes reports its buildings itself.
        if cell.role == SCHOOL or (cell.role == ATTACHED and cell.dataset != "facilities"):
            forms.setdefault((file, cell.sheet, cell.school_code, cell.dataset, cell.stage), []).append(
                (i, cell)
            )
    found = set[int]()
    told = dict[tuple[str, str], list[str]]()
    for (file, sheet, school, dataset, stage), entries in forms.items():
        if any(_says(cell) for _, cell in entries):
            continue
        if school not in filled:
            what = "的报表没有填写任何数"
        elif (
            dataset in _FORMS
            and (school, stage) in with_pupils
            and not _MAY_BE_BLANK.issuperset(cell.column for _, cell in entries)
        ):
            what = f"有学生，而工作表“{sheet}”的{_FORMS[dataset]}没有填写任何数"
        elif pupils := {(school, _STAGE_OF.get(cell.column, "")) for _, cell in entries} & with_classes:
            what = f"有{STAGE_NAMES[max(pupils)[1]]}班，而没有填写学生数"
        else:
            continue
        told.setdefault((file, what), []).append(school)
        found.update(i for i, _ in entries)
    notices += [
        f"{file}：{shortened(list(dict.fromkeys(schools)))} {what}，{NOT_REPORTED[0]}"
        for (file, what), schools in told.items()
    ]
    alone = {
        (file, cell.school_code): None
        for i, file, cell in figures
        if cell.role == SCHOOL
        and i not in found
        and not _says(cell)
        and (cell.school_code, _STAGE_OF.get(cell.column, "")) in with_teachers
    }
    notices += [f"{file}：{school} 有专任教师，而学生数空白，{NOT_REPORTED[1]}" for file, school in alone]
    return found


def _says(cell: Cell) -> bool:
    return bool(cell.value) and cell.value[0] not in "*＊"
