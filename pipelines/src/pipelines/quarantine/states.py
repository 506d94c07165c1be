"""What people and replays have decided about rejected records: events, of which the newest of a record counts.

It has a record's id, its rules and names, and nothing of what the record says.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, cast

import pyarrow as pa

from pipelines.engine.arrow_types import TIMESTAMP
from pipelines.settings import RunSettings

if TYPE_CHECKING:
    from pipelines.engine import Engine

TABLE: Final = "quarantine_states"
"""Table under checkpoints."""


class State(enum.StrEnum):
    """Where a rejected record stands."""

    OPEN = "open"
    """Nobody has done anything about it."""
    CORRECTED = "corrected"
    """A corrected record was delivered, and is not published yet."""
    REPLAYED = "replayed"
    """It keeps every rule now and has left quarantine, or its correction is published and it stays as evidence."""
    WAIVED = "waived"
    """Somebody said that it may stay where it is; who and why are told."""


ACTIONABLE: Final = (State.OPEN, State.CORRECTED)
"""States in which somebody still has to do something."""


@dataclass(frozen=True, slots=True)
class Event:
    """One decision about one record.

    Attributes:
        dataset: The dataset.
        quarantine_id: The record (:data:`pipelines.quarantine.records.ID`).
        state: What it is since.
        rules: Ids of the rules that it broke then, comma-separated.
        actor: Who decided, or ran the replay.
        reason: Why; ``None`` where nobody said.
        correction: Name of the corrected delivery, relative to the landing folder; ``None`` where there is none.
        run_id: Run.
        at: When, UTC, by the machine's clock.
        sequence: Where it stands in the table's order; given by `States.add`.
    """

    dataset: str
    quarantine_id: str
    state: State
    rules: str
    actor: str
    reason: str | None
    correction: str | None
    run_id: str
    at: datetime
    sequence: int = 0


SCHEMA = pa.schema(
    [
        ("dataset", pa.string()),
        ("quarantine_id", pa.string()),
        ("state", pa.string()),
        ("rules", pa.string()),
        ("actor", pa.string()),
        ("reason", pa.string()),
        ("correction", pa.string()),
        ("run_id", pa.string()),
        ("at", TIMESTAMP),
        ("sequence", pa.int64()),
    ]
)


class States:
    """The events of one domain's rejected records, a Delta table under checkpoints."""

    def __init__(self, engine: Engine, settings: RunSettings) -> None:
        self._engine = engine
        self.path = settings.record_path(TABLE)

    def events(self, dataset: str) -> list[Event]:
        """Return a dataset's events, oldest first."""
        table = self._engine.rows(self.path, [field.name for field in fields(Event)], {"dataset": dataset})
        found = [Event(**cast("dict[str, Any]", {**row, "state": State(row["state"])})) for row in table.to_pylist()]
        return sorted(found, key=lambda event: (event.sequence, event.at))

    def add(self, events: Sequence[Event]) -> None:
        """Append events, in one commit; none is no commit."""
        if events:
            last = self._engine.greatest(self.path, "sequence")
            sequence = 0 if last is None else last + 1
            rows = [asdict(event) | {"state": event.state.value, "sequence": sequence} for event in events]
            self._engine.append(self.path, pa.Table.from_pylist(rows, schema=SCHEMA))


def newest(events: Iterable[Event]) -> dict[str, Event]:
    """Return each record's last event, of events in order."""
    return {event.quarantine_id: event for event in events}


def standing(event: Event | None) -> State:
    """Return the state of a record that is in quarantine, by its last event.

    One that had left, and was not corrected, has come back by a stricter contract: it is open again.
    """
    if event is None or (event.state is State.REPLAYED and event.correction is None):
        return State.OPEN
    return event.state


__all__ = ["ACTIONABLE", "SCHEMA", "TABLE", "Event", "State", "States", "newest", "standing"]
