"""House rules that no linter checks: sizes, the content of the wheel, targets in the READMEs."""

from __future__ import annotations

import ast
import re
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from youjun_pipeline_tests.conftest import CHECKOUT

PACKAGE, TESTS = CHECKOUT / "youjun_pipeline", CHECKOUT / "youjun_pipeline_tests"
FILE_LINES = 400
FUNCTION_LINES = 60
# Whoever needs more says so where the reader sees it: a comment that begins with this, inside the long thing.
EXPLANATION = "# Long because"


def source_files(*suffixes: str) -> list[Path]:
    return sorted(
        path
        for folder in (PACKAGE, TESTS)
        for path in folder.rglob("*")
        if path.suffix in suffixes and "__pycache__" not in path.parts
    )


def shown(path: Path) -> str:
    return path.relative_to(CHECKOUT).as_posix()


def documents() -> list[Path]:
    """Everything that people read, except the changelog, which names things that may no longer exist."""
    found = [*CHECKOUT.glob("*.md"), *(CHECKOUT / "docs").rglob("*.md")]
    return sorted(path for path in found if path.name != "CHANGELOG.md")


def test_long_files_explain_themselves():
    long = {
        shown(path): len(lines)
        for path in source_files(".py", ".sql")
        if len(lines := path.read_text(encoding="utf-8").splitlines()) > FILE_LINES
        and not any(line.lstrip("-# ").startswith(EXPLANATION.lstrip("# ")) for line in lines)
    }
    assert long == {}, f"over {FILE_LINES} lines; split it, or say why it is long ({EXPLANATION} ...)"


def may_hold_a_long_function(lines: list[str]) -> bool:
    """Whether more than FUNCTION_LINES lines are between a `def` and the next one with the same or less indentation.

    If not, the file need not be parsed. Parsing all files takes most of a second.
    """
    starts = [
        (number, len(found[1]))
        for number, line in enumerate(lines)
        if (found := re.match(r"( *)(?:async )?def ", line))
    ]
    for i, (number, depth) in enumerate(starts):
        end = next((later for later, other in starts[i + 1 :] if other <= depth), len(lines))
        if end - number > FUNCTION_LINES:
            return True
    return False


def test_long_functions_explain_themselves():
    long = {}
    for path in source_files(".py"):
        text = path.read_text(encoding="utf-8")
        if not may_hold_a_long_function(text.splitlines()):
            continue
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            lines = text.splitlines()[node.lineno - 1 : node.end_lineno]
            if len(lines) > FUNCTION_LINES and not any(EXPLANATION in line for line in lines):
                long[f"{shown(path)}:{node.lineno} {node.name}"] = len(lines)
    assert long == {}, f"over {FUNCTION_LINES} lines; split it, or say why it is long ({EXPLANATION} ...)"


# Who makes the published file, or copies of it; everybody else opens what is published by `warehouse.published`.
MAKERS = {
    f"warehouse/{name}.py"
    for name in (
        *("csv_copies", "lake_file", "lake_publication", "manifest", "parquet_copies"),
        *("publication", "published", "rollback", "summary", "swap"),
    )
}


def test_no_reader_joins_the_path_of_the_published_file_itself():
    """Such a reader would not read a lake. `summary` names the file to people."""
    named = re.compile(r"\b(FILE_NAME|PREVIOUS_NAME)\b|/ *[\"']youjun(\.previous)?\.duckdb|duckdb\.connect\(")
    found = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if named.search(path.read_text(encoding="utf-8"))
    }
    assert found - MAKERS - {"warehouse/connection.py"} == set()


def test_wheel_carries_every_file_of_the_package():
    settings = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = settings["tool"]["setuptools"]["package-data"]["youjun_pipeline"]
    carried = {path for pattern in patterns for path in PACKAGE.glob(pattern)}
    left_out = [
        shown(path)
        for path in PACKAGE.rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc") and path not in carried
    ]
    assert sorted(left_out) == [], "add their suffix to package-data in pyproject.toml"


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_readme_has_one_line_for_each_target(readme):
    makefile = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z0-9-]+):.*  ## ", makefile, re.MULTILINE)) - {"help"}
    listed = re.findall(
        r"^\| `make ([a-z0-9-]+)` \|", (CHECKOUT / readme).read_text(encoding="utf-8"), re.MULTILINE
    )
    assert sorted(listed) == sorted(targets)


# What a run or a tool makes, what a user writes, and assets by their keys: no path of the repository.
MADE = re.compile(
    r"(data/(published|\.work)|\.work|published|parquet|csv|official|papers|schools|site|data_docs|assets|deliveries|statistics"
    r"|texts|publication|mart|youjun|dagster|raw|reports/(data_docs|papers)|\.venv|build)\b|(district|prices|pylock)\.toml$"
)
NAMED = re.compile(r"`((?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:py|toml|sql|cfg|yaml|md|sh|lock))`|\]\(([^)#:\s]+)\)")


@pytest.mark.parametrize("document", documents(), ids=shown)
def test_every_path_that_a_document_names_is_there(document):
    """Paths in backticks or links: from the root, the package, the tests, or the document's folder."""
    roots = (CHECKOUT, PACKAGE, PACKAGE / "models", TESTS, document.parent)
    named = {a or b for a, b in NAMED.findall(document.read_text(encoding="utf-8"))}
    missing = [
        name
        for name in sorted(named)
        if not MADE.match(name)
        and not any((root / name).exists() for root in roots)
        and not ("/" not in name and any([*folder.rglob(name)] for folder in (PACKAGE, TESTS)))
    ]
    assert missing == []


def test_the_default_lock_has_nothing_of_the_extra_scale():
    extra = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "optional-dependencies"
    ]
    wanted = {re.split("[><=]", entry)[0] for entry in extra["scale"]}
    locked, apart = (
        set(re.findall(r"^([a-z0-9-]+)(?:\[.*\])?==", (CHECKOUT / name).read_text(encoding="utf-8"), re.M))
        for name in ("requirements.lock", "docs/deploy/requirements-scale.lock")
    )
    assert wanted & locked == set()
    assert wanted <= apart


def test_no_circle_among_modules_also_of_imports_for_types():
    modules = {
        ".".join(path.relative_to(CHECKOUT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in PACKAGE.rglob("*.py")
    }
    imports = re.compile(
        r"^\s*from (youjun_pipeline[\w.]*) import (\(.*?\)|[^\n]*)", re.MULTILINE | re.DOTALL
    )
    graph = {
        name: {
            whole if (whole := f"{source}.{word}") in modules else source
            for source, names in imports.findall(path.read_text(encoding="utf-8"))
            for word in re.findall(r"\w+", names)
        }
        - {name}
        for name, path in modules.items()
    }
    assert sum(map(len, graph.values())) > len(modules), "the imports were not found"
    # Raises CycleError, which names the modules of a circle.
    TopologicalSorter(graph).prepare()
