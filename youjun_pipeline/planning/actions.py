"""What a scenario does: its actions, what each needs, and what each changes in the figures.

An action names schools, an item and a quantity. Carrying it out on `Figures` gives changed figures, or a problem in words. Keep
out: files (`scenario_file`), how the changed figures are judged (`judge`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import pandas as pd

from youjun_pipeline.contracts import load_datasets
from youjun_pipeline.contracts.model import fold_word
from youjun_pipeline.planning.figures import STAGES, Figures, NotThereError

ROOM_KINDS = {"音乐": "music", "music": "music", "美术": "art", "art": "art"}
MULTIMEDIA = "multimedia_rooms"
WHOLE_DISTRICT = ("全区", "全县", "全市")
# Columns in which every teacher counts, whatever other columns he counts in. Nobody may teach without a certificate, and every
# teacher takes part in the training. So a new teacher counts in these columns too, as in the least-cost plan; otherwise each new
# teacher would lower G9 and G12.
EVERY_TEACHER = ("full_time", "staff", "certified", "trained_360h")


@dataclass(frozen=True)
class Action:
    """One action with its names resolved: schools are codes, items are columns. `row` is its place in its file."""

    action_no: str
    kind: str
    effective_on: date
    school: str | None = None
    to_school: str | None = None
    stage: str | None = None
    grade: int | None = None
    scope: str | None = None
    item: str | None = None
    quantity: float | None = None
    area_m2: float | None = None
    value: str | None = None
    school_type: str | None = None
    urban_rural: str | None = None
    township: str | None = None
    measure_no: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class Step:
    """A scenario so far: the figures, and the rules that the actions changed."""

    figures: Figures
    options: Mapping[str, str] = field(default_factory=dict)
    standard_id: str | None = None


@dataclass(frozen=True)
class Needs:
    """What an action must say (`fields`) and may say (`may`). Other fields would be ignored, so they are refused."""

    fields: tuple[str, ...]
    may: tuple[str, ...]
    apply: Callable[[Step, Action, Forecast], Step]


# From a school year to the pupils forecast for that year, by school code and stage.
Forecast = Callable[[int], pd.DataFrame]


class ActionError(ValueError):
    """An action that cannot be carried out: its faulty field, what is wrong with it, and what to do."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column


def carry_out(start: Step, action: Action, forecast: Forecast) -> Step:
    """The scenario after an action. Raises ActionError where the figures do not allow it."""
    try:
        return KINDS[action.kind].apply(start, action, forecast)
    except NotThereError as error:
        raise ActionError("quantity", str(error)) from error


def _one_of(dataset: str, word: str | None, what: str, only: Callable[[str], bool] = lambda _: True) -> str:
    """The number column of a dataset that a word means. For an unknown word, the error lists the words to choose from."""
    items = {w: c for w, c in columns_of(dataset).items() if only(c)}
    found = items.get(fold_word(word or ""))
    if found is None:
        columns = load_datasets()[dataset].columns
        known = "、".join(columns[c].zh for c in dict.fromkeys(items.values()))
        raise ActionError("item", f"“{word or ''}”不是{what}；可填：{known}")
    return found


def columns_of(dataset: str) -> dict[str, str]:
    """Every way to write a number column of a dataset, folded, to the column."""
    return {
        fold_word(word): c.name
        for c in load_datasets()[dataset].columns.values()
        if c.type in ("amount", "count") and not c.name.endswith("_students")
        for name in (c.name, c.zh, *c.aliases, c.zh.split("(")[0].split("（")[0])
        for word in (name, name.removesuffix("数"), name.removesuffix("数").removesuffix("教师"))
        if word
    }


def _whole(action: Action) -> int:
    quantity = action.quantity or 0.0
    if quantity != int(quantity):
        raise ActionError("quantity", f"{quantity:g} 不是整数，人、间、班应为整数")
    return int(quantity)


