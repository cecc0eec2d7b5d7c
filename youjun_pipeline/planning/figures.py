"""The figures of one evaluation as frames that actions change: one frame per dataset, in the shape of its accepted rows.

Belongs here: the frames and the changes to them, on whole columns. Keep out: what an action is and what may be asked of it
(`actions`), reading a database (`judge`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from youjun_pipeline.planning.bands import GRADES, classes_in, even_bands, scaled_bands

DATASETS = ("schools", "teachers", "facilities", "special_rooms", "classes", "class_bands", "school_finance")
STAGES = ("primary", "junior")
FIRST_GRADE = {"primary": 1, "junior": 7}
# Parts of a school's pupils of a stage. They keep their share when the pupils change, because nothing else is known.
PARTS = {"primary": ("catchment_primary_students",), "junior": ("catchment_junior_students",)}
PLACE = ("sheet", "row_number")

Array = np.ndarray


class NotThereError(ValueError):
    """An action needs more than the figures have; the message says what there is."""


@dataclass(frozen=True)
class Figures:
    """Frames by dataset, without the hash of the content; `changed` names the frames that differ from the delivery.

    Immutable: every change returns new figures, which share the unchanged frames.
    """

    frames: Mapping[str, pd.DataFrame]
    changed: frozenset[str] = field(default_factory=frozenset)

    def put(self, **frames: pd.DataFrame) -> Figures:
        """These figures with some frames replaced."""
        return Figures({**self.frames, **frames}, self.changed | frames.keys())

    @property
    def schools(self) -> pd.DataFrame:
        return self.frames["schools"]

    def of(self, school: str, column: str) -> float:
        """A figure of a school in the roster; nan if it was not reported."""
        found = self.schools.loc[self.schools["school_code"] == school, column]
        return float("nan") if found.isna().all() else float(found.iloc[0])

    def stages(self, school: str) -> list[str]:
        """Compulsory stages in which a school has pupils or classes."""
        return [s for s in STAGES if self.of(school, f"{s}_students") > 0 or self._has_classes(school, s)]

    def _has_classes(self, school: str, stage: str) -> bool:
        classes = self.frames["classes"]
        return bool(((classes["school_code"] == school) & (classes["stage"] == stage)).any())

    # ------------------------------------------------------------------------------------------- one school's figure

    def add(
        self, dataset: str, school: str, column: str, quantity: float, stage: str | None = None
    ) -> Figures:
        """Raise a school's figure by `quantity` (lower it if negative); an unreported figure stays unknown.

        Raises NotThereError if the school has no row, or if the figure would fall below zero.
        """
        frame = self.frames[dataset]
        rows = frame["school_code"] == school
        if stage is not None and "stage" in frame:
            rows &= frame["stage"] == stage
        if not rows.any():
            raise NotThereError("该校没有填报这项数据，不能在其上增减")
        rest = frame.loc[rows, column].astype(float) + quantity
        if (rest < -1e-9).any():
            raise NotThereError(f"现有 {_number(rest.iloc[0] - quantity)}，减去 {_number(-quantity)} 后为负")
        frame = frame.copy()
        frame.loc[rows, column] = rest.to_numpy()
        return self.put(**{dataset: frame})

    def add_rooms(self, school: str, kind: str, count: int, area_m2: float) -> Figures:
        """Add `count` music or art rooms of `area_m2` each."""
        rooms = self.frames["special_rooms"]
        taken = int((rooms["school_code"] == school).sum())
        new = pd.DataFrame(
            {
                "school_code": school,
                "kind": kind,
                "room_no": [f"plan-{kind}-{taken + n + 1}" for n in range(count)],
                "area_m2": area_m2,
            }
        )
        return self.put(special_rooms=_joined(rooms, new))

    # ---------------------------------------------------------------------------------------------------------- pupils

    def with_pupils(self, pupils: pd.DataFrame) -> Figures:
        """Replace the pupils by school_code and stage with these whole numbers; the classes follow.

        In a roster each class keeps its share of the pupils; size bands are scaled as intervals (`bands`).
        """
        schools, classes, bands = self.schools.copy(), self.frames["classes"], self.frames["class_bands"]
        touched: set[tuple[str, str]] = set()
        for stage, wanted in pupils.groupby("stage"):
            column = f"{stage}_students"
            target = schools["school_code"].map(wanted.set_index("school_code")["students"])
            before = schools[column].astype(float)
            moved = target.notna() & (target != before)
            schools = _with_share(schools, stage, before, target, moved)
            schools[column] = np.where(moved, target, before)
            touched |= {(code, str(stage)) for code in schools.loc[moved, "school_code"]}
        schools = _with_migrants(schools, self.schools)
        frames = {"schools": schools}
        of_roster = _pairs(classes).isin(touched)
        if of_roster.any():
            frames["classes"] = _scaled_classes(classes, of_roster, schools)
        of_bands = _pairs(bands).isin(touched)
        if of_bands.any():
            frames["class_bands"] = scaled_bands(bands, of_bands, self.schools, schools)
        return self.put(**frames)

    def with_grades(self, pupils: pd.DataFrame) -> Figures:
        """Set pupils by school_code, stage and grade, spread evenly over each grade's present classes; other classes stay.

        The roster's sums stay as they are (`with_pupils` changes them).
        """
        classes = self.frames["classes"]
        key = ["school_code", "stage", "grade"]
        wanted = classes[key].merge(pupils, on=key, how="left")["students"].round().to_numpy(float)
        if np.isnan(wanted).all():
            return self
        count = classes.groupby(key)["class_no"].transform("size").to_numpy(int)
        place = classes.groupby(key).cumcount().to_numpy(int)
        even = np.floor(wanted / count) + (place < np.nan_to_num(wanted % count))
        return self.put(
            classes=classes.assign(students=np.where(np.isnan(wanted), classes["students"], even))
        )

    def move_pupils(
        self, school: str, to_school: str | None, stage: str, count: int, grade: int | None = None
    ) -> Figures:
        """Move pupils of one grade, or of all grades in proportion, to another school; without one they leave the district.

        Raises NotThereError if the school has fewer pupils.
        """
        there = self.of(school, f"{stage}_students")
        classes = self.frames["classes"]
        if grade is not None:
            own = classes[
                (classes["school_code"] == school) & (classes["stage"] == stage) & (classes["grade"] == grade)
            ]
            if own.empty:
                raise NotThereError("该校该年级没有班级名册，请不填年级，按学段分流")
            there = float(own["students"].sum())
        if not there >= count:
            known = "没有填报" if np.isnan(there) else f"只有 {_number(there)} 人"
            raise NotThereError(f"{known}，不能分流 {count} 人")
        ends = [(school, -count)] + ([(to_school, count)] if to_school else [])
        if grade is None:
            rows = [(code, stage, self._pupils(code, stage) + more) for code, more in ends]
            return self.with_pupils(pd.DataFrame(rows, columns=["school_code", "stage", "students"]))
        figures = self
        for code, more in ends:
            figures = figures._grade_changed(code, stage, grade, more)
        return figures

    def _pupils(self, school: str, stage: str) -> float:
        now = self.of(school, f"{stage}_students")
        return 0.0 if np.isnan(now) and not self._has_classes(school, stage) else now

    def _grade_changed(self, school: str, stage: str, grade: int, more: int) -> Figures:
        """Change the number of pupils of one grade: leavers come from the fullest classes, newcomers join the emptiest.

        If a section has only size bands, its grades are not known: then its pupils change as a whole.
        """
        if not self._has_classes(school, stage) and classes_in(self.frames["class_bands"], school, stage):
            now = self._pupils(school, stage)
            rows = [(school, stage, now + more)]
            return self.with_pupils(pd.DataFrame(rows, columns=["school_code", "stage", "students"]))
        classes, schools = self.frames["classes"], self.schools.copy()
        rows = (classes["school_code"] == school) & (classes["stage"] == stage) & (classes["grade"] == grade)
        if rows.any():
            classes = classes.copy()
            total = int(classes.loc[rows, "students"].sum()) + more
            classes.loc[rows, "students"] = _even(total, int(rows.sum()))
        else:
            new = {
                "school_code": school,
                "stage": stage,
                "grade": grade,
                "class_no": "plan-1",
                "students": more,
            }
            classes = _joined(classes, pd.DataFrame([new]))
        column, here = f"{stage}_students", schools["school_code"] == school
        before = schools[column].astype(float)
        target = pd.Series(np.where(here, before.fillna(0) + more, before), schools.index)
        schools = _with_share(schools, stage, before, target, here)
        schools[column] = target
        return self.put(schools=_with_migrants(schools, self.schools), classes=classes)

    def add_classes(self, school: str, stage: str, grade: int | None, count: int) -> Figures:
        """Add `count` classes to each of the grades and spread the grade's pupils evenly over all its classes.

        If a section has only size bands, its pupils are spread over all its classes: bands know no grades.
        """
        classes = self.frames["classes"]
        own = (classes["school_code"] == school) & (classes["stage"] == stage)
        if grade is not None:
            own &= classes["grade"] == grade
        if not own.any():
            return self._first_classes(school, stage, grade, count)
        parts = [classes[~own]]
        for number, rows in classes[own].groupby("grade", sort=True):
            new = pd.DataFrame(
                {
                    "school_code": school,
                    "stage": stage,
                    "grade": number,
                    "class_no": [f"plan-{len(rows) + n + 1}" for n in range(count)],
                }
            )
            together = _joined(rows, new)
            together["students"] = _even(int(rows["students"].sum()), len(together))
            parts.append(together)
        return self.put(classes=_joined(*parts))

    def _first_classes(self, school: str, stage: str, grade: int | None, count: int) -> Figures:
        """Open classes in a section without a roster, such as a new school's, and spread its pupils evenly over them.

        In a district that reports only size bands the new classes are size bands too: a roster would not be read there.
        """
        students, bands = self.of(school, f"{stage}_students"), self.frames["class_bands"]
        there = classes_in(bands, school, stage)
        in_all = there + count * (GRADES[stage] if there and grade is None else 1)
        if in_all < 1 or not students > 0:
            raise NotThereError("该校没有这一学段（年级）的班级名册或学生，不能增班或编班")
        if there or (self.frames["classes"].empty and len(bands)):
            return self.put(class_bands=even_bands(bands, school, stage, int(students), in_all))
        new = pd.DataFrame(
            {
                "school_code": school,
                "stage": stage,
                "grade": grade or FIRST_GRADE[stage],
                "class_no": [f"plan-{n + 1}" for n in range(count)],
                "students": _even(int(students), count),
            }
        )
        return self.put(classes=_joined(self.frames["classes"], new))

    # --------------------------------------------------------------------------------------------------------- schools

    def open_school(self, row: Mapping[str, object], stages: list[str]) -> Figures:
        """Add a school with known zeros, not blanks: no pupils, no teachers, no areas."""
        zeros = {c: 0 for c in self.schools if c.endswith("_students")}
        schools = _joined(self.schools, pd.DataFrame([{**zeros, **row}]))
        code = row["school_code"]
        facilities, teachers = self.frames["facilities"], self.frames["teachers"]
        numbers = [c for c in facilities if c not in (*PLACE, "school_code")]
        facility = pd.DataFrame([{"school_code": code, **dict.fromkeys(numbers, 0)}])
        counts = [c for c in teachers if c not in (*PLACE, "school_code", "stage")]
        staff = pd.DataFrame([{"school_code": code, "stage": s, **dict.fromkeys(counts, 0)} for s in stages])
        return self.put(
            schools=schools, facilities=_joined(facilities, facility), teachers=_joined(teachers, staff)
        )

    def merge_school(self, school: str, to_school: str) -> Figures:
        """Merge a school into another: pupils, classes and teachers go along; buildings and equipment stay behind."""
        figures = self
        schools = self.schools.copy()
        here, there = schools["school_code"] == school, schools["school_code"] == to_school
        for column in [c for c in schools if c.endswith("_students")]:
            moved = schools.loc[here, column].astype(float).iloc[0]
            # if one of the two schools has not reported a figure, their common figure is unknown
            schools.loc[there, column] = schools.loc[there, column].astype(float) + moved
        classes = self.frames["classes"].copy()
        mine = classes["school_code"] == school
        classes.loc[mine, "class_no"] = f"{school}-" + classes.loc[mine, "class_no"].astype(str)
        classes.loc[mine, "school_code"] = to_school
        bands = self.frames["class_bands"].copy()
        bands.loc[bands["school_code"] == school, "school_code"] = to_school
        teachers = self.frames["teachers"].copy()
        teachers.loc[teachers["school_code"] == school, "school_code"] = to_school
        counts = [c for c in teachers if c not in (*PLACE, "school_code", "stage")]
        summed = teachers.groupby(["school_code", "stage"], sort=False)[counts].agg(
            lambda c: c.astype(float).sum(skipna=False)
        )
        return figures.put(
            schools=schools,
            classes=classes,
            class_bands=bands,
            teachers=_joined(teachers.iloc[:0], summed.reset_index()),
        ).without(school)

    def without(self, school: str) -> Figures:
        """The figures without any row of a school."""
        kept = {name: f[f["school_code"] != school].reset_index(drop=True) for name, f in self.frames.items()}
        return self.put(**{name: f for name, f in kept.items() if len(f) < len(self.frames[name])})


def _joined(*frames: pd.DataFrame) -> pd.DataFrame:
    filled = [f for f in frames if len(f)] or [frames[0]]
    return pd.concat(filled, ignore_index=True).reindex(columns=frames[0].columns)


def _pairs(frame: pd.DataFrame) -> pd.Series:
    return pd.Series(list(zip(frame["school_code"], frame["stage"], strict=True)), frame.index, dtype=object)


def _with_share(
    schools: pd.DataFrame, stage: object, before: pd.Series, target: pd.Series, moved: pd.Series
) -> pd.DataFrame:
    """Parts of the stage's pupils at their former share; if the school had no pupils in the stage, all of its new pupils."""
    for column in PARTS.get(str(stage), ()):
        if column in schools:
            part = schools[column].astype(float)
            share = pd.Series(np.where(before > 0, part / before.where(before > 0), 1.0), schools.index)
            schools[column] = np.where(moved, (share * target).round(), part)
    return schools


