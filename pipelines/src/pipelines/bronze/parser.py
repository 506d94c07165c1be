"""Files into bronze rows: the one `mapInArrow` function that every engine runs, whatever the form of the files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

import pyarrow as pa

from pipelines.bronze.folders import folder_fields
from pipelines.bronze.formats.form import Form
from pipelines.bronze.span import Span
from pipelines.storage import open_file

PIECES = pa.schema(
    [
        ("path", pa.string()),
        ("file", pa.string()),
        ("sha256", pa.string()),
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("line", pa.int64()),
        ("digest", pa.string()),
    ]
)
"""What the function is told: where a worker reaches a file, its name for `_file`, its content for `_file_sha256`, and
the piece of it that is to be read: its bytes, the number of its first line or record, its digest."""

CHANGED = "changed while it was read"
"""What `ChangedError` says after the file's name; engines hand a worker's error on as text."""


class ChangedError(Exception):
    """A delivery's bytes are not those that were looked at before."""


def parse_deliveries(batches: Iterator[pa.RecordBatch], form: Form) -> Iterator[pa.RecordBatch]:
    """Read the pieces that a frame names.

    Args:
        batches: Columns of `PIECES`.
        form: How the files are written.

    Yields:
        Batches of `form.arrow_schema`.

    Raises:
        ChangedError: a piece's bytes are not those of its ``digest``; known at its end, so the rows that were yielded
            before must not be committed.
    """
    for batch in batches:
        for row in batch.to_pylist():
            with open_file(row["path"]) as raw:
                span = Span(raw, row["start"], row["end"], row["line"])
                yield from _unchanged(span, row["file"], row["sha256"], row["digest"], form)


def _unchanged(span: Span, file: str, sha256: str, digest: str, form: Form) -> Iterator[pa.RecordBatch]:
    try:
        yield from parse_span(span, file, sha256, form)
    except Exception as error:  # a broken file, which was none before
        if _digest(span) != digest:
            raise ChangedError(f"{file} {CHANGED}") from error
        raise
    if span.sha256() != digest:
        raise ChangedError(f"{file} {CHANGED}")


def _digest(span: Span) -> str:
    span.seek(0)
    return span.sha256()


def parse_span(span: Span, file: str, sha256: str, form: Form) -> Iterator[pa.RecordBatch]:
    """Read one delivery, or a piece of it.

    Raises:
        BrokenError: no record of it can be read.
    """
    folders = folder_fields(file, form.fields)
    for rows in form.without(tuple(folders)).read(span):
        yield form.batch(rows, file, sha256, folders)


def parse_stream(raw: IO[bytes], file: str, sha256: str, form: Form) -> Iterator[pa.RecordBatch]:
    """Read one delivery from its bytes."""
    return parse_span(Span(raw), file, sha256, form)
