"""What `check.py` prints and compares, per district.

Belongs here: tables of results, comparison with the published counts and names, plausibility of the rosters.
Keep out: computing the standard (`check.py`), reading files (`check_read.py`).
"""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from types import ModuleType

import check
from check import LIMIT, District, J, P

STAGES = (P, J)


def strip(name: str, townships: set[str]) -> str:
    """A school's name without 街/街道, a leading township, and 中心 before 小学."""
    name = name.replace("街道", "街")
    for township in sorted((t.replace("街道", "街") for t in townships), key=len, reverse=True):
        if name.startswith(township):
            name = name.removeprefix(township)
            break
    return re.sub("中心(?=小学|中学)", "", name)


def resolver(d: District) -> dict[str, str]:
    """Every spelling that leads to a school: its name, its short name, its aliases."""
    townships = {row["township"] for row in d.schools.values()}
    names: dict[str, str] = {}
    short: dict[str, set[str]] = {}
    for code, row in d.schools.items():
        names[row["school_name"]] = code
        short.setdefault(strip(row["school_name"], townships), set()).add(code)
    names |= {spelling: codes.copy().pop() for spelling, codes in short.items() if len(codes) == 1}
    return names | {row["alias"]: row["school_code"] for row in d.files["school_aliases"]}


def resolve(d: District, name: str) -> str | None:
    names, townships = resolver(d), {row["township"] for row in d.schools.values()}
    return names.get(name) or names.get(strip(name, townships))


def print_table(d: District, title: str) -> None:
    failing = d.failing()
    print(f"\n{title}：小学学部 {len(d.sections(P))}，初中学部 {len(d.sections(J))}")
    print("指标  小学不达标 初中不达标  小学差异系数     初中差异系数")
    for indicator in [*LIMIT, "G3", "G4", "G5"]:
        counts = [len(failing.get((indicator, s), [])) for s in STAGES]
        line = f"{indicator:4}  {counts[0]:8}  {counts[1]:8}"
        if indicator in LIMIT:
            for stage in STAGES:
                cv, _, _ = d.cv(stage, indicator)
                line += f"   {cv:.3f} {'超' if d.cv_is_over(stage, indicator) else '　'}      "
        both = failing.get((indicator, "义务教育"))
        print(line + (f" 义务教育 {len(both)}" if both else ""))
    schools = {s: {c for (_, stage), codes in failing.items() if stage == s for c in codes} for s in STAGES}
    total = set().union(*map(set, failing.values()))
    print(f"不达标学校 {len(total)}（小学 {len(schools[P])}，初中 {len(schools[J])}）；"
          f"质量监测 {check.monitoring_failing(d.files['quality_monitoring'])}；"
          f"其余指标不达标 {check.other_failing(d)}；不计过渡政策另超规模 "
          f"{[d.name(c) for c in d.size_failing(strict=True) if c not in d.size_failing()]}")  # fmt: skip


def near_misses(d: District, allowed: dict[tuple[str, str], set[str]], margin: str = "1.01") -> list[str]:
    """Passing values closer than the margin to their threshold: they would pass by accident."""
    out = []
    for indicator, limits in LIMIT.items():
        for stage in STAGES:
            for code in d.sections(stage):
                value = d.value(code, stage, indicator)
                if limits[stage] <= value < limits[stage] * check.F(margin):
                    out.append(f"{d.name(code)} {stage} {indicator} 只有 {float(value):.3f}")
            over = d.cv(stage, indicator)[0] / float(check.CV_LIMIT[stage])
            if 0.97 < over < 1.03:
                out.append(f"{indicator} {stage} 差异系数离限值太近：{over:.3f} 倍")
    return out


def roster_faults(d: District) -> list[str]:
    """Figures that contradict each other."""
    out = []
    for code in d.schools:
        if not re.fullmatch(r"\d{10}", code):
            out.append(f"学校标识码 {code}")
        if code not in d.facilities:
            out.append(f"{d.name(code)} 没有办学条件")
        for stage in STAGES:
            n = d.pupils(code, stage)
            if n != sum(d.classes[code, stage]):
                out.append(f"{d.name(code)} {stage} 班级合计 {sum(d.classes[code, stage])}，学生 {n}")
            if n:
                t = {k: int(x) for k, x in d.teachers[code, stage].items() if x.isdigit()}
                if t["doctorate"] + t["master"] + t["bachelor"] + t["associate"] > t["full_time"]:
                    out.append(f"{d.name(code)} {stage} 学历合计超过专任教师")
                if t["pe"] + t["music"] + t["fine_art"] + t["backbone"] > t["full_time"]:
                    out.append(f"{d.name(code)} {stage} 骨干和体艺教师超过专任教师")
    return out