def _facility(step: Step, action: Action, column: str, quantity: float, school: str | None = None) -> Step:
    figures = step.figures.add("facilities", school or action.school or "", column, quantity)
    return replace(step, figures=figures)


def _extend(step: Step, action: Action, _: Forecast) -> Step:
    column = _one_of("facilities", action.item, "面积项目", lambda c: c.endswith("_area_m2"))
    step = _facility(step, action, column, action.quantity or 0)
    if column == "indoor_sports_area_m2":
        # the statistics count the indoor sports area within the teaching and auxiliary area
        step = _facility(step, action, "teaching_area_m2", action.quantity or 0)
    return step


def _lease(step: Step, action: Action, _: Forecast) -> Step:
    return _facility(step, action, "rented_sports_area_m2", action.quantity or 0)


def _add_rooms(step: Step, action: Action, _: Forecast) -> Step:
    kind, count = ROOM_KINDS.get((action.item or "").removesuffix("教室")), _whole(action)
    if kind is None:
        words = {w for w, c in columns_of("facilities").items() if c == MULTIMEDIA} | {
            fold_word("网络多媒体")
        }
        if fold_word(action.item or "") not in words:
            raise ActionError("item", f"“{action.item}”不是教室类别；可填：音乐、美术、网络多媒体教室")
        return _facility(step, action, MULTIMEDIA, count)
    if action.area_m2 is None:
        raise ActionError("area_m2", "音乐、美术教室按面积判定，请填每间面积（㎡）")
    return replace(step, figures=step.figures.add_rooms(action.school or "", kind, count, action.area_m2))


def _buy(step: Step, action: Action, _: Forecast) -> Step:
    return _facility(step, action, "equipment_value_wan", action.quantity or 0)


def _move_equipment(step: Step, action: Action, _: Forecast) -> Step:
    column = _one_of("facilities", action.item, "数据项") if action.item else "equipment_value_wan"
    if column not in ("equipment_value_wan", MULTIMEDIA):
        raise ActionError("item", "只有设备和网络多媒体教室的设备可以调配，房屋和场地不能")
    step = _facility(step, action, column, -(action.quantity or 0))
    return _facility(step, action, column, action.quantity or 0, action.to_school)


def _take_out(step: Step, action: Action, _: Forecast) -> Step:
    column = _one_of("facilities", action.item, "数据项")
    return _facility(step, action, column, -(action.quantity or 0))


def _teacher_columns(action: Action) -> list[str]:
    named = [
        _one_of("teachers", w, "教师类别")
        for w in (action.item or "").replace("，", "、").split("、")
        if w.strip()
    ]
    return list(dict.fromkeys([*EVERY_TEACHER, *named]))


def _teachers(step: Step, action: Action, school: str, count: int, columns: Iterable[str]) -> Step:
    figures = step.figures
    for column in columns:
        figures = figures.add("teachers", school, column, count, action.stage)
    return replace(step, figures=figures)


def _add_teachers(step: Step, action: Action, _: Forecast) -> Step:
    return _teachers(step, action, action.school or "", _whole(action), _teacher_columns(action))


def _move_teachers(step: Step, action: Action, _: Forecast) -> Step:
    count, columns = _whole(action), _teacher_columns(action)
    rows = step.figures.frames["teachers"]
    own = rows[(rows["school_code"] == action.school) & (rows["stage"] == action.stage)]
    # A teacher who moves counts as certified and trained if his school has enough such teachers; the district's sums stay the
    # same.
    columns = [c for c in columns if c not in EVERY_TEACHER[2:] or not (own[c].astype(float) < count).any()]
    step = _teachers(step, action, action.school or "", -count, columns)
    return _teachers(step, action, action.to_school or "", count, columns)


