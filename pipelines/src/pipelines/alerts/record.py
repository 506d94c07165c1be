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

from pipelines import clock
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
    """Return every message of the domain in its last state, in the order in which they were entered first."""
    rows = engine.read_records(settings.record_path(TABLE)).to_pylist()
    last: dict[tuple[str, str], Message] = {}
    entered: dict[tuple[str, str], datetime] = {}
    for row in rows:
        place = (row["channel"], row["id"])
        entered[place] = min(row["recorded_at"], entered.get(place, row["recorded_at"]))
        state = State(row["state"])
        known = last.get(place)
        if known is None or _ORDER[known.state] < _ORDER[state]:
            told = Alert.model_validate_json(row["content"])
            last[place] = Message(row["channel"], told, state, row["recorded_at"], row["detail"])
    return [last[place] for place in sorted(last, key=lambda place: (entered[place], last[place].alert.at))]


def record(engine: Engine, settings: RunSettings, entries: Sequence[Message]) -> None:
    """Commit states of messages, at once: what is gathered is lost with its run."""
    if entries:
        path = settings.record_path(TABLE)
        at = max(clock.later(engine, path, "recorded_at"), *(entry.recorded_at for entry in entries))
        engine.commit_records(path, pa.Table.from_pylist(list(_rows(entries, at)), schema=SCHEMA))


def _rows(entries: Iterable[Message], at: datetime) -> Iterable[dict[str, object]]:
    for entry in entries:
        yield {
            "id": entry.alert.id,
            "channel": entry.channel,
            "state": entry.state.value,
            "recorded_at": at,
            "detail": entry.detail,
            "event": entry.alert.event.value,
            "severity": entry.alert.severity,
            "dataset": entry.alert.dataset,
            "run_id": entry.alert.run_id,
            "content": entry.alert.model_dump_json(exclude={"samples"}),
        }
