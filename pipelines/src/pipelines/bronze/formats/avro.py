"""Avro's object container files, read a block at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, cast

from pipelines.bronze.formats.form import BrokenError, Kind, Look, Rows
from pipelines.bronze.formats.records import Record, RecordForm
from pipelines.bronze.span import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class AvroFormat(RecordForm):
    """Avro files: `_line` is the record's number, `_raw` its canonical JSON."""

    @property
    def empty_is_whole(self) -> bool:
        """No bytes are no container."""
        return False

    def look(self, raw: IO[bytes]) -> Look:
        """Read the file through, and its columns from its schema."""
        from pipelines.bronze.formats.avro_container import read_header

        found = self.columns_of(self.records(raw))
        if self.envelope:
            return found
        raw.seek(0)
        schema = read_header(raw).schema
        if not (isinstance(schema, Mapping) and schema["type"] == "record"):
            raise BrokenError("not-a-table: its schema is no record")
        columns: dict[str, Kind | None] = {field["name"]: kind_of(field["type"]) for field in schema["fields"]}
        for name in self.known:
            if name not in columns and (inner := _at(schema, name.split("."))) is not None:
                columns[name] = kind_of(inner)
        return Look(columns, whole=True)

    def marks(self, raw: IO[bytes]) -> Iterator[tuple[int, int]]:
        """Yield where blocks begin, and the number of their first records."""
        from pipelines.bronze.formats.avro_container import read_blocks, read_header

        header = read_header(raw)
        base, number = raw.tell(), 1
        for block in read_blocks(raw, header):
            yield base + block.start, number
            number += block.records

    def read(self, span: Span) -> Iterator[Rows]:
        """Read a file, or blocks of it, a block at a time."""
        from pipelines.bronze.formats.avro_container import read_header

        header = None
        if span.start:
            span.raw.seek(0)
            header = read_header(span.raw)
            span.seek(0)
        return self.rows(self._records(cast("IO[bytes]", span), span.line, header))

    def records(self, raw: IO[bytes]) -> Iterator[Record]:
        """Read a file's records."""
        return self._records(raw, 1, None)

    def _records(self, raw: IO[bytes], number: int, header: Any) -> Iterator[Record]:
        from pipelines.bronze.formats.avro_container import read_blocks, read_header, read_records

        header = header or read_header(raw)
        for block in read_blocks(raw, header):
            for value in read_records(block, header):
                yield Record(value, None, number)
                number += 1


_PRIMITIVE = {
    "string": "string",
    "enum": "string",
    "int": "integer",
    "long": "integer",
    "float": "number",
    "double": "number",
    "boolean": "boolean",
    "bytes": "binary",
    "fixed": "binary",
    "record": "object",
    "map": "object",
    "array": "array",
}
_LOGICAL = {"date": "date", "uuid": "string"}


def kind_of(schema: Any) -> Kind:
    """Type of a field by its schema; nulls aside."""
    if isinstance(schema, list):
        branches = [branch for branch in schema if branch != "null"]
        if len(branches) == 1:
            return kind_of(branches[0])
        return Kind(" or ".join(kind_of(branch).text for branch in branches) or "null", None)
    if isinstance(schema, str):
        return Kind(schema, _PRIMITIVE.get(schema))
    logical = schema.get("logicalType")
    if logical == "decimal":
        scale = schema.get("scale", 0)
        return Kind(f"decimal({schema.get('precision')},{scale})", "number" if scale else "integer")
    if logical and logical.removeprefix("local-").startswith("timestamp-"):
        return Kind(logical, "timestamp")
    if logical in _LOGICAL:
        return Kind(logical, _LOGICAL[logical])
    return kind_of(schema["type"])


def _at(schema: Any, path: Sequence[str]) -> Any:
    """Schema of the field at a path; ``None`` where there is none."""
    for part in path:
        if isinstance(schema, list):
            schema = next((branch for branch in schema if branch != "null"), None)
        while isinstance(schema, Mapping) and not isinstance(schema.get("type"), str):
            schema = schema.get("type")
        fields = schema.get("fields", ()) if isinstance(schema, Mapping) else ()
        schema = next((field["type"] for field in fields if field["name"] == part), None)
    return schema