def _with_migrants(schools: pd.DataFrame, old: pd.DataFrame) -> pd.DataFrame:
    """Migrant children at their share of the compulsory pupils."""
    columns = [f"{s}_students" for s in STAGES]
    before = old[columns].astype(float).sum(axis=1)
    after = schools[columns].astype(float).sum(axis=1)
    moved = (before > 0) & (before != after)
    share = schools["migrant_students"].astype(float) / before.where(before > 0)
    schools["migrant_students"] = np.where(
        moved, (share * after).round(), schools["migrant_students"].astype(float)
    )
    return schools


def _scaled_classes(classes: pd.DataFrame, of_roster: pd.Series, schools: pd.DataFrame) -> pd.DataFrame:
    """Scale the classes of the changed schools: each class keeps its share of the pupils."""
    out = classes.copy()
    long = schools.melt(
        "school_code", [f"{s}_students" for s in STAGES], var_name="stage", value_name="target"
    )
    long["stage"] = long["stage"].str.removesuffix("_students")
    own = out.loc[of_roster, ["school_code", "stage", "students"]].reset_index()
    own = own.merge(long, on=["school_code", "stage"], how="left")
    section = own.groupby(["school_code", "stage"])
    total = section["students"].transform("sum").astype(float)
    exact = own["students"].astype(float) * own["target"].astype(float) / total.where(total > 0)
    whole = np.floor(exact + 1e-9)
    # rounding down leaves pupils over: they go to the classes with the largest remainders
    left = (
        own["target"].astype(float) - whole.groupby([own["school_code"], own["stage"]]).transform("sum")
    ).round()
    order = (whole - exact).groupby([own["school_code"], own["stage"]]).rank(method="first")
    out.loc[own["index"], "students"] = (whole + (order <= left)).to_numpy()
    return out


def _even(total: int, count: int) -> Array:
    """`total` pupils over `count` classes as evenly as whole pupils go."""
    return np.array([total // count + (n < total % count) for n in range(count)])


def _number(value: float) -> str:
    return f"{value:,.2f}".rstrip("0").rstrip(".")
