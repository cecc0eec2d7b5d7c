"""Every setting, typed, with its environment variable and its default.

Belongs here: what a whole run needs to know from outside. Keep out: the options of a district (its district.toml), the
numbers of the standard (standard), and creating folders: reading settings changes nothing.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

DATA, WAREHOUSE, PUBLISHED, AS_OF = "YOUJUN_DATA", "YOUJUN_WAREHOUSE", "YOUJUN_PUBLISHED", "YOUJUN_AS_OF"
STALE_DAYS, AUTOMATION, NIGHTLY_CRON = "YOUJUN_STALE_DAYS", "YOUJUN_AUTOMATION", "YOUJUN_NIGHTLY_CRON"
KEEP_RUNS_DAYS = "YOUJUN_KEEP_RUNS_DAYS"
NOTIFY_WEBHOOK, NOTIFY_SMTP_URL = "YOUJUN_NOTIFY_WEBHOOK", "YOUJUN_NOTIFY_SMTP_URL"
NOTIFY_MAIL_TO = "YOUJUN_NOTIFY_MAIL_TO"
BASE_URL = "YOUJUN_BASE_URL"
CSV, MEMORY = "YOUJUN_CSV", "YOUJUN_MEMORY"
LAKE, LAKE_DATA, LAKE_PUBLISH = "YOUJUN_LAKE", "YOUJUN_LAKE_DATA", "YOUJUN_LAKE_PUBLISH"
LAKE_KEEP_DAYS, SHARD, SHARDS = "YOUJUN_LAKE_KEEP_DAYS", "YOUJUN_SHARD", "YOUJUN_SHARDS"

# Districts report twice a year, in spring and in autumn; after 200 days one of the two is missing.
DEFAULT_STALE_DAYS = 200

# Asia/Shanghai has had no daylight saving time since 1991; a fixed offset needs no time zone database, which small
# containers and Windows lack.
SHANGHAI = dt.timezone(dt.timedelta(hours=8), "Asia/Shanghai")

_DAYS = re.compile("[1-9][0-9]{0,4}")
_MEMORY = re.compile("[1-9][0-9]{0,5} ?[MG]B")
PACKAGE = Path(__file__).resolve().parent


class SettingsError(ValueError):
    """Settings that cannot be used; the message lists every fault in Chinese and English with its variable."""


@dataclass(frozen=True)
class Lake:
    """A DuckLake that is published to as well: its catalogue, and the folder or `s3://` address of its Parquet files.

    `catalogue` is what DuckLake is attached by, `postgres:dbname=… host=…` or the path of a DuckDB file; it may hold a
    password, so it shows in no repr. With `wait` a publication waits until every shard of its day is in; without, it
    takes what is there and the rest is stale. Snapshots are kept for `keep_days`.
    """

    catalogue: str = field(repr=False)
    data: str
    wait: bool = True
    keep_days: int = 30


@dataclass(frozen=True)
class Shard:
    """A share of the districts, by a hash of their code: number `number`, from 1, of `of`."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def takes(self, district_code: str) -> bool:
        """Whether the district is of this share; the same on every machine and in every version."""
        return zlib.crc32(district_code.encode()) % self.of == self.number - 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """From `3/16`; raises SettingsError."""
        found = re.fullmatch("([0-9]{1,4})/([0-9]{1,4})", text.strip())
        if not found or not 1 <= int(found[1]) <= int(found[2]):
            raise SettingsError(
                f"{SHARD}={text}：应写作 3/16（第几份/共几份） / the third of sixteen is 3/16"
            )
        return cls(int(found[1]), int(found[2]))


