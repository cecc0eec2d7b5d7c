"""Folders that mislead, paths that are not files, and malicious archives of statistics.

Belongs here: faults in the place and the type of files. Keep out: single files (bomb_books, bomb_files).
"""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from youjun_pipeline_tests.faults.bomb_books import parts
from youjun_pipeline_tests.faults.bomb_cases import GOOD_CSV, Bomb, district_of, outside
from youjun_pipeline_tests.faults.zips import MB, Entry, entry, repeated, stored, write_zip

PIPE = ("不是普通文件", "请")


def folders() -> Iterator[Bomb]:
    """Every hostile folder and archive of statistics."""
    yield from _links()
    yield from _no_files()
    yield from _names()
    yield from _statistics()


def _links() -> Iterator[Bomb]:
    def file_outside(delivery: Path) -> None:
        (delivery / "classes.csv").symlink_to(outside(delivery) / "classes.csv")

    def folder_outside(delivery: Path) -> None:
        (delivery.parent / "2023-09-01").symlink_to(outside(delivery))

    def loop(delivery: Path) -> None:
        (delivery / "statistics").mkdir()
        (delivery / "statistics" / "again").symlink_to(delivery)
        (delivery / "classes.csv").symlink_to(delivery / "classes.csv")

    def district_outside(delivery: Path) -> None:
        toml = district_of(delivery) / "district.toml"
        toml.rename(outside(delivery) / "district.toml")
        toml.symlink_to(outside(delivery) / "district.toml")

    def hard(delivery: Path) -> None:
        (delivery / "one").write_bytes(GOOD_CSV)
        os.link(delivery / "one", delivery / "classes.csv")

    astray = "指向数据文件夹之外的符号链接"
    yield Bomb("link-to-file-outside", file_outside, (astray, "请把文件复制进来"), None)
    yield Bomb("link-to-folder-outside", folder_outside, (astray, "请把文件复制进来"), None)
    yield Bomb("link-loop", loop, ("符号链接，没有读取",), None)
    yield Bomb("link-district-toml-outside", district_outside, (astray,), None)
    yield Bomb("link-hard", hard, harmless=True)


def _no_files() -> Iterator[Bomb]:
    def pipe(name: str, delivery: Path) -> None:
        os.mkfifo(delivery / name)

    def pipe_as_district_toml(delivery: Path) -> None:
        (district_of(delivery) / "district.toml").unlink()
        os.mkfifo(district_of(delivery) / "district.toml")

    def pipe_in_statistics(delivery: Path) -> None:
        (delivery / "statistics").mkdir()
        os.mkfifo(delivery / "statistics" / "a.xlsx")

    def bound(delivery: Path) -> None:
        # The path of a socket may be a hundred characters long only.
        here = os.open(".", os.O_RDONLY)
        os.chdir(delivery)
        try:
            with socket.socket(socket.AF_UNIX) as server:
                server.bind("classes.csv")
        finally:
            os.fchdir(here)
            os.close(here)

    def device(delivery: Path) -> None:
        os.mknod(delivery / "classes.csv", 0o666 | stat.S_IFCHR, os.makedev(1, 5))

    yield Bomb("pipe-as-csv", partial(pipe, "classes.csv"), PIPE)
    yield Bomb("pipe-as-schools", partial(pipe, "schools.csv"), PIPE)
    yield Bomb("pipe-as-district-toml", pipe_as_district_toml, ("district.toml",), "district_file_missing")
    yield Bomb("pipe-in-statistics", pipe_in_statistics, PIPE)
    yield Bomb("socket-as-csv", bound, PIPE)
    if os.geteuid() == 0:
        yield Bomb("device-as-csv", device, PIPE)


