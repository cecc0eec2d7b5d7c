"""`python -m …faults.fatal N LOG COMMAND…`: a `youjun` command that dies before its N-th step of the publication.

A step is a file or folder that is renamed, linked or removed in the publication's folder itself. Killing before each step in turn
tests every moment between two steps, however short. N may also be the beginning of a step (`rename .manifest.json`). Each step is
written to LOG; if the step does not come, the command ends normally. Keep out: the checks of the resulting state (`states`).
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from youjun_pipeline.cli import main
from youjun_pipeline.settings import Settings

STEPS = ("os.rename", "os.link", "os.remove", "os.rmdir", "shutil.rmtree")


def watch(last: str, log: Path, published: Path) -> None:
    """Count the steps of this process from now on, and kill its group before step `last` (a number, or a step's beginning)."""
    seen = 0

    def step(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal seen
        if event not in STEPS:
            return
        touched = [Path(os.fsdecode(a)) for a in arguments if isinstance(a, str | bytes | os.PathLike)]
        names = [path.name for path in touched if path.parent == published]
        if not names:
            return
        seen += 1
        line = f"{event.removeprefix('os.')} {' '.join(names)}"
        with log.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
        if last == str(seen) or line.startswith(last):
            os.killpg(0, signal.SIGKILL)

    sys.addaudithook(step)


if __name__ == "__main__":
    watch(sys.argv[1], Path(sys.argv[2]), Settings.from_environment().published)
    sys.exit(main(sys.argv[3:]))
