"""The way into delivered files: their identity, and their content as rows of text.

Belongs here: what the rest of the package needs from reading. Keep out: how reading is done (file_rows.py and the formats). That
code is loaded only when a file is read, because pandas, pyarrow and the workbook reader take half a second to import.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from youjun_pipeline.contracts.model import Dataset
from youjun_pipeline.ingest.formats.limits import MAX_ARCHIVE_BYTES, MAX_FILE_BYTES, open_regular, unforeseen
from youjun_pipeline.ingest.results import ReadResult, SourceColumn

__all__ = ["READER_VERSION", "ReadResult", "SourceColumn", "content_hash", "read_file", "read_safely"]

# Part of the key under which read content is stored. Raise this number when a change makes the same bytes give other text, rows
# or messages: then every file is read again.
READER_VERSION = "7"


def content_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal.

    Raises Unreadable if the path is no file or the file is too large to be read, OSError if it cannot be opened.
    """
    most = MAX_ARCHIVE_BYTES if path.suffix.casefold() == ".zip" else MAX_FILE_BYTES
    with open(open_regular(path, most), "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_file(path: Path, dataset: Dataset, sheet: str | None = None) -> ReadResult:
    """Read a delivered file as rows of `dataset`. Never raises for a bad file: then the result has a failure.

    With `sheet` only the sheet of that name is read.

    Failures, each with what to do in its message: file_unreadable, header_not_found, required_column_missing,
    ambiguous_header (a contract column occurs twice, or a second header is among the rows).
    """
    from youjun_pipeline.ingest.file_rows import read

    return read(path, dataset, sheet)


def read_safely(
    path: Path, dataset: Dataset, read: Callable[[Path, Dataset], ReadResult] = read_file
) -> ReadResult:
    """The result of `read` for a file. Any error on the way becomes the failure of this file and does not stop other files."""
    try:
        return read(path, dataset)
    except Exception as error:
        from youjun_pipeline.ingest.file_rows import failed

        return failed(dataset, [], "file_unreadable", str(unforeseen(error)))
