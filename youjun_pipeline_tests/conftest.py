"""Guards the tiers, so that a fast test stays fast and no test can harm what a developer has published.

- unit: no DuckDB connection, no socket, no write outside pytest's own temporary folder.
- every tier: sockets reach this machine only; the checkout's `data/published` and `data/.work` are out of bounds;
  the settings point at a folder that does not exist until a test sets its own.

A test's tier is the folder of its file. Belongs here: the guards. Keep out: fixtures about districts and schools; they are in the
modules of the tests that use them.

An audit hook watches the tests, because it sees every way to open a file or a socket from Python; patched functions would see
only the ways that somebody thought of. It does not see inside C libraries or child processes. So DuckDB is patched as well, and
child processes inherit the environment set here.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import hypothesis
import pytest

TESTS = Path(__file__).resolve().parent
CHECKOUT = TESTS.parent
TIERS = ("unit", "integration", "pipeline")
# Published and working data of the checkout itself; reading is refused too, since a test that reads it passes
# or fails by what the developer ran last.
OUT_OF_BOUNDS = (CHECKOUT / "data" / "published", CHECKOUT / "data" / ".work")
# Written by Python and hypothesis themselves, whatever the test does.
TOOL_FOLDERS = ("__pycache__", ".hypothesis", ".pytest_cache")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
WRITING_EVENTS = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.link", "os.truncate"}
CONNECTING_EVENTS = {"socket.connect", "socket.bind", "socket.sendto"}
RESOLVING_EVENTS = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}

# Only this machine's cores are slow or busy, not the code under test: a deadline would make tests flicker.
hypothesis.settings.register_profile("house", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("house")


class OutOfBoundsError(RuntimeError):
    """A test did something that its tier must not do."""


class Guard:
    """What the running test may do, and its violations; there is one object for the process."""

    def __init__(self) -> None:
        self.tier: str | None = None
        self.writable: Path | None = None
        self.violations: list[str] = []

    def refuse(self, message: str) -> None:
        # Kept as well as raised: a library may swallow the exception, the test is to fail all the same.
        self.violations.append(message)
        raise OutOfBoundsError(message)

    def take_violations(self) -> list[str]:
        """Return the recorded violations and clear the record."""
        taken, self.violations = self.violations, []
        return taken

    def check_path(self, target: Any, writes: bool) -> None:
        if not isinstance(target, str | bytes | os.PathLike):
            return
        path = Path(os.path.abspath(os.fsdecode(target)))
        if any(path.is_relative_to(folder) for folder in OUT_OF_BOUNDS):
            self.refuse(
                f"tests leave the checkout's own data alone: {path}; set YOUJUN_DATA to a folder under tmp_path"
            )
        if self.tier != "unit" or not writes or self.writable is None:
            return
        if path.is_relative_to(self.writable) or str(path) == os.devnull:
            return
        if not any(folder in path.parts for folder in TOOL_FOLDERS):
            self.refuse(
                f"a unit test writes only under tmp_path, not to {path}; or it belongs in integration/"
            )

    def check_address(self, sock: Any, address: Any) -> None:
        if getattr(sock, "family", None) not in (socket.AF_INET, socket.AF_INET6):
            return
        self.check_host(address[0], f"{address[0]}:{address[1]}")
        if self.tier == "unit":
            self.refuse(
                f"a unit test opens no socket ({address[0]}:{address[1]}); it belongs in integration/"
            )

    def check_host(self, host: Any, shown: str) -> None:
        if not _is_this_machine(host):
            self.refuse(f"tests reach this machine only, not {shown}")


def _is_this_machine(host: Any) -> bool:
    if host is None:
        return True
    name = os.fsdecode(host).partition("%")[0]
    if name in ("", "localhost", "0.0.0.0", "::", socket.gethostname()):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


guard = Guard()


def _watch(event: str, args: tuple[Any, ...]) -> None:
    """The audit hook. It is called for every event of the process, so the common case returns at once."""
    if guard.tier is None:
        return
    if event == "open":
        guard.check_path(args[0], writes=bool(args[2] and args[2] & WRITING))
    elif event in WRITING_EVENTS:
        guard.check_path(args[0], writes=True)
    elif event in CONNECTING_EVENTS:
        guard.check_address(args[0], args[1])
    elif event in RESOLVING_EVENTS:
        guard.check_host(args[0], str(args[0]))


sys.addaudithook(_watch)


def tier_of(path: Path) -> str | None:
    """The tier of a test file, None if the file is in no tier."""
    try:
        first = path.relative_to(TESTS).parts[0]
    except (ValueError, IndexError):
        return None
    return first if first in TIERS else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test with its tier; a test outside the tiers is an error, because it would run unguarded."""
    homeless = sorted({str(item.path) for item in items if tier_of(item.path) is None})
    if homeless:
        raise pytest.UsageError(
            f"tests belong in one of {', '.join(TIERS)} of {TESTS.name}: {', '.join(homeless)}"
        )
    for item in items:
        item.add_marker(str(tier_of(item.path)))


def pytest_configure() -> None:
    """Settings that test modules and child processes must find already when they are imported."""
    nowhere = str(CHECKOUT / "no-such-folder-in-tests")
    for name in [name for name in os.environ if name.startswith("YOUJUN_")]:
        del os.environ[name]
    os.environ["YOUJUN_DATA"] = nowhere
    os.environ.pop("DAGSTER_HOME", None)
    os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"


@pytest.fixture(scope="session", autouse=True)
def _temporary_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let `tempfile` work under pytest's own folder, where writing is allowed and cleaned up."""
    guard.writable = tmp_path_factory.getbasetemp().resolve()
    before = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = str(tmp_path_factory.mktemp("tempfile"))
    tempfile.tempdir = None
    yield
    tempfile.tempdir = None
    if before is None:
        del os.environ["TMPDIR"]
    else:
        os.environ["TMPDIR"] = before


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Guard the test and all its fixtures, including those with a wider scope."""
    guard.tier = tier_of(item.path)
    try:
        return (yield)
    finally:
        guard.tier = None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Fail the test for everything that was refused to it, even if some code swallowed the exception."""
    result = yield
    if violations := guard.take_violations():
        pytest.fail("\n".join(violations), pytrace=False)
    return result


def _guard_duckdb() -> None:
    connect = duckdb.connect

    def checked(database: Any = ":memory:", *args: Any, **kwargs: Any) -> duckdb.DuckDBPyConnection:
        if guard.tier == "unit":
            guard.refuse("a unit test opens no DuckDB connection; it belongs in integration/")
        if not str(database).startswith(":"):
            guard.check_path(str(database), writes=True)
        con = connect(database, *args, **kwargs)
        if guard.tier == "integration" and "PYTEST_XDIST_WORKER" in os.environ:
            # The workers share the processors already; more threads for small tables cost a fifth of the time.
            con.execute("set threads = 1")
        return con

    def refused(*args: Any, **kwargs: Any) -> Any:
        guard.refuse(
            "DuckDB's shared default connection leaks from test to test; open one with duckdb.connect"
        )

    setattr(duckdb, "connect", checked)  # noqa: B010, a plain assignment is a type error
    for name in ("sql", "query", "execute", "default_connection"):
        setattr(duckdb, name, refused)


_guard_duckdb()
