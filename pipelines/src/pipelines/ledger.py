"""What each layer has taken in: one row a delivery and event, appended after the commit that it tells of.

The ledger is how a run knows what is new. It is written last: a run that dies before it has its deliveries done again,
and because every commit replaces what it wrote before, doing it again changes nothing.

Events are ordered by a number that is one more than the greatest one of the table when they were entered (Lamport's
clock): what was entered by a run that knew of an event comes after it, whatever the machines' clocks say.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa

from pipelines.engine.arrow_types import TIMESTAMP
from pipelines.settings import Layer, RunSettings

if TYPE_CHECKING:
    from pipelines.engine import Engine


class Status(enum.StrEnum):
    """What became of a delivery in a layer."""

    COMMITTED = "committed"
    """Its rows are in the layer's tables."""
    REPEATED = "repeated"
    """The same bytes came before, under this name or another: nothing was written."""
    REJECTED = "rejected"
    """No record of it could be read: it is in the quarantine of files."""
    SUPERSEDED = "superseded"
    """A newer delivery of the same name took its place: its rows have left."""
    HELD = "held"
    """A check said no to its batch: nothing of it is published until somebody accepts it, or a replay finds it good."""
    ACCEPTED = "accepted"
    """Somebody let a held batch go on; `Entry.detail` has who, and why."""
    UNDONE = "undone"
    """A restore took the tables back to before it: the next run does it again."""
    EXPIRED = "expired"
    """Past the layer's retention: its rows have left, and are not asked for again by the layer after it."""
    ERASED = "erased"
    """Records of persons have left it for good; `rows` are those that stay. Of a content that was never committed: it
    is what an erasure left of a delivery's file, and has nothing that is not there."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of one delivery in one layer.

    Attributes:
        layer: ``bronze`` or ``silver``.
        dataset: Dataset of the domain.
        file: Name of the delivery, relative to the dataset's landing folder.
        file_sha256: Its content.
        size: Bytes.
        modified: Modification time of the file, nanoseconds since 1970, UTC.
        status: What became of it.
        rows: Records it has in the layer's input.
        contract_digest: Contract it was read by.
        run_id: Run that did it.
        batch_id: Batch within the run.
        recorded_at: When, UTC, by the machine's clock.
        detail: Why, for a rejected one.
        sequence: Where it stands in the ledger's order; given by `Ledger.add`.
    """

    layer: str
    dataset: str
    file: str
    file_sha256: str
    size: int
    modified: int
    status: Status
    rows: int
    contract_digest: str
    run_id: str
    batch_id: str
    recorded_at: datetime
    detail: str | None = None
    sequence: int = 0


SCHEMA = pa.schema(
    [
        ("layer", pa.string()),
        ("dataset", pa.string()),
        ("file", pa.string()),
        ("file_sha256", pa.string()),
        ("size", pa.int64()),
        ("modified", pa.int64()),
        ("status", pa.string()),
        ("rows", pa.int64()),
        ("contract_digest", pa.string()),
        ("run_id", pa.string()),
        ("batch_id", pa.string()),
        ("recorded_at", TIMESTAMP),
        ("detail", pa.string()),
        ("sequence", pa.int64()),
    ]
)


class Ledger:
    """The ledger of one domain, a Delta table under checkpoints."""

    def __init__(self, engine: Engine, settings: RunSettings) -> None:
        self._engine = engine
        self.path = settings.record_path("ledger")

    def entries(self, layer: Layer, dataset: str) -> list[Entry]:
        """Return the layer's events of a dataset, oldest first."""
        matching = {"layer": layer.value, "dataset": dataset}
        table = self._engine.rows(self.path, [field.name for field in fields(Entry)], matching)
        found = [Entry(**cast("dict[str, Any]", {**row, "status": Status(row["status"])})) for row in table.to_pylist()]
        return sorted(found, key=lambda entry: (entry.sequence, entry.recorded_at))

    def add(self, entries: Sequence[Entry]) -> None:
        """Append events, in one commit."""
        if entries:
            last = self._engine.greatest(self.path, "sequence")
            sequence = 0 if last is None else last + 1
            rows = [asdict(entry) | {"status": entry.status.value, "sequence": sequence} for entry in entries]
            self._engine.append(self.path, pa.Table.from_pylist(rows, schema=SCHEMA))


def latest(entries: Iterable[Entry]) -> dict[str, Entry]:
    """Return each content's last word: by sha256, of entries in order; what was only repeated says nothing new.

    An erasure leaves a delivery what it was, with fewer rows.
    """
    last: dict[str, Entry] = {}
    for entry in entries:
        if entry.status is Status.ERASED:
            if (known := last.get(entry.file_sha256)) is not None:
                last[entry.file_sha256] = replace(known, rows=entry.rows)
        elif entry.status is not Status.REPEATED:
            last[entry.file_sha256] = entry
    return last
