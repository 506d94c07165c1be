"""The count law's record: one row a silver batch, under checkpoints.

Records read = rows in silver + superseded + messages + duplicates + rows in quarantine. `accounted` is counted on
another way than `duplicates`: every row of both tables carries how many identical records of its batch it stands for
(`_copies`), and records whose row came from an earlier batch are found by joining; what got lost on the way is in none
of them. `messages` are counted in bronze, and are 0 but for a change feed, some of whose records are about no row.

A dataset with a history keeps its changes, and the law is about these: records read = changes + messages + duplicates +
rows in quarantine, and of the changes those that a row of silver shows are `silver`, the others `superseded`. That its
tables were made of all of them is counted too: of every key of the batch, the records that its changes stand for
(deletes, and what they took for good, stand for none) must be the sum of `_copies` of its rows in each table (of SCD 1,
which forgets what was overtaken: its keys must be as many as the rows); the difference is taken off `accounted`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa

from pipelines.engine.arrow_types import TIMESTAMP
from pipelines.settings import RunSettings

if TYPE_CHECKING:
    from pipelines.engine import Engine

SCHEMA = pa.schema(
    [
        ("dataset", pa.string()),
        ("batch_id", pa.string()),
        ("run_id", pa.string()),
        ("files", pa.int64()),
        ("rows", pa.int64()),
        ("silver", pa.int64()),
        ("superseded", pa.int64()),
        ("messages", pa.int64()),
        ("duplicates", pa.int64()),
        ("quarantine", pa.int64()),
        ("accounted", pa.int64()),
        ("balanced", pa.bool_()),
        ("rules", pa.string()),
        ("started_at", TIMESTAMP),
        ("seconds", pa.float64()),
    ]
)


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch of deliveries that silver took.

    Attributes:
        dataset: Dataset of the domain.
        batch_id: Name made from the deliveries' contents.
        run_id: Run that refined it.
        files: Deliveries.
        rows: Records of theirs in bronze.
        silver: Rows of theirs in silver; of a dataset with a history, their changes that a row shows.
        superseded: Changes of theirs that no row shows: taken into a version, overtaken, or a delete. 0 without a
            history.
        messages: Records of a change feed about no row; 0 of any other source.
        duplicates: Records that repeat another one.
        quarantine: Rows of theirs in quarantine.
        accounted: Records that the tables account for; equal to `rows` where nothing was lost.
        rules: Rows by rule that they broke.
        started_at: When, UTC.
        seconds: How long it took.
    """

    dataset: str
    batch_id: str
    run_id: str
    files: int
    rows: int
    silver: int
    duplicates: int
    quarantine: int
    accounted: int
    rules: dict[str, int] = field(default_factory=dict)
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    seconds: float = 0.0
    superseded: int = 0
    messages: int = 0

    @property
    def balanced(self) -> bool:
        """Whether the count law holds."""
        return self.accounted == self.rows and self.duplicates >= 0


def batches_path(settings: RunSettings) -> str:
    """Where the domain's batches are recorded."""
    return settings.record_path("batches")


def record_batch(engine: Engine, settings: RunSettings, batch: Batch) -> None:
    """Append a batch's counts to the domain's record."""
    row = asdict(batch) | {"balanced": batch.balanced, "rules": json.dumps(batch.rules, sort_keys=True)}
    engine.append(batches_path(settings), pa.Table.from_pylist([row], schema=SCHEMA))
