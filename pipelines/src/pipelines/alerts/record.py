"""What was told, to whom: one row a state of a message, under checkpoints.

A message is recorded before it is sent, and again when it is known what became of it. A run that dies in between leaves
it pending; the next one sends it, under the same id.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from pipelines.alerts.facts import Alert
from pipelines.engine.arrow_types import TIMESTAMP
from pipelines.settings import RunSettings

if TYPE_CHECKING:
    from pipelines.engine import Engine

TABLE: Final = "alerts"

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("channel", pa.string()),
        ("state", pa.string()),
        ("recorded_at", TIMESTAMP),
        ("detail", pa.string()),
        ("event", pa.string()),
        ("severity", pa.string()),
        ("dataset", pa.string()),
        ("run_id", pa.string()),
        ("content", pa.string()),
    ]
)
"""``content`` is the alert as JSON, without its samples; the columns before it are taken from there, for who looks."""


class State(enum.StrEnum):
    """What became of a message, in the order in which it may."""

    WAITING = "waiting"
    """The channel has had its messages of the hour: it will be summed up."""
    PENDING = "pending"
    """It is being sent; or whoever sent it died."""
    SUMMED_UP = "summed_up"
    """It is in a summary."""
    SENT = "sent"
    """The channel has taken it."""
    FAILED = "failed"
    """The channel would not take it."""


_ORDER: Final = {state: place for place, state in enumerate(State)}


@dataclass(frozen=True, slots=True)
class Message:
    """An alert on its way to a channel.

    Attributes:
        channel: Name of the support channel.
        alert: What it says.
        state: What became of it.
        recorded_at: When, UTC.
        detail: Why it failed.
    """

    channel: str
    alert: Alert
    state: State
    recorded_at: datetime
    detail: str | None = None


def messages(engine: Engine, settings: RunSettings) -> list[Message]:
    """Return every message of the domain in its last state, oldest first."""
    rows = engine.read_records(settings.record_path(TABLE)).to_pylist()
    last: dict[tuple[str, str], Message] = {}
    for row in rows:
        state = State(row["state"])
        known = last.get((row["channel"], row["id"]))
        if known is None or _ORDER[known.state] < _ORDER[state]:
            told = Alert.model_validate_json(row["content"])
            last[row["channel"], row["id"]] = Message(row["channel"], told, state, row["recorded_at"], row["detail"])
    return sorted(last.values(), key=lambda message: message.alert.at)


def record(engine: Engine, settings: RunSettings, entries: Sequence[Message]) -> None:
    """Commit states of messages, at once: what is gathered is lost with its run."""
    if entries:
        table = pa.Table.from_pylist(list(_rows(entries)), schema=SCHEMA)
        engine.commit_records(settings.record_path(TABLE), table)


def _rows(entries: Iterable[Message]) -> Iterable[dict[str, object]]:
    for entry in entries:
        yield {
            "id": entry.alert.id,
            "channel": entry.channel,
            "state": entry.state.value,
            "recorded_at": entry.recorded_at,
            "detail": entry.detail,
            "event": entry.alert.event.value,
            "severity": entry.alert.severity,
            "dataset": entry.alert.dataset,
            "run_id": entry.alert.run_id,
            "content": entry.alert.model_dump_json(exclude={"samples"}),
        }
