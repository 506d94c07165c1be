"""What tests of the formats share: reading bytes as bronze does, without an engine."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipelines.bronze.cutting import cut
from pipelines.bronze.formats.form import Form
from pipelines.bronze.inspection import Delivery, Inspector
from pipelines.bronze.parser import parse_span, parse_stream
from pipelines.bronze.span import Span
from pipelines.bronze.storage import StoredFile

SHA = "0" * 64


def _table(batches: Iterable[pa.RecordBatch], form: Form) -> pa.Table:
    """The batches as one table, in the order of lines."""
    return pa.Table.from_batches(list(batches), form.arrow_schema).sort_by("_line")


@dataclass(frozen=True)
class Reading:
    """Reads bytes as bronze does."""

    @staticmethod
    def parse(data: bytes, form: Form, name: str = "f") -> pa.Table:
        """Read a file in one piece."""
        return _table(parse_stream(io.BytesIO(data), name, SHA, form), form)

    @staticmethod
    def parse_cut(data: bytes, form: Form, size: int) -> tuple[pa.Table, int]:
        """Read a file in pieces of about `size` bytes, the last one first; and say how many there were."""
        _, pieces = cut(io.BytesIO(data), form, size)
        batches: list[pa.RecordBatch] = []
        for piece in reversed(pieces):
            span = Span(io.BytesIO(data), piece.start, piece.end, piece.line)
            batches.extend(parse_span(span, "f", SHA, form))
            assert span.sha256() == piece.sha256
        return _table(batches, form), len(pieces)

    @staticmethod
    def fields(read: pa.Table, names: Sequence[str]) -> list[tuple[Any, ...]]:
        """Some columns as rows."""
        return list(zip(*(read[name].to_pylist() for name in names), strict=True))

    @staticmethod
    def kinds(read: pa.Table) -> list[str | None]:
        """Kinds of malformed records, ``None`` where a record is well."""
        return [None if error is None else error.split(":")[0] for error in read["_parse_error"].to_pylist()]

    @staticmethod
    def look(folder: Path, data: bytes, form: Form, name: str = "f", **types: str) -> Delivery:
        """Look at a file as bronze does before it reads it."""
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return Inspector(form, types).inspect(StoredFile(str(path), name, len(data), 0))


@pytest.fixture(scope="session")
def reading() -> Reading:
    """Reads bytes as bronze does; for all tests, because hypothesis wants it so."""
    return Reading()
