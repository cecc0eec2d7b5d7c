"""The message about a failed step, for the person who started the run and for those notified at night."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg

from youjun_pipeline.settings import SettingsError
from youjun_pipeline.warehouse.publication import PublishedInPartError
from youjun_pipeline.warehouse.run import (
    AsOfInFutureError,
    AsOfWentBackError,
    EmptyRangeError,
    UnknownScopeError,
)

PUBLICATION_STEP = "publication__youjun"
# The system's messages about places that cannot be written, in the words of Python and of DuckDB, each with a remedy.
REMEDIES = {
    "Corrupt database file": "数据库文件已损坏：若是工作库，请把它移开（mv）后运行 make run，它会由交付文件和发布库重新生成",
    "No space left on device": "磁盘已满：请腾出空间后再运行 make run",
    "Disk quota exceeded": "磁盘配额已用完：请腾出空间后再运行 make run",
    "File too large": "文件超过了系统允许的大小：请放宽限制（ulimit -f）后再运行 make run",
    "Read-only file system": "所在的文件系统只读：请改为可写，或另设位置（YOUJUN_PUBLISHED、YOUJUN_WAREHOUSE）",
    "Permission denied": "没有读写权限：请把所在的文件夹交给运行本程序的用户",
}


def cause_of(error: Any) -> str:
    """The message of this package, or else of the innermost cause; without our own class name, which helps nobody."""
    chain = [error]
    while chain[-1].cause:
        chain.append(chain[-1].cause)
    ours = [e for e in chain if e.message.startswith("youjun_pipeline.")]
    message = (ours or chain)[0 if ours else -1].message.strip()
    return re.sub(r"^youjun_pipeline\.[\w.]+: ", "", message) + _remedy(message)


# A run with an impossible request is refused before it changes a table.
REFUSALS = (AsOfInFutureError, AsOfWentBackError, EmptyRangeError, SettingsError, UnknownScopeError)
REFUSED = "youjun/refused"
LONGEST_TAG = 200
# Exceptions that Dagster itself handles.
UNDERSTOOD = (dg.Failure, dg.RetryRequested, dg.DagsterError)


def reason_first(compute: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator of an asset's function: the message of a fault begins, in Chinese, with the fault and its remedy."""

    @functools.wraps(compute)
    def told(*args: Any, **kwargs: Any) -> Any:
        with _told():
            return compute(*args, **kwargs)

    @functools.wraps(compute)
    def told_in_steps(*args: Any, **kwargs: Any) -> Iterator[Any]:
        with _told():
            yield from compute(*args, **kwargs)

    # Dagster inspects the function to see whether it yields.
    return told_in_steps if inspect.isgeneratorfunction(compute) else told


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except UNDERSTOOD:
        raise
    except Exception as error:
        if isinstance(error, REFUSALS):
            _cancel(dg.AssetExecutionContext.get(), str(error))
        raise _failure(error) from error


def _cancel(context: dg.AssetExecutionContext, reason: str) -> None:
    """End the run of `context` as cancelled: for a failed run, Dagster would mark every asset of the run as failed."""
    # the page of a cancelled run shows no reason; the tags also appear in the list of runs
    context.instance.add_run_tags(context.run.run_id, {REFUSED: reason[:LONGEST_TAG]})
    context.instance.report_run_canceling(context.run, reason)


def _failure(error: Exception) -> dg.Failure:
    """A Failure with the reason as its description."""
    is_ours = type(error).__module__.startswith("youjun_pipeline.")
    text = str(error) if is_ours else f"{type(error).__name__}: {error}"
    return dg.Failure(description=text + _remedy(text))


def _remedy(text: str) -> str:
    return next((f"\n{remedy}" for words, remedy in REMEDIES.items() if words in text), "")


def has_published(error: Any) -> bool:
    """Whether the publication step failed after it had replaced the published file."""
    while error and error.cls_name != PublishedInPartError.__name__:
        error = error.cause
    return error is not None
