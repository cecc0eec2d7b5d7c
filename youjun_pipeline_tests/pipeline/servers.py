"""PostgreSQL, Redis and an S3 server (SeaweedFS) on the loopback address, for the tests of `scale`.

Each is started in a folder of its own and ended with the block, or when the test is killed. If a program is not installed, the
test is skipped with a message.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from youjun_pipeline_tests.conftest import CHECKOUT

HOST = "127.0.0.1"
KEY, SECRET = "youjun", "youjun-secret"


def free_port() -> int:
    """A port without a listener, and without one ten thousand above it (SeaweedFS uses that one for gRPC).

    It is below the ports that the system gives to anybody: such a port could be given away before the server uses it.
    """
    while True:
        port = random.randrange(12000, 22000)
        if not answers(port) and not answers(port + 10000):
            return port


def program(name: str, *folders: str) -> str:
    """The path of a program; skips the test if it is not installed."""
    places = [
        str(CHECKOUT / "build" / "seaweedfs" / "bin"),
        *os.environ["PATH"].split(os.pathsep),
        "/usr/sbin",
    ]
    for pattern in folders:
        places += [str(path) for path in sorted(Path("/").glob(pattern), reverse=True)]
    found = shutil.which(name, path=os.pathsep.join(places))
    if not found:
        pytest.skip(f"{name} is not installed")
    return found


@contextmanager
def started(
    command: list[str],
    log: Path,
    env: dict[str, str] | None = None,
    end: signal.Signals = signal.SIGTERM,
) -> Iterator[subprocess.Popen[bytes]]:
    """A process with everything that it starts; it is ended after the block, or when the test itself is killed (`guard`).

    `end` is the signal that ends the program properly.
    """
    with log.open("ab") as out:
        guard = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("guard.py")), str(int(end)), *command],
            cwd=CHECKOUT,
            env=os.environ | (env or {}),
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield guard
    finally:
        assert guard.stdin
        guard.stdin.close()
        guard.wait(60)


def wait_for(what: str, holds: Callable[[], object], seconds: float) -> None:
    """Wait until `holds` is true; fails the test after `seconds`."""
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            pytest.fail(f"{what}: not within {seconds} s")
        time.sleep(0.5)


def answers(port: int) -> bool:
    """Whether something listens on a port."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


@contextmanager
def postgres(folder: Path) -> Iterator[int]:
    """A PostgreSQL cluster of its own with the databases `lake` and `dagster`, user youjun, no password; yields the port.

    Its files are not among pytest's, because another pytest makes that folder inaccessible to others; its log is in `folder`.
    """
    initdb, server, psql = (
        program(name, "usr/lib/postgresql/*/bin") for name in ("initdb", "postgres", "psql")
    )
    folder.mkdir()
    port, log = free_port(), folder / "postgres.log"
    with tempfile.TemporaryDirectory(prefix="youjun-postgres-", dir="/tmp") as place:
        # it refuses to be started by root
        as_user: list[str] = []
        if os.getuid() == 0:
            as_user = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"]
            shutil.chown(place, "postgres")
        made = [initdb, "-D", f"{place}/db", "-A", "trust", "-U", "youjun", "-E", "UTF8", "--no-sync"]
        subprocess.run([*as_user, *made], check=True, stdout=subprocess.DEVNULL, cwd=place)
        options = ["-p", str(port), "-k", place, "-c", f"listen_addresses={HOST}", "-c", "fsync=off"]
        # not SIGTERM, at which it waits for its clients
        with started([*as_user, server, "-D", f"{place}/db", *options], log, end=signal.SIGINT):
            ask = [psql, "-q", "-h", HOST, "-p", str(port), "-U", "youjun", "-d", "postgres"]
            wait_for(
                "PostgreSQL",
                lambda: subprocess.run([*ask, "-c", "select 1"], capture_output=True).returncode == 0,
                60,
            )
            subprocess.run([*ask, "-c", "create database lake", "-c", "create database dagster"], check=True)
            yield port


@contextmanager
def redis(folder: Path) -> Iterator[int]:
    """A Redis that stores nothing on disk; yields the port."""
    port, server = free_port(), program("redis-server")
    folder.mkdir()
    options = ["--port", str(port), "--bind", HOST, "--save", "", "--dir", str(folder)]
    with started([server, *options], folder.parent / "redis.log"):
        wait_for("Redis", lambda: answers(port), 30)
        yield port


@contextmanager
def s3(folder: Path) -> Iterator[dict[str, str]]:
    """An S3 server with the bucket `lake`; yields the environment variables for its clients."""
    weed = program("weed")
    folder.mkdir()
    access = {
        "name": KEY,
        "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    (folder / "s3.json").write_text(json.dumps({"identities": [access]}))
    master, volume, filer, port = (free_port() for _ in range(4))
    options = [
        f"-logdir={folder}",
        "server",
        f"-dir={folder}",
        f"-ip={HOST}",
        f"-ip.bind={HOST}",
        f"-master.port={master}",
        f"-volume.port={volume}",
        "-filer",
        f"-filer.port={filer}",
        "-s3",
        f"-s3.port={port}",
        f"-s3.config={folder / 's3.json'}",
        # these listen on one port for all servers of a machine; and nothing is to be told to anybody
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-master.telemetry=false",
        "-volume.max=50",
        "-master.volumeSizeLimitMB=64",
    ]
    with started([weed, *options], folder.parent / "s3.log"):
        wait_for("SeaweedFS", lambda: answers(port) and answers(filer), 90)

        def made() -> bool:
            said = subprocess.run(
                [weed, "shell", f"-master={HOST}:{master}.{master + 10000}"],
                input=b"s3.bucket.create -name lake\n",
                capture_output=True,
                timeout=60,
            )
            return b"created bucket" in said.stdout

        wait_for("the bucket", made, 60)
        yield {
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_ENDPOINT_URL": f"http://{HOST}:{port}",
        }


@contextmanager
def everything(folder: Path) -> Iterator[dict[str, str]]:
    """All three servers; yields the environment of a worker: the lake, S3, and Dagster's storage, broker and results."""
    with ExitStack() as stack:
        database = stack.enter_context(postgres(folder / "postgres"))
        broker = stack.enter_context(redis(folder / "redis"))
        files = stack.enter_context(s3(folder / "s3"))
        yield files | {
            "YOUJUN_LAKE": f"ducklake:postgres:dbname=lake host={HOST} port={database} user=youjun",
            "YOUJUN_LAKE_DATA": "s3://lake/youjun",
            "DAGSTER_POSTGRES_URL": f"postgresql://youjun@{HOST}:{database}/dagster",
            "DAGSTER_CELERY_BROKER": f"redis://{HOST}:{broker}/0",
            "DAGSTER_CELERY_BACKEND": f"redis://{HOST}:{broker}/1",
        }