def _qualify_teachers(step: Step, action: Action, _: Forecast) -> Step:
    """Count teachers who are already there in more columns; no teacher is added."""
    columns = [c for c in _teacher_columns(action) if c not in EVERY_TEACHER]
    if not columns:
        raise ActionError("item", "请填写教师类别，如“骨干教师”")
    figures = step.figures
    for column in columns:
        figures = figures.add("teachers", action.school or "", column, _whole(action), action.stage)
    return replace(step, figures=figures)


def _divert(step: Step, action: Action, _: Forecast) -> Step:
    figures = step.figures.move_pupils(
        action.school or "", action.to_school, _stage(step, action), _whole(action), action.grade
    )
    return replace(step, figures=figures)


def _stage(step: Step, action: Action) -> str:
    if action.stage:
        return action.stage
    stages = step.figures.stages(action.school or "")
    if len(stages) != 1:
        raise ActionError("stage", "该校有多个学段，请填学段")
    return stages[0]


def _add_classes(step: Step, action: Action, _: Forecast) -> Step:
    count = _whole(action)
    return replace(
        step,
        figures=step.figures.add_classes(action.school or "", _stage(step, action), action.grade, count),
    )


def _regroup(step: Step, action: Action, _: Forecast) -> Step:
    return replace(
        step, figures=step.figures.add_classes(action.school or "", _stage(step, action), action.grade, 0)
    )


def _open(step: Step, action: Action, _: Forecast) -> Step:
    types = {"小学": ["primary"], "初级中学": ["junior"], "九年一贯制学校": ["primary", "junior"]}
    stages = types.get(action.school_type or "", [action.stage] if action.stage else list(STAGES))
    row = {
        "school_code": action.value,
        "school_name": action.school,
        "school_type": action.school_type,
        "urban_rural": action.urban_rural,
        "township": action.township,
        "sponsor_code": 1,
        "built_year": action.effective_on.year,
        "boarding": False,
        "dense_urban": False,
    }
    return replace(step, figures=step.figures.open_school(row, [s for s in stages if s]))


def _merge(step: Step, action: Action, _: Forecast) -> Step:
    return replace(step, figures=step.figures.merge_school(action.school or "", action.to_school or ""))


def _close(step: Step, action: Action, _: Forecast) -> Step:
    left = {s: step.figures.of(action.school or "", f"{s}_students") for s in STAGES}
    if any(n > 0 for n in left.values()):
        total = sum(n for n in left.values() if n > 0)
        raise ActionError("school", f"该校还有 {total:.0f} 名学生：请先分流，或改用“并入学校”")
    return replace(step, figures=step.figures.without(action.school or ""))


def _set_pupils(step: Step, action: Action, _: Forecast) -> Step:
    row = {"school_code": action.school, "stage": _stage(step, action), "students": float(_whole(action))}
    return replace(step, figures=step.figures.with_pupils(pd.DataFrame([row])))


def in_scope(schools: pd.DataFrame, action: Action) -> pd.Series:
    """The schools of the roster that an action is about: the one it names, or all of its scope."""
    if action.school:
        return schools["school_code"] == action.school
    if action.scope in WHOLE_DISTRICT:
        return pd.Series(True, schools.index)
    found = pd.Series(False, schools.index)
    for column in ("urban_rural", "township", "school_type"):
        found |= schools[column] == action.scope
    if not found.any():
        known = sorted(
            {str(v) for c in ("urban_rural", "township", "school_type") for v in schools[c].dropna()}
        )
        raise ActionError("scope", f"“{action.scope or ''}”不是范围；可填：全区、{'、'.join(known)}")
    return found


def _of_scope(step: Step, action: Action) -> pd.DataFrame:
    """school_code, stage and pupils of every section that an action is about; unknown pupils are left out."""
    schools = step.figures.schools[in_scope(step.figures.schools, action)]
    # when the roll of a whole school falls, the senior pupils fall too: they count in the split
    stages = [action.stage] if action.stage else [*STAGES, "senior"]
    long = pd.concat(
        [
            pd.DataFrame(
                {
                    "school_code": schools["school_code"],
                    "stage": s,
                    "students": schools[f"{s}_students"].astype(float),
                }
            )
            for s in stages
        ]
    )
    return long[long["students"] > 0]


