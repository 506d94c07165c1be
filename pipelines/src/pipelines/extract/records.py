"""What each extraction planned and landed: one row an event, committed at once, under checkpoints.

An extraction has a number, its dataset's next one. Its range is planned before anything is read, so that a run which
dies is done again by the next one over the same range and under the same names.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipelines.engine.arrow_types import TIMESTAMP
from pipelines.extract.landing import Landed
from pipelines.failpoints import failpoint
from pipelines.settings import RunSettings

if TYPE_CHECKING:
    from pipelines.contracts.model import Contract
    from pipelines.engine import Engine

TABLE = "extracts"

SCHEMA = pa.schema(
    [
        ("dataset", pa.string()),
        ("subject", pa.string()),
        ("number", pa.int64()),
        ("step", pa.int64()),
        ("status", pa.string()),
        ("position", pa.string()),
        ("files", pa.string()),
        ("rows", pa.int64()),
        ("bytes", pa.int64()),
        ("run_id", pa.string()),
        ("contract_digest", pa.string()),
        ("recorded_at", TIMESTAMP),
    ]
)


class Status(enum.StrEnum):
    """How far an extraction has come."""

    PLANNED = "planned"
    """Its range is fixed, nothing of it was read."""
    LANDED = "landed"
    """A part of it is in the landing folder: `position` says where to go on."""
    FINISHED = "finished"
    """The whole range is in the landing folder: `position` says where the next one begins."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event of one extraction.

    Attributes:
        subject: What was read (`Extraction.subject`).
        number: Number of the extraction, from 1.
        step: Number of the event in it, from 0.
        status: How far it has come.
        position: What the kind of source must know to go on, as JSON has it.
        files: What was landed.
    """

    subject: str
    number: int
    step: int
    status: Status
    position: Mapping[str, Any]
    files: tuple[Landed, ...] = field(default=())

    @property
    def stem(self) -> str:
        """How the names of the files of this extraction begin."""
        return f"{self.number:06d}-"


class Extracts:
    """The events of one dataset; one that read something else before counts its numbers on, and begins anew.

    Args:
        engine: The engine.
        settings: The run's.
        contract: The dataset's.
        subject: What is read (`Extraction.subject`).
    """

    def __init__(self, engine: Engine, settings: RunSettings, contract: Contract, subject: str) -> None:
        self._engine, self._settings, self._contract, self._subject = engine, settings, contract, subject
        self._path = settings.record_path(TABLE)
        self._events = self._read()

    @property
    def finished(self) -> Event | None:
        """Where the last whole extraction ended."""
        done = [event for event in self._ours if event.status is Status.FINISHED]
        return done[-1] if done else None

    @property
    def unfinished(self) -> Event | None:
        """The last event of an extraction that was begun and not finished."""
        last = self._ours[-1] if self._ours else None
        return last if last and last.status is not Status.FINISHED else None

    @property
    def _ours(self) -> list[Event]:
        return [event for event in self._events if event.subject == self._subject]

    def steps(self, number: int) -> list[Event]:
        """The events of one extraction, in order."""
        return [event for event in self._events if event.number == number]

    def plan(self, position: Mapping[str, Any]) -> Event:
        """Record that a new extraction begins."""
        number = self._events[-1].number + 1 if self._events else 1
        event = self._add(Event(self._subject, number, 0, Status.PLANNED, position))
        failpoint("extract.planned")
        return event

    def landed(
        self, before: Event, position: Mapping[str, Any], files: Sequence[Landed] = (), *, whole: bool = False
    ) -> Event:
        """Record a part of an extraction, or with `whole` its end."""
        status = Status.FINISHED if whole else Status.LANDED
        event = self._add(replace(before, step=before.step + 1, status=status, position=position, files=tuple(files)))
        failpoint("extract.recorded")
        return event

    def _read(self) -> list[Event]:
        table = self._engine.rows(self._path, None, {"dataset": self._contract.dataset})
        events = [
            Event(
                row["subject"],
                row["number"],
                row["step"],
                Status(row["status"]),
                json.loads(row["position"]),
                tuple(Landed(**file) for file in json.loads(row["files"])),
            )
            for row in table.to_pylist()
        ]
        return sorted(events, key=lambda event: (event.number, event.step))

    def _add(self, event: Event) -> Event:
        row = {
            "dataset": self._contract.dataset,
            "subject": event.subject,
            "number": event.number,
            "step": event.step,
            "status": event.status.value,
            "position": json.dumps(event.position, sort_keys=True),
            "files": json.dumps([asdict(file) for file in event.files]),
            "rows": sum(file.rows for file in event.files),
            "bytes": sum(file.bytes for file in event.files),
            "run_id": self._settings.run_id,
            "contract_digest": self._contract.digest,
            "recorded_at": datetime.now(UTC),
        }
        # At once, also where records are gathered: what is landed relies on it.
        self._engine.commit_records(self._path, pa.Table.from_pylist([row], schema=SCHEMA))
        self._events.append(event)
        return event