@dataclass(frozen=True)
class Settings:
    """Where the districts' data, the working database and the publication are, and which date counts as today.

    `base_url`, where it is set, is the address under which a web server shows the folder `published`. `csv`: whether
    the tables are published as CSV too. `lake`: where it is published to besides; `shard`: the share of the districts that
    this working database is for, all when None. `memory`: how much DuckDB may use, such as 3GB, before it moves rows to disk
    beside the working database; its own default, four fifths of the machine's, when blank.
    Paths are absolute. `warehouse` is a file, `data` and `published` are folders; only `data` has to exist.
    """

    data: Path
    warehouse: Path
    published: Path
    as_of: dt.date
    stale_days: int = DEFAULT_STALE_DAYS
    base_url: str = ""
    csv: bool = False
    lake: Lake | None = None
    shard: Shard | None = None
    memory: str = ""

    def of_shard(self, shard: Shard) -> Settings:
        """The settings of a share of the districts: a working database and a publication of its own, beside the whole's."""
        if self.lake is None:
            raise SettingsError(f"{SHARD}={shard}：须先设置 {LAKE} / shards are put together in a lake")
        folder = self.warehouse.parent / "shards" / f"{shard.number}-of-{shard.of}"
        return replace(
            self,
            shard=shard,
            warehouse=folder / self.warehouse.name,
            published=folder / "published",
            csv=False,
        )

    @property
    def lake_to_read(self) -> Lake | None:
        """The lake that has what these settings publish; None for a file: a share of the districts reads its own."""
        return None if self.shard else self.lake

    @classmethod
    def from_environment(cls, env: Mapping[str, str] = os.environ) -> Settings:
        """Settings from environment variables; one that is blank counts as not set.

        Raises:
            SettingsError: for an invalid date, a data folder that is missing, or places that would destroy each
            other.
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
        stale = env.get(STALE_DAYS, "").strip() or str(DEFAULT_STALE_DAYS)
        if not _DAYS.fullmatch(stale):
            faults.append(f"{STALE_DAYS}={stale}：应为正整数（天） / a whole number of days is expected")
        base_url = env.get(BASE_URL, "").strip().rstrip("/")
        if base_url and not re.match("https?://", base_url):
            faults.append(
                f"{BASE_URL}={base_url}：应以 https:// 或 http:// 开头 / an http address is expected"
            )
        csv = env.get(CSV, "").strip().lower() or "off"
        if csv not in ("on", "off"):
            faults.append(f"{CSV}={csv}：只能是 on 或 off / must be on or off")
        memory = env.get(MEMORY, "").strip().upper()
        if memory and not _MEMORY.fullmatch(memory):
            faults.append(f"{MEMORY}={memory}：应写作 800MB 或 3GB / write it like 800MB or 3GB")
        lake = _lake(env, faults)
        if faults or as_of is None:
            raise SettingsError("\n".join(faults))
        settings = cls(
            data, warehouse, published, as_of, int(stale), base_url, csv == "on", lake, memory=memory
        )
        shard = env.get(SHARD, "").strip()
        return settings.of_shard(Shard.parse(shard)) if shard else settings


@dataclass(frozen=True)
class Automation:
    """What Dagster's daemon does by itself: whether it starts with it, when the night is (cron, China's time), and after
    how many days the record of a run is deleted; of more than one of `shards` each is a run of its own. `has_lake`: whether
    there is a lake to take care of.
    """

    is_on: bool = False
    nightly_cron: str = "0 2 * * *"
    keep_runs_days: int = 90
    shards: int = 1
    has_lake: bool = False

    def all_shards(self) -> list[Shard | None]:
        """Every share of the districts, or None for all at once."""
        if self.shards == 1:
            return [None]
        return [Shard(number, self.shards) for number in range(1, self.shards + 1)]

    @classmethod
    def from_environment(cls, env: Mapping[str, str] = os.environ) -> Automation:
        """From environment variables; raises SettingsError for what is neither on nor off, or no number of days."""
        switch = env.get(AUTOMATION, "").strip().lower() or "off"
        if switch not in ("on", "off"):
            raise SettingsError(f"{AUTOMATION}={switch}：只能是 on 或 off / must be on or off")
        days = env.get(KEEP_RUNS_DAYS, "").strip() or str(cls.keep_runs_days)
        if not _DAYS.fullmatch(days):
            raise SettingsError(
                f"{KEEP_RUNS_DAYS}={days}：应为正整数（天） / a whole number of days is expected"
            )
        shards = env.get(SHARDS, "").strip() or "1"
        if not _DAYS.fullmatch(shards) or int(shards) > 9999:
            raise SettingsError(f"{SHARDS}={shards}：应为 1 到 9999 / a number from 1 to 9999 is expected")
        has_lake = bool(env.get(LAKE, "").strip())
        if int(shards) > 1 and not has_lake:
            raise SettingsError(f"{SHARDS}={shards}：须先设置 {LAKE} / shards are put together in a lake")
        cron = env.get(NIGHTLY_CRON, "").strip() or cls.nightly_cron
        return cls(switch == "on", cron, int(days), int(shards), has_lake)


@dataclass(frozen=True)
class Channels:
    """Where notices go. The addresses may hold passwords and tokens, so they show in no repr and no log."""

    webhook: str = field(default="", repr=False)
    smtp_url: str = field(default="", repr=False)
    mail_to: tuple[str, ...] = ()

    @classmethod
    def from_environment(cls, env: Mapping[str, str] = os.environ) -> Channels:
        """From environment variables; several recipients are told apart by commas."""
        recipients = (part.strip() for part in env.get(NOTIFY_MAIL_TO, "").split(","))
        return cls(
            env.get(NOTIFY_WEBHOOK, "").strip(),
            env.get(NOTIFY_SMTP_URL, "").strip(),
            tuple(part for part in recipients if part),
        )


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


def _lake(env: Mapping[str, str], faults: list[str]) -> Lake | None:
    """The lake, None where none is set; what is wrong with it is added to `faults`."""
    place, data = env.get(LAKE, "").strip(), env.get(LAKE_DATA, "").strip()
    publish = env.get(LAKE_PUBLISH, "").strip().lower() or "complete"
    days = env.get(LAKE_KEEP_DAYS, "").strip() or "30"
    if not place:
        return None
    # the address is not repeated: it may hold a password
    if not place.startswith("ducklake:"):
        faults.append(f"{LAKE}：应以 ducklake: 开头 / ducklake:postgres:… or ducklake:<file> is expected")
    if not data:
        faults.append(
            f"{LAKE_DATA}：未设置，应为文件夹或 s3:// 地址 / a folder or an s3:// address is expected"
        )
    if publish not in ("complete", "partial"):
        faults.append(f"{LAKE_PUBLISH}={publish}：只能是 complete 或 partial / must be complete or partial")
    if not _DAYS.fullmatch(days):
        faults.append(f"{LAKE_KEEP_DAYS}={days}：应为正整数（天） / a whole number of days is expected")
        days = "1"
    if "://" not in data:
        data = f"{Path(data).expanduser().resolve()}/"
    return Lake(place.removeprefix("ducklake:"), f"{data.rstrip('/')}/", publish == "complete", int(days))


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
