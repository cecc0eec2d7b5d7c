"""File names and links of the site.

Names consist of codes only, never of what a district calls a thing. A code is text from a delivery, so it is reduced to
characters without a special meaning in file systems, URLs or HTML. Keep out: the content of the pages.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

MAX_LENGTH = 80
_UNSAFE = re.compile(r"[^a-z0-9_-]")


@lru_cache(maxsize=100_000)
def slug(code: str) -> str:
    """`code` as a file name that is also a URL segment; different codes give different names.

    Capitals are spelt out too, because a Windows share does not distinguish A and a.
    """
    name = _UNSAFE.sub(lambda m: f"~{ord(m[0]):x}~", code) or "~"
    if len(name) <= MAX_LENGTH:
        return name
    return name[:40] + "~" + hashlib.sha256(code.encode()).hexdigest()[:16]


def region_page(prefix: str) -> str:
    """The page of a province (two digits) or a city (four)."""
    return f"region/{slug(prefix)}.html"


def district_folder(district: str) -> str:
    """The folder of all pages of a district."""
    return f"district/{slug(district)}"


def district_page(district: str, page: str = "index") -> str:
    """A page of a district: `index` (over its phases), `quality`, `trend`, `forecast`, `scenarios` or `proposal`."""
    return f"{district_folder(district)}/{page}.html"


def figures_script(district: str) -> str:
    """The script with the figures of a district's schools, which the comparison loads."""
    return f"{district_folder(district)}/schools.js"


def scenario_page(district: str, phase: str, scenario: str) -> str:
    """The page of a scenario on the figures of a phase."""
    return f"{district_folder(district)}/scenario/{slug(phase)}/{slug(scenario)}.html"


def phase_page(district: str, phase: str, page: str = "index") -> str:
    """A page of one evaluation: `index` (the wall map), `plan`, or an indicator's code."""
    return f"{district_folder(district)}/phase/{slug(phase)}/{slug(page.lower())}.html"


OWN_PAGES = ("index", "plan", "leader", "ledger")
HOME = ("总览", "index.html")
SEARCH, COMPARE, TERMS, NEWS = "search.html", "compare.html", "terms.html", "news.html"


def school_page(district: str, school: str) -> str:
    """The page of a school over the phases."""
    return f"{district_folder(district)}/school/{slug(school)}.html"


def anchor(text: str) -> str:
    """An element id for a delivered text."""
    return "a-" + slug(text)


def root_of(page: str) -> str:
    """The relative path from `page` to the site's root: empty, or ending in a slash."""
    return "../" * page.count("/")