def wuqing(folder: Path, plan: ModuleType) -> list[str]:
    """The first delivery against the published result, then the later ones for a look."""
    d = District(folder, dt.date(2023, 9, 30))
    print_table(d, "武清 2023-09-30")
    failing, problems = d.failing(), roster_faults(d) + near_misses(d, {})
    keys = set(plan.FAILING) | set(failing)
    for key in sorted(keys):
        computed = {d.name(c) for c in failing.get(key, [])}
        published = plan.FAILING.get(key, "").split("、") if key in plan.FAILING else []
        codes = [resolve(d, name) for name in published]
        problems += [
            f"{key} 找不到 {name}" for name, code in zip(published, codes, strict=True) if code is None
        ]
        if computed != {d.name(c) for c in codes if c}:
            problems.append(f"{key} 计算 {sorted(computed)}，公布 {published}")
    over = {(i, s) for i in LIMIT for s in STAGES if d.cv_is_over(s, i)}
    if over != set(plan.CV_OVER):
        problems.append(f"差异系数 {over}")
    for stage, count in plan.DISTINCT.items():
        found = {c for (_, s), codes in failing.items() if s == stage for c in codes}
        if len(found) != count:
            problems.append(f"{stage} 不达标学校 {len(found)}，应为 {count}")
    problems += plan_faults(d, plan, failing)
    if check.monitoring_failing(d.files["quality_monitoring"]) != ["4年级科学", "8年级科学", "4年级语文"]:
        problems.append(f"质量监测 {check.monitoring_failing(d.files['quality_monitoring'])}")
    problems += [f"{i} 不应不达标" for i in check.other_failing(d)]
    print_published(plan, failing, over)
    days = sorted(dt.date.fromisoformat(f.name) for f in (folder / "deliveries").iterdir())
    for day in days[1:]:
        later = District(folder, day)
        print_table(later, f"武清 {day}")
        problems += roster_faults(later)
    return problems


def print_published(plan: ModuleType, failing: dict, over: set) -> None:
    print("\n指标  学段  公布所数 计算所数   公布差异系数 计算差异系数")
    claimed = {(i, s): n for i, s, n in plan.CLAIMED}
    for indicator in [*LIMIT, "G3", "G4", "G5"]:
        for stage in STAGES:
            key = (indicator, stage)
            marks = ("超" if key in plan.CV_OVER else "—", "超" if key in over else "—")
            cvs = f"{marks[0]:>10} {marks[1]:>10}" if indicator in LIMIT else ""
            print(f"{indicator:4}  {stage}  {claimed.get(key, 0):6}  {len(failing.get(key, [])):6} {cvs}")


def plan_faults(d: District, plan: ModuleType, failing: dict) -> list[str]:
    """Annex measures cover every failing school exactly once; names in the delivered plan lead to schools."""
    out = []
    covered: dict[tuple[str, str], list[str | None]] = {}
    for row in d.files["measures"]:
        names = row["school_names"].split("、") if row["school_names"] else []
        codes = [resolve(d, name) for name in names]
        out += [
            f"措施 {row['measure_no']} 找不到 {n}" for n, c in zip(names, codes, strict=True) if c is None
        ]
        if row["source"] == "附件":
            covered.setdefault((row["indicator"], row["stage"]), []).extend(codes)
    for key, codes in failing.items():
        if sorted(covered.get(key, []), key=str) != sorted(codes):
            out.append(f"{key} 附件措施与不达标学校不一致")
    numbers = {row["measure_no"] for row in d.files["measures"]}
    out += [f"节点 {r['milestone_no']} 的措施不存在" for r in d.files["milestones"]
            if r["measure_no"] and r["measure_no"] not in numbers]  # fmt: skip
    return out


def baodi(folder: Path) -> list[str]:
    if not folder.exists():
        return []
    problems: list[str] = []
    for day in sorted(dt.date.fromisoformat(f.name) for f in (folder / "deliveries").iterdir()):
        d = District(folder, day)
        print_table(d, f"宝坻 {day}")
        problems += roster_faults(d) + near_misses(d, {})
        allowed = {"2020": {"R6", "G4", "G5"}, "2021": {"R6", "G5"}, "2022": set()}[str(day.year)]
        found = {i for (i, _), codes in d.failing().items() if codes}
        if found != allowed:
            problems.append(f"宝坻 {day} 不达标指标 {found}，应为 {allowed}")
        problems += [f"宝坻 {day} {i} {s} 差异系数超限" for i in LIMIT for s in STAGES if d.cv_is_over(s, i)]
        problems += [f"宝坻 {day} {i} 不应不达标" for i in check.other_failing(d)]
        if check.monitoring_failing(d.files["quality_monitoring"]):
            problems.append(f"宝坻 {day} 质量监测不达标")
    return problems
