"""A hostile delivery: a name, how it is written, and the result that reading it must have.

Belongs here: the shape that all kinds share. Keep out: the kinds themselves (bomb_books, bomb_files, bomb_folders).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

DISTRICT, DAY = "110101-north", "2023-08-31"
# Stands in files outside of the data folder: wherever it turns up again, something was read that must not be.
SECRET = "MARKER-OUTSIDE-THE-DATA-FOLDER"

GOOD_CSV = (
    "学校标识码,学段,年级,班号,学生数\n2111000001,小学,一年级,1,42\n2111000001,小学,一年级,2,44\n".encode()
)

DISTRICT_TOML = """code = "110101"
name = "北区"
standard = "national-2017"
[options]
[plan]
title = "方案"
document_number = ""
issued_on = 2023-01-01
[data]
origin = "reported"
[[phase]]
id = "2023-first"
name = "第一阶段"
starts = 2023-07-01
ends = 2023-09-30
"""


@dataclass(frozen=True)
class Bomb:
    """A hostile delivery. `write` gets the delivery's folder; the words in `says` must be in the messages about it.

    `harmless`: the delivery may be read, but it must not cost more than others. `rule` is the rule of the failure.
    """

    name: str
    write: Callable[[Path], object]
    says: tuple[str, ...] = ("无法读取", "请")
    rule: str | None = "file_unreadable"
    harmless: bool = False


def district_of(delivery: Path) -> Path:
    """The district's folder that contains a delivery."""
    return delivery.parents[1]


def outside(delivery: Path) -> Path:
    """A folder beside the data folder, from which nothing may be read."""
    return delivery.parents[3] / "outside"


def lay_out(root: Path) -> Path:
    """A good district below `root` and the secret beside it; returns the delivery's folder."""
    delivery = root / "data" / DISTRICT / "deliveries" / DAY
    delivery.mkdir(parents=True)
    (delivery.parents[1] / "district.toml").write_text(DISTRICT_TOML, encoding="utf-8")
    secret = outside(delivery)
    secret.mkdir()
    (secret / "classes.csv").write_bytes(GOOD_CSV + f"2111000009,小学,一年级,{SECRET},44\n".encode())
    (secret / "secret.txt").write_text(SECRET, encoding="utf-8")
    return delivery