def _scale(step: Step, action: Action, _: Forecast) -> Step:
    if (action.quantity or 0) < 0:
        raise ActionError("quantity", "百分数不能为负；90 表示减到九成")
    pupils = _of_scope(step, action)
    scaled = np.floor(pupils["students"] * (action.quantity or 0) / 100 + 0.5)
    return replace(step, figures=step.figures.with_pupils(pupils.assign(students=scaled)))


def _forecast(step: Step, action: Action, forecast: Forecast) -> Step:
    said = forecast(_whole(action))
    if said.empty:
        raise ActionError(
            "quantity", f"没有 {action.quantity:g} 年的预测：预测从最近一学年的下一年起，最多九年"
        )
    pupils = _of_scope(step, action)[["school_code", "stage"]].merge(said, on=["school_code", "stage"])
    return replace(step, figures=step.figures.with_pupils(pupils.assign(students=pupils["students"].round())))


def _set_option(step: Step, action: Action, _: Forecast) -> Step:
    return replace(step, options={**step.options, action.item or "": action.value or ""})


def _set_standard(step: Step, action: Action, _: Forecast) -> Step:
    return replace(step, standard_id=action.value)


_ALWAYS = ("measure_no", "note")
KINDS: dict[str, Needs] = {
    "extend": Needs(("school", "item", "quantity"), (), _extend),
    "lease": Needs(("school", "quantity"), ("item",), _lease),
    "add_rooms": Needs(("school", "item", "quantity"), ("area_m2",), _add_rooms),
    "buy_equipment": Needs(("school", "quantity"), ("item",), _buy),
    "move_equipment": Needs(("school", "to_school", "quantity"), ("item",), _move_equipment),
    "take_out": Needs(("school", "item", "quantity"), (), _take_out),
    "add_teachers": Needs(("school", "stage", "quantity"), ("item",), _add_teachers),
    "move_teachers": Needs(("school", "to_school", "stage", "quantity"), ("item",), _move_teachers),
    "qualify_teachers": Needs(("school", "stage", "item", "quantity"), (), _qualify_teachers),
    "divert_pupils": Needs(("school", "quantity"), ("to_school", "stage", "grade"), _divert),
    "add_classes": Needs(("school", "quantity"), ("stage", "grade"), _add_classes),
    "regroup": Needs(("school",), ("stage", "grade"), _regroup),
    "open_school": Needs(("school", "value", "school_type", "urban_rural"), ("township", "stage"), _open),
    "merge_school": Needs(("school", "to_school"), (), _merge),
    "close_school": Needs(("school",), (), _close),
    "set_pupils": Needs(("school", "quantity"), ("stage",), _set_pupils),
    "scale_pupils": Needs(("quantity",), ("school", "scope", "stage"), _scale),
    "forecast_pupils": Needs(("quantity",), ("school", "scope", "stage"), _forecast),
    "set_option": Needs(("item", "value"), (), _set_option),
    "set_standard": Needs(("value",), (), _set_standard),
}


def missing_fields(kind: str, given: Iterable[str]) -> list[str]:
    """Fields that an action of this kind needs and does not have."""
    there = set(given)
    missing = [f for f in KINDS[kind].fields if f not in there]
    if kind in ("scale_pupils", "forecast_pupils") and not there & {"school", "scope"}:
        missing.append("scope")
    return missing


def surplus_fields(kind: str, given: Iterable[str]) -> list[str]:
    """Fields that have no effect on an action of this kind."""
    known = {"action_no", "action", "effective_on", *KINDS[kind].fields, *KINDS[kind].may, *_ALWAYS}
    return [f for f in given if f not in known]
