"""Parquet, read a batch at a time, column by column."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.bronze.formats.arrow_values import kind_of, readable, text_and_json
from pipelines.bronze.formats.form import BrokenError, Form, Kind, Look, Rows
from pipelines.bronze.formats.records import TextTable
from pipelines.bronze.formats.values import json_objects, rescued
from pipelines.bronze.span import Span

MAGIC = b"PAR1"
BATCH_ROWS = 32_768
BUFFER_BYTES = 1 << 20
"""Bytes of a column that are read at once: a column of a row group is not held whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParquetFormat(Form):
    """Parquet files: `_line` is the record's number, `_raw` its canonical JSON."""

    @property
    def empty_is_whole(self) -> bool:
        """No bytes are no Parquet file."""
        return False

    def look(self, raw: IO[bytes]) -> Look:
        """Read the footer, and decode every page."""
        file = _open(raw)
        schema = file.schema_arrow
        for field in schema:
            if (unreadable := readable(field.type)) is not None:
                raise BrokenError(f"schema: column {field.name!r} is {field.type}: {unreadable}")
        twice = sorted({name for name in schema.names if schema.names.count(name) > 1})
        if twice:
            raise BrokenError(f"schema: it names {', '.join(map(repr, twice))} more than once")
        try:
            for batch in file.iter_batches(BATCH_ROWS):
                batch.validate(full=True)
        except (pa.ArrowException, OSError) as error:
            raise _broken(raw, error) from None
        return Look(_kinds(schema, self.known), whole=True)

    def marks(self, raw: IO[bytes]) -> Iterator[tuple[int, int]]:
        """Yield where row groups begin, and the number of their first records; nothing where they are not in order."""
        metadata = _open(raw).metadata
        starts = [_start(metadata, group) for group in range(metadata.num_row_groups)]
        if starts != sorted(set(starts)):
            return
        number = 1
        for group, start in enumerate(starts):
            yield start, number
            number += metadata.row_group(group).num_rows

    def read(self, span: Span) -> Iterator[Rows]:
        """Read a file, or its row groups that begin in a piece of it, a batch at a time."""
        file = _open(span.raw)
        metadata = file.metadata
        groups = [
            group
            for group in range(metadata.num_row_groups)
            if span.start <= _start(metadata, group) and (span.end is None or _start(metadata, group) < span.end)
        ]
        number = span.line
        try:
            for batch in file.iter_batches(BATCH_ROWS, row_groups=groups):
                yield self._rows(batch, number)
                number += batch.num_rows
        except (pa.ArrowException, OSError) as error:
            raise _broken(span.raw, error) from None
        span.seek(0)

    def _rows(self, batch: pa.RecordBatch, number: int) -> Rows:
        lines = pa.array(range(number, number + batch.num_rows), pa.int64())
        columns = {name: text_and_json(array) for name, array in zip(batch.schema.names, batch.columns, strict=True)}
        raw = json_objects({name: json for name, (_, json) in columns.items()}, batch.num_rows).cast(pa.binary())
        if self._paths(batch.schema):
            table = TextTable(self.known)
            for row in batch.to_pylist(maps_as_pydicts="strict"):
                table.add(row)
            return Rows(table.columns(), raw, lines, rescued=table.rest())
        rest = {name: json for name, (_, json) in columns.items() if name not in self.known}
        return Rows(
            {name: text for name, (text, _) in columns.items() if name in self.known},
            raw,
            lines,
            rescued=rescued(rest, batch.num_rows),
        )

    def _paths(self, schema: pa.Schema) -> bool:
        """Whether a field lies within a nested column."""
        return any("." in name and name not in schema.names for name in self.known)


def _open(raw: IO[bytes]) -> pq.ParquetFile:
    raw.seek(0)
    try:
        return pq.ParquetFile(raw, buffer_size=BUFFER_BYTES, pre_buffer=False, page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        raise _broken(raw, error) from None


def _broken(raw: IO[bytes], error: Exception) -> Exception:
    """What is wrong with a file; the storage's own error as it is."""
    if isinstance(error, OSError) and error.errno is not None:
        return error
    raw.seek(0, io.SEEK_END)
    size = raw.tell()
    raw.seek(0)
    whole = size > 2 * len(MAGIC) and raw.read(len(MAGIC)) == MAGIC
    raw.seek(max(size - len(MAGIC), 0))
    if whole and raw.read() != MAGIC:
        return BrokenError("truncated: the file ends before its footer; the delivery is incomplete")
    return BrokenError(
        f"corrupt: {' '.join(str(error).split())}" if whole else "not-parquet: it has not the format's mark"
    )


def _start(metadata: pq.FileMetaData, group: int) -> int:
    """Where a row group's first page is."""
    columns = [metadata.row_group(group).column(number) for number in range(metadata.num_columns)]
    return min(min(c.data_page_offset, c.dictionary_page_offset or c.data_page_offset) for c in columns)


def _kinds(schema: pa.Schema, known: Sequence[str]) -> dict[str, Kind | None]:
    """Types of the columns, and of the fields of the contract within them."""
    kinds: dict[str, Kind | None] = {field.name: kind_of(field.type) for field in schema}
    for name in known:
        if "." in name and name not in kinds and (kind := _at(schema, name.split("."))) is not None:
            kinds[name] = kind_of(kind)
    return kinds


def _at(schema: pa.Schema, path: Sequence[str]) -> pa.DataType | None:
    """Type of the field at a path."""
    fields: pa.Schema | pa.DataType = schema
    for part in path:
        if not isinstance(fields, pa.Schema | pa.StructType) or part not in fields.names:
            return None
        fields = fields.field(part).type
    return fields if isinstance(fields, pa.DataType) else None
