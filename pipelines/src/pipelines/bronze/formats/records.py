"""Formats of nested records (JSON, Avro): from records with fields of any kind to bronze's columns of text."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from pipelines.bronze.formats import debezium, malformed
from pipelines.bronze.formats.form import CHANGE, Form, Look, Rows
from pipelines.bronze.formats.values import json_of, text_of

BATCH_RECORDS = 16_384
"""Records of one batch, where the format itself has no blocks."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it was read.

    Attributes:
        value: Its fields by name, ``None`` for a null in its place, or what else stands there.
        raw: Its own bytes; ``None`` where the format has none that stand alone: canonical JSON takes their place.
        line: Its number, from 1.
        error: ``kind: detail`` where it is malformed.
    """

    value: Any
    raw: bytes | None
    line: int
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordForm(Form):
    """A format of nested records.

    Attributes:
        envelope: Whether records come in Debezium's envelope.
        sequence: Paths of the number that orders changes.
    """

    envelope: bool = False
    sequence: tuple[tuple[str, ...], ...] = debezium.SEQUENCE

    @property
    def enveloped(self) -> bool:
        """Whether records come in an envelope that says what happened to them."""
        return self.envelope

    @abstractmethod
    def records(self, raw: Any) -> Iterator[Record]:
        """Read a file's records, from its start to its end."""

    def columns_of(self, records: Iterator[Record]) -> Look:
        """Read records through; their columns are those that some of them have."""
        names: dict[str, None] = {}
        for record in records:
            fields = self._change(record).fields
            if fields is not None:
                names.update(dict.fromkeys(fields))
        return Look(dict.fromkeys(names))

    def rows(self, records: Iterator[Record]) -> Iterator[Rows]:
        """Make columns of records, a batch at a time."""
        batch: list[Record] = []
        for record in records:
            batch.append(record)
            if len(batch) >= BATCH_RECORDS:
                yield self.row_batch(batch)
                batch = []
        if batch:
            yield self.row_batch(batch)

    def row_batch(self, batch: list[Record]) -> Rows:
        """Make columns of some records."""
        changes = [self._change(record) for record in batch]
        errors = [change.error for change in changes]
        table = TextTable(self.known)
        try:
            for change in changes:
                table.add(change.fields)
            columns, rest = table.columns(), table.rest()
        except UnicodeEncodeError:
            table = TextTable(self.known)
            errors = [change.error or table.try_to_add(change.fields) for change in changes]
            columns, rest = table.columns(), table.rest()
        told = ([c.operation for c in changes], [c.sequence for c in changes], [c.changed_at for c in changes])
        arrays = [pa.array(values, kind) for values, (_, kind) in zip(told, CHANGE, strict=True)]
        return Rows(
            columns,
            pa.array([raw_of(record) for record in batch], pa.binary()),
            pa.array([record.line for record in batch], pa.int64()),
            pa.array(errors, pa.string()) if any(errors) else None,
            rest,
            arrays if self.envelope else (),
        )

    def _change(self, record: Record) -> debezium.Change:
        value = record.value
        if record.error is not None:
            return debezium.Change(None, error=record.error)
        if self.envelope and (value is None or isinstance(value, dict)):
            return debezium.unwrap(value, self.sequence)
        if not isinstance(value, dict):
            kind = type(value).__name__
            return debezium.Change(None, error=f"{malformed.NOT_AN_OBJECT}: {_JSON_KINDS.get(kind, kind)}")
        return debezium.Change(None, fields=value)


def raw_of(record: Record) -> bytes:
    """A record's bytes as bronze has them."""
    return json_of(record.value).encode("utf-8", "surrogatepass") if record.raw is None else record.raw


_JSON_KINDS = {"NoneType": "null", "list": "an array", "str": "a text", "Number": "a number", "bool": "a boolean"}


class TextTable:
    """Columns of text that records are added to, and what of them no column has."""

    __slots__ = ("_cells", "_paths", "_rest")

    def __init__(self, known: Sequence[str]) -> None:
        self._cells: dict[str, list[str | None]] = {name: [] for name in known}
        self._rest: list[str | None] = []
        self._paths = {name: tuple(name.split(".")) for name in known if "." in name}

    def add(self, fields: Mapping[str, Any] | None) -> None:
        """Add a record; ``None`` for one without fields."""
        if fields is None:
            for cells in self._cells.values():
                cells.append(None)
            self._rest.append(None)
            return
        for name, cells in self._cells.items():
            cells.append(text_of(self._value(fields, name)))
        self._rest.append(self._less_known(fields))

    def try_to_add(self, fields: Mapping[str, Any] | None) -> str | None:
        """Add a record, without its fields where they are no text; return why it is malformed."""
        try:
            _ = json_of(fields).encode()
        except UnicodeEncodeError:
            self.add(None)
            return f"{malformed.UNDECODABLE}: half of a surrogate pair"
        self.add(fields)
        return None

    def columns(self) -> dict[str, pa.Array]:
        """The columns by name."""
        return {name: pa.array(cells, pa.string()) for name, cells in self._cells.items()}

    def rest(self) -> pa.Array:
        """JSON of what no column has; null where that is nothing, or nulls alone."""
        return pa.array(self._rest, pa.string())

    def _value(self, fields: Mapping[str, Any], name: str) -> Any:
        if name in fields or name not in self._paths:
            return fields.get(name)
        return debezium.at(fields, self._paths[name])

    def _less_known(self, fields: Mapping[str, Any]) -> str | None:
        rest = {name: value for name, value in fields.items() if name not in self._cells}
        if not rest:
            return None
        for name, path in self._paths.items():
            if name not in fields:
                rest = _less(rest, path)
        return json_of(rest) if any(value is not None for value in rest.values()) else None


def _less(record: Mapping[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    """A record without what is at a path, nor the objects that are left with nothing."""
    rest = dict(record)
    inner = rest.get(path[0])
    if len(path) == 1:
        rest.pop(path[0], None)
    elif isinstance(inner, Mapping):
        less = _less(inner, path[1:])
        if less:
            rest[path[0]] = less
        else:
            del rest[path[0]]
    return rest


__all__ = ["Record", "RecordForm", "TextTable", "raw_of"]
