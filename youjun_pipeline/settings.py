"""Every setting, typed, with its environment variable and its default.

Belongs here: what a whole run needs to know from outside. Keep out: the options of a district (its district.toml), the
numbers of the standard (standard), and creating folders: reading settings changes nothing.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DATA, WAREHOUSE, PUBLISHED, AS_OF = "YOUJUN_DATA", "YOUJUN_WAREHOUSE", "YOUJUN_PUBLISHED", "YOUJUN_AS_OF"

# Asia/Shanghai has had no daylight saving time since 1991; a fixed offset needs no time zone database, which small
# containers and Windows lack.
SHANGHAI = dt.timezone(dt.timedelta(hours=8), "Asia/Shanghai")

PACKAGE = Path(__file__).resolve().parent


class SettingsError(ValueError):
    """Settings that cannot be used; the message lists every fault in Chinese and English with its variable."""


@dataclass(frozen=True)
class Settings:
    """Where the districts' data, the working database and the publication are, and which date counts as today.

    Paths are absolute. `warehouse` is a file, `data` and `published` are folders; only `data` has to exist.
    """

    data: Path
    warehouse: Path
    published: Path
    as_of: dt.date

    @classmethod
    def from_environment(cls, env: Mapping[str, str] = os.environ) -> Settings:
        """Settings from environment variables; one that is blank counts as not set.

        Raises:
            SettingsError: for a date that is none, a data folder that is missing, or places that would destroy each other.
        """
        data = _path(env, DATA) or _default_data()
        warehouse = _path(env, WAREHOUSE) or data / ".work" / "warehouse.duckdb"
        published = _path(env, PUBLISHED) or data / "published"
        as_of = _date(env)
        faults = _place_faults(data, warehouse, published)
        if as_of is None:
            text = env[AS_OF].strip()
            faults.append(
                f"{AS_OF}={text}：不是日期，请写作 2024-06-30 / not a date, write it like 2024-06-30"
            )
        if faults or as_of is None:
            raise SettingsError("\n".join(faults))
        return cls(data, warehouse, published, as_of)


def day_in_china(instant: dt.datetime) -> dt.date:
    """The date it is in China at an instant (with time zone)."""
    return instant.astimezone(SHANGHAI).date()


def _default_data() -> Path:
    """`data/` of the checkout this package lies in; of the current folder when it is installed elsewhere."""
    checkout = PACKAGE.parent
    return (checkout if (checkout / "pyproject.toml").is_file() else Path.cwd()) / "data"


def _path(env: Mapping[str, str], name: str) -> Path | None:
    text = env.get(name, "").strip()
    return Path(text).expanduser().resolve() if text else None


def _date(env: Mapping[str, str]) -> dt.date | None:
    """The as-of date, today when it is not set, None when it is no date."""
    text = env.get(AS_OF, "").strip()
    if not text:
        return day_in_china(dt.datetime.now(dt.UTC))
    # fromisoformat alone would also take 20240630 and 2024-W26.
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def _place_faults(data: Path, warehouse: Path, published: Path) -> list[str]:
    checks = [
        (data.is_dir(), f"{DATA}={data}：文件夹不存在，请先建立 / no such folder, create it first"),
        (
            not warehouse.is_dir(),
            f"{WAREHOUSE}={warehouse}：是文件夹，应为数据库文件 / is a folder, a database file is expected",
        ),
        (
            not published.exists() or published.is_dir(),
            f"{PUBLISHED}={published}：是文件，应为文件夹 / is a file, a folder is expected",
        ),
        # A publication swaps whole folders inside `published`; nothing else may live there.
        (
            not data.is_relative_to(published),
            f"{PUBLISHED}={published}：包含数据文件夹，发布会覆盖它 / holds the data folder, publishing would overwrite it",
        ),
        (
            not warehouse.is_relative_to(published),
            f"{WAREHOUSE}={warehouse}：在发布文件夹里面，请放到别处 / lies in the publication folder, put it elsewhere",
        ),
    ]
    return [fault for holds, fault in checks if not holds]
