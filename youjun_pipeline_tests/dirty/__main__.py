"""Every dirty file and thousands of mutants, with figures: `make dirty`, or `python -m youjun_pipeline_tests.dirty --help`.

The files are read in child processes with a limit on memory, so that one that would end the program is found and named.
Ends with 1 if anything was not as it must be.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from youjun_pipeline_tests.dirty.cases import all_cases
from youjun_pipeline_tests.dirty.deliveries import delivery_faults
from youjun_pipeline_tests.dirty.large import large_cases
from youjun_pipeline_tests.dirty.mutate import mutant
from youjun_pipeline_tests.dirty.verify import Outcome, Specimen, case_faults, look_at

MEMORY = 3 << 30
BATCH = 200
FAULTS_SHOWN = 20


def main() -> int:
    """Do what the command line asks for; in a child process, run one batch."""
    parser = argparse.ArgumentParser(prog="python -m youjun_pipeline_tests.dirty", description=__doc__)
    parser.add_argument(
        "--mutants", type=int, default=2000, help="how many spoiled good files (default 2000)"
    )
    parser.add_argument(
        "--deliveries", type=int, default=40, help="how many deliveries of them to check (default 40)"
    )
    parser.add_argument("--seed", type=int, default=0, help="the first mutant's seed")
    parser.add_argument("--batch", nargs=3, metavar=("WHAT", "FROM", "TO"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.batch:
        what, first, last = options.batch
        work(what, int(first), int(last))
        return 0
    sizes = {"cases": (0, len(all_cases())), "large": (0, len(large_cases()))}
    sizes["mutants"] = (options.seed, options.seed + options.mutants)
    faults = [fault for what, (first, last) in sizes.items() for fault in run(what, first, last)]
    faults += check_deliveries(options.deliveries)
    for fault in faults[:FAULTS_SHOWN]:
        print(fault)
    if len(faults) > FAULTS_SHOWN:
        print(f"... {len(faults)} in all")
    return 1 if faults else 0


def run(what: str, first: int, last: int) -> list[str]:
    """Look at numbers `first` to `last` of a kind in child processes; prints the figures, returns the faults."""
    begun = time.monotonic()
    ends: Counter[str] = Counter()
    faults: list[str] = []
    most_memory, files, at = 0, 0, first
    while at < last:
        until = min(at + BATCH, last)
        lines, code, errors = _child(what, at, until)
        done = [line for line in lines if "end" in line]
        files += len(done)
        ends.update(line["end"] for line in done)
        faults += [fault for line in done for fault in line["faults"]]
        most_memory = max([most_memory, *(line["memory"] for line in lines if "memory" in line)])
        if errors.strip():
            faults.append(f"{what} {at}–{until}: on the error output: {errors.strip()[:300]}")
        if code == 0:
            at = until
            continue
        last_begun = [line for line in lines if "begin" in line][-1:]
        number = last_begun[0]["number"] if last_begun else at
        name = last_begun[0]["begin"] if last_begun else "?"
        faults.append(f"{name}: ended the program ({code})")
        # Nothing of this batch was judged: once more up to the file that ended it, then on from the next.
        if number > at:
            again = [line for line in _child(what, at, number)[0] if "end" in line]
            files += len(again)
            ends.update(line["end"] for line in again)
            faults += [fault for line in again for fault in line["faults"]]
        files, at = files + 1, number + 1
    seconds = time.monotonic() - begun
    told = "，".join(f"{end} {count}" for end, count in sorted(ends.items()))
    print(
        f"{what}: {files} files, {len(faults)} faults, {seconds:.1f} s, at most {most_memory} MB ({told})",
        flush=True,
    )
    return faults


def check_deliveries(count: int) -> list[str]:
    """Check deliveries of mutants before sending, with their reports; prints the figures, returns the faults."""
    begun = time.monotonic()
    faults = []
    for seed in range(count):
        with tempfile.TemporaryDirectory() as folder:
            faults += delivery_faults(seed, Path(folder))
    print(f"deliveries: {count} checked, {len(faults)} faults, {time.monotonic() - begun:.1f} s", flush=True)
    return faults


def _child(what: str, first: int, last: int) -> tuple[list[dict[str, object]], int, str]:  # type: ignore[type-arg]
    command = [sys.executable, "-m", "youjun_pipeline_tests.dirty", "--batch", what, str(first), str(last)]
    child = subprocess.run(command, capture_output=True, text=True, check=False)
    return (
        [json.loads(line) for line in child.stdout.splitlines() if line.startswith("{")],
        child.returncode,
        child.stderr,
    )


def work(what: str, first: int, last: int) -> None:
    """Run one batch, in the child process: print a line of JSON before each file is read, and one with its result."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cases = (all_cases() if what == "cases" else large_cases()) if what != "mutants" else []
        made: list[Specimen] = []
        for number in range(first, last):
            own = folder / str(number)
            own.mkdir()
            if what == "mutants":
                made.append(mutant(number, own))
            else:
                case = cases[number]
                case.write(own / case.file)
                made.append(Specimen(case.name, own / case.file, case.dataset, case.header_row))
        numbers = {specimen.name: first + i for i, specimen in enumerate(made)}
        outcomes = look_at(made, lambda s: _say({"begin": s.name, "number": numbers[s.name]}))
        for i, outcome in enumerate(outcomes):
            faults = case_faults(cases[first + i], outcome) if cases else list(_plain_faults(outcome))
            _say({"name": outcome.specimen.name, "end": outcome.failure or "read", "faults": faults})
        _say({"memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024})


def _plain_faults(outcome: Outcome) -> Iterator[str]:
    for fault in outcome.faults:
        yield f"{outcome.specimen.name}{outcome.specimen.path.suffix}: {fault}; told: {outcome.told[:5]}"


def _say(line: dict[str, object]) -> None:
    print(json.dumps(line, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    sys.exit(main())