def _names() -> Iterator[Bomb]:
    def named(name: str, delivery: Path) -> None:
        (delivery / name).write_bytes(GOOD_CSV)

    def many(delivery: Path) -> None:
        for number in range(20_000):
            (delivery / f"no dataset {number}.csv").touch()

    def deep(delivery: Path) -> None:
        folder = delivery / "statistics"
        for _ in range(400):
            folder /= "a"
        folder.mkdir(parents=True)

    yield Bomb("name-with-line-break", partial(named, "classes\n.csv"), harmless=True)
    yield Bomb("name-of-255-bytes", partial(named, "x" * 251 + ".csv"), ("没有读取",), None)
    yield Bomb("name-with-escape", partial(named, "\x1b[31mclasses.csv"), ("没有读取",), None)
    yield Bomb("name-not-unicode", partial(named, os.fsdecode(b"classes\xff.csv")), ("没有读取",), None)
    yield Bomb("files-20000", many, harmless=True)
    yield Bomb("folders-400-deep", deep, harmless=True)


def _archive(entries: Callable[[Path], list[Entry]], delivery: Path) -> None:
    (delivery / "statistics").mkdir()
    write_zip(delivery / "statistics" / "forms.zip", entries(delivery))


def _statistics() -> Iterator[Bomb]:
    def book(delivery: Path, changed: dict[str, bytes | Entry | None] | None = None) -> bytes:
        path = write_zip(delivery / "made", parts(changed))
        data = path.read_bytes()
        path.unlink()
        return data

    def as_entry(name: str, attributes: int = 0) -> Callable[[Path], list[Entry]]:
        return lambda delivery: [entry(name, book(delivery), attributes=attributes)]

    def twice(delivery: Path) -> list[Entry]:
        return [entry("a.xlsx", book(delivery)), entry("a.xlsx", b"other")]

    def nested(delivery: Path) -> list[Entry]:
        inner = write_zip(delivery / "made", [entry("a.xlsx", book(delivery))])
        data = inner.read_bytes()
        inner.unlink()
        return [entry("b.zip", data)]

    def bomb(_: Path) -> list[Entry]:
        return [repeated("a.xlsx", b"", b"\0" * 4096, 3000 * MB // 4096, b"")]

    def lies(_: Path) -> list[Entry]:
        return [repeated("a.xlsx", b"", b"\0" * 4096, 3000 * MB // 4096, b"", says=100_000)]

    def forty(delivery: Path) -> list[Entry]:
        return [repeated(f"{n}.xlsx", b"PK", b"\0\1" * 2048, 49 * MB // 4096, b"") for n in range(40)]

    def inner_bomb(delivery: Path) -> list[Entry]:
        sheet = repeated("xl/media/a", b"", b"\0" * 4096, 1000 * MB // 4096, b"")
        return [stored("a.xlsx", book(delivery, {"xl/media/a": sheet}))]

    def million(delivery: Path) -> list[Entry]:
        return [stored(f"{n}.txt", b"") for n in range(400_000)]

    link = (stat.S_IFLNK | 0o777) << 16
    outward, damaged = "指向包外", "损坏"
    cases: dict[str, tuple[Callable[[Path], list[Entry]], str]] = {
        "traversal": (as_entry("../../x.xlsx"), outward),
        "absolute": (as_entry("/etc/x.xlsx"), outward),
        "drive": (as_entry("C:\\x.xlsx"), outward),
        "link": (as_entry("a.xlsx", link), outward),
        "same-name-twice": (twice, damaged),
        "zip-in-zip": (nested, "不要再套一层压缩包"),
        "bomb": (bomb, "不合常理"),
        "false-size": (lies, "损坏"),
        "forty-of-49-mb": (forty, "不合常理"),
        "bomb-in-a-member": (inner_bomb, "200 MB"),
        "400000-entries": (million, "超过"),
    }
    for name, (make, said) in cases.items():
        yield Bomb(f"statistics-{name}", partial(_archive, make), (said,))
    yield Bomb("statistics-device-name", partial(_archive, as_entry("CON.xlsx")), harmless=True)
