"""The files of docs/deploy and the operations manual: what they name exists, and they agree with the code and each other."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from youjun_pipeline import settings
from youjun_pipeline.cli import _parser
from youjun_pipeline_tests.conftest import CHECKOUT

DEPLOY = CHECKOUT / "docs" / "deploy"
MANUAL = (CHECKOUT / "docs" / "operations.md").read_text("utf-8")
UNITS = ("youjun-daemon.service", "youjun-web.service")
DOCKERFILE = (DEPLOY / "Dockerfile").read_text("utf-8")
# what is Dagster's and Python's own
OTHERS_SETTINGS = {"DAGSTER_HOME", "DAGSTER_DISABLE_TELEMETRY", "PYTHONUTF8", "PYTHONDONTWRITEBYTECODE"}


def unit(name: str) -> configparser.ConfigParser:
    parsed = configparser.ConfigParser(interpolation=None, strict=True)
    # systemd tells upper from lower case
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read(DEPLOY / name, "utf-8")
    return parsed


def env_file() -> dict[str, str]:
    """The settings of youjun.env, including those in comments."""
    lines = (DEPLOY / "youjun.env").read_text("utf-8").splitlines()
    pairs = (re.fullmatch(r"(?:# )?([A-Z_]+)=(.*)", line) for line in lines)
    return {pair[1]: shlex.split(pair[2])[0] for pair in pairs if pair}


def known_settings() -> set[str]:
    names = (value for name, value in vars(settings).items() if name.isupper())
    return {value for value in names if isinstance(value, str) and value.startswith("YOUJUN_")}


def is_within(path: str, folders: str) -> bool:
    return any(Path(path).is_relative_to(folder) for folder in folders.split())


def test_only_settings_that_exist_are_set() -> None:
    in_image = set(re.findall(r"\b((?:YOUJUN|DAGSTER)_[A-Z_]+)=", DOCKERFILE))
    for names in (set(env_file()), in_image):
        assert {"YOUJUN_DATA", "YOUJUN_PUBLISHED", "YOUJUN_WAREHOUSE", "DAGSTER_HOME"} <= names
        assert sorted(names - known_settings() - OTHERS_SETTINGS) == []
    assert sorted(set(re.findall(r"\bYOUJUN_[A-Z_]+", MANUAL)) - known_settings()) == []
    settings.Automation.from_environment(env_file())


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_starts_a_program_that_is_installed_where_it_may_write(name: str) -> None:
    service, env = unit(name)["Service"], env_file()
    program, *arguments = shlex.split(service["ExecStart"])
    assert program.startswith(service["WorkingDirectory"] + "/.venv/bin/")
    assert (CHECKOUT / ".venv" / "bin" / Path(program).name).exists() or shutil.which(Path(program).name)
    assert (CHECKOUT / arguments[arguments.index("-w") + 1]).is_file()
    assert service["EnvironmentFile"] == "/etc/youjun.env" and "install -o root" in MANUAL
    writable, mounts = service["ReadWritePaths"], unit(name)["Unit"]["RequiresMountsFor"]
    assert is_within(env["DAGSTER_HOME"], writable)
    places = {env[key] for key in ("YOUJUN_DATA", "YOUJUN_PUBLISHED", "YOUJUN_WAREHOUSE", "DAGSTER_HOME")}
    assert all(is_within(place, mounts) for place in places)
    assert service["ProtectSystem"] == "strict" and not is_within(env["YOUJUN_DATA"], writable)


def test_the_daemon_may_write_what_a_refresh_writes_and_no_delivery() -> None:
    service, env = unit("youjun-daemon.service")["Service"], env_file()
    for name in ("YOUJUN_PUBLISHED", "YOUJUN_WAREHOUSE"):
        assert is_within(env[name], service["ReadWritePaths"])
    assert service["ReadOnlyPaths"] == env["YOUJUN_DATA"]


def test_the_image_runs_what_the_unit_runs() -> None:
    command = re.search(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    assert command
    arguments = tomllib.loads(f"a = {command[1]}")["a"]
    folder = unit("youjun-daemon.service")["Service"]["WorkingDirectory"]
    assert f"WORKDIR {folder}\n" in DOCKERFILE
    assert f"{folder}/{' '.join(arguments)}" == unit("youjun-daemon.service")["Service"]["ExecStart"]


def test_every_command_of_the_manual_exists() -> None:
    called = re.findall(r"\.venv/bin/youjun ([a-z-]+)((?: [^`|\n]*)?)`", MANUAL)
    assert {name for name, _ in called} >= {"run", "close", "reopen", "rollback", "check", "notify-test"}
    for name, arguments in called:
        _parser().parse_args([name, *shlex.split(arguments)])
    targets = set(re.findall(r"^([a-z-]+):.*##", (CHECKOUT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?:`|&& )make ([a-z-]+)", MANUAL)) <= targets


def test_what_the_manual_links_to_is_there() -> None:
    linked = [target.partition("#")[0] for target in re.findall(r"\]\(([^)]+)\)", MANUAL)]
    assert {"deploy/youjun-daemon.service", "deploy/youjun-web.service", "deploy/Dockerfile"} <= set(linked)
    assert [target for target in linked if not (CHECKOUT / "docs" / target).exists()] == []


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_systemd_understands_the_units(tmp_path: Path) -> None:
    for name in UNITS:
        program = shlex.split(unit(name)["Service"]["ExecStart"])[0]
        stub = tmp_path / Path(program).name
        stub.write_text("#!/bin/sh\n", "utf-8")
        stub.chmod(0o755)
        (tmp_path / name).write_text((DEPLOY / name).read_text("utf-8").replace(program, str(stub)), "utf-8")
    checked = subprocess.run(
        ["systemd-analyze", "verify", *(str(tmp_path / name) for name in UNITS)],
        capture_output=True,
        text=True,
        check=False,
    )
    # It also tells of faults in the units of the machine it runs on.
    assert [line for line in checked.stderr.splitlines() if "youjun" in line] == []
