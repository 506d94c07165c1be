"""Debezium's envelope: what a change event says of a row, and the messages between them that are about no row.

Read are events of Debezium 1 and 2 as Kafka Connect writes them, with their schema beside them (``{"schema": ...,
"payload": ...}``) or without. https://debezium.io/documentation/reference/stable/connectors/postgresql.html, "Data
change events".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pipelines.bronze.formats import malformed

OPERATIONS = {"c": "after", "u": "after", "r": "after", "d": "before"}
"""Changes of a row, each with the image that has its fields: create, update, read by a snapshot, delete."""
TRUNCATE = "t"
MESSAGE = "m"
TOMBSTONE = "tombstone"
"""A record without a value, which follows a delete for Kafka's compaction."""
SCHEMA = "schema"
"""A message about the source's schema, not about a row."""
SEQUENCE = (("source", "lsn"), ("source", "ts_ms"))
"""Where the order of changes is, unless the contract says it: the first that is there."""
_DIGITS = re.compile(r"-?[0-9]{1,19}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Change:
    """What an event says.

    Attributes:
        operation: One of `OPERATIONS`, `MESSAGE`, `TOMBSTONE`, `SCHEMA`; ``None`` where it is malformed.
        sequence: Place in the order of changes; ``None`` where the event is about no row.
        changed_at: When the source changed the row.
        fields: The row; ``None`` where the event is about none.
        error: ``kind: detail`` of a malformed event.
    """

    operation: str | None
    sequence: int | None = None
    changed_at: datetime | None = None
    fields: Mapping[str, Any] | None = None
    error: str | None = None


def unwrap(event: Mapping[str, Any] | None, sequence: Sequence[Sequence[str]] = SEQUENCE) -> Change:
    """Take an event out of its envelope.

    Args:
        event: The record; ``None`` is a tombstone.
        sequence: Paths of the number that orders changes, of which the first that is there counts.
    """
    if event is not None and "payload" in event and event.keys() <= {"schema", "payload"}:
        event = event["payload"]
    if event is None:
        return Change(TOMBSTONE)
    if not isinstance(event, Mapping):
        return _bad(malformed.NO_ENVELOPE, "the payload is no object")
    operation = event.get("op")
    if operation is None and ("ddl" in event or "tableChanges" in event):
        return Change(SCHEMA)
    if operation == MESSAGE:
        return Change(MESSAGE)
    if operation == TRUNCATE:
        return _bad(malformed.TRUNCATE, "the source's table was emptied")
    if operation not in OPERATIONS:
        found = "no `op`" if operation is None else f"the `op` {str(operation)[:20]!r}"
        return _bad(malformed.NO_ENVELOPE, f"it has {found}; known are {', '.join(OPERATIONS)}")
    image = OPERATIONS[operation]
    fields = event.get(image)
    if not isinstance(fields, Mapping):
        return _bad(malformed.NO_ENVELOPE, f"a change {operation!r} without `{image}`")
    order = next((number for path in sequence if (number := _integer(at(event, path))) is not None), None)
    if order is None:
        return _bad(
            malformed.NO_SEQUENCE, f"no whole number of 64 bits at {' or '.join('.'.join(p) for p in sequence)}"
        )
    return Change(operation, order, _moment(event), fields)


def at(record: Any, path: Sequence[str]) -> Any:
    """Return what is at a path; ``None`` where there is nothing."""
    for part in path:
        if not isinstance(record, Mapping):
            return None
        record = record.get(part)
    return record


def _bad(kind: str, detail: str) -> Change:
    return Change(None, error=f"{kind}: {detail}")


def _integer(value: Any) -> int | None:
    """A whole number of 64 bits, be it a number or its digits."""
    if isinstance(value, bool) or not isinstance(value, int | str) or not _DIGITS.fullmatch(str(value)):
        return None
    number = int(value)
    return number if -(1 << 63) <= number < 1 << 63 else None


def _moment(event: Mapping[str, Any]) -> datetime | None:
    milliseconds = _integer(at(event, ("source", "ts_ms")))
    if milliseconds is None:
        milliseconds = _integer(event.get("ts_ms"))
    try:
        return None if milliseconds is None else _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None


__all__ = ["SEQUENCE", "Change", "at", "unwrap"]
