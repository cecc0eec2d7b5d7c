"""Codes of indicators and waivers in the program: each place has its reason in docs/indicator-codes.md."""

from __future__ import annotations

import re
from pathlib import Path

from youjun_pipeline.standard import load_catalogue

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "youjun_pipeline"
KINDS = {".py", ".sql", ".toml", ".html", ".js"}
# The standard itself, and what is no use of a code: rows of examples, cells of forms that look like one.
DATA = ("standard/national-2017.toml", "templates/examples.toml", "ingest/statistics/layouts.toml")


def quoted() -> dict[str, str]:
    """The codes that each file of the package quotes, by path."""
    national = load_catalogue("national-2017")
    words = "|".join(map(re.escape, sorted([*national.indicators, *national.waivers], key=len, reverse=True)))
    pattern = re.compile(rf"""['"]({words})(?:\.\w+)?['"]""")
    found = {}
    for path in sorted(PACKAGE.rglob("*")):
        name = path.relative_to(PACKAGE).as_posix()
        if path.suffix in KINDS and name not in DATA:
            codes = sorted(set(pattern.findall(path.read_text(encoding="utf-8"))))
            if codes:
                found[name] = " ".join(codes)
    return found


def test_every_quoted_code_has_its_reason() -> None:
    text = (ROOT / "docs" / "indicator-codes.md").read_text(encoding="utf-8")
    listed = {m[1]: m[2] for m in re.finditer(r"^\| `([^`]+)` \| ([A-Z0-9 -]+) \| \S.* \|$", text, re.M)}
    assert quoted() == listed, (
        "make the code data of the catalogue, or give the reason in docs/indicator-codes.md"
    )
