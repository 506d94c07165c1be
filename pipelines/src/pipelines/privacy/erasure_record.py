"""What an erasure is about to do and has done, event by event: so that one that was killed is finished by the next run.

An event is entered before the commit that it tells of; what was planned twice, because the commit did not come, counts
once.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipelines.engine.arrow_types import TIMESTAMP
from pipelines.settings import RunSettings

if TYPE_CHECKING:
    from pipelines.engine import Engine

TABLE = "erasures"
"""Table under checkpoints."""
BEGUN, REMOVAL, CERTIFIED = "begun", "removal", "certified"
_SCHEMA = pa.schema(
    [
        ("erasure_id", pa.string()),
        ("subject_type", pa.string()),
        ("subject_hash", pa.string()),
        ("event", pa.string()),
        ("layer", pa.string()),
        ("target", pa.string()),
        ("rows", pa.int64()),
        ("version", pa.int64()),
        ("deliveries", pa.string()),
        ("run_id", pa.string()),
        ("recorded_at", TIMESTAMP),
    ]
)


@dataclass(frozen=True, slots=True)
class Removal:
    """Rows that leave a table, or records that leave a file.

    Attributes:
        layer: Its layer.
        target: The table or file.
        rows: How many.
        version: The table's version before; 0 for a file.
        deliveries: Contents of the deliveries that they came from.
    """

    layer: str
    target: str
    rows: int
    version: int
    deliveries: tuple[str, ...]


class ErasureRecord:
    """The events of one erasure."""

    def __init__(self, engine: Engine, settings: RunSettings, subject_type: str, subject_hash: str) -> None:
        self._engine, self._settings = engine, settings
        self._path = settings.record_path(TABLE)
        self._type, self._hash = subject_type, subject_hash
        self.id = self._open() or settings.run_id

    def begin(self) -> None:
        """Enter that the erasure begins, once."""
        if self._open() is None:
            self._add(BEGUN)

    def plan(self, removal: Removal) -> None:
        """Enter what is about to leave."""
        self._add(REMOVAL, removal)

    def certify(self) -> None:
        """Enter that the certificate is written: a later erasure of the subject is another one."""
        self._add(CERTIFIED)

    def removals(self) -> list[Removal]:
        """Return what left, each once."""
        planned: dict[tuple[str, int], Removal] = {}
        for row in self._rows():
            if row["event"] == REMOVAL and row["erasure_id"] == self.id:
                deliveries = tuple(json.loads(row["deliveries"]))
                removal = Removal(row["layer"], row["target"], row["rows"], row["version"], deliveries)
                planned[removal.target, removal.version] = removal
        return sorted(planned.values(), key=lambda removal: (removal.layer, removal.target, removal.version))

    def began(self) -> datetime:
        """Return when it began, UTC."""
        return min(row["recorded_at"] for row in self._rows() if row["erasure_id"] == self.id)

    def runs(self) -> Sequence[str]:
        """Return the runs that it took."""
        return sorted({row["run_id"] for row in self._rows() if row["erasure_id"] == self.id})

    def _open(self) -> str | None:
        """The id of the subject's erasure that has begun and has no certificate."""
        rows = self._rows()
        certified = {row["erasure_id"] for row in rows if row["event"] == CERTIFIED}
        return next((row["erasure_id"] for row in rows if row["erasure_id"] not in certified), None)

    def _rows(self) -> list[dict[str, Any]]:
        if not self._engine.exists(self._path):
            return []
        return self._engine.rows(self._path, matching={"subject_hash": self._hash}).to_pylist()

    def _add(self, event: str, removal: Removal | None = None) -> None:
        row = {
            "erasure_id": self.id,
            "subject_type": self._type,
            "subject_hash": self._hash,
            "event": event,
            "layer": removal.layer if removal else None,
            "target": removal.target if removal else None,
            "rows": removal.rows if removal else None,
            "version": removal.version if removal else None,
            "deliveries": json.dumps(removal.deliveries) if removal else None,
            "run_id": self._settings.run_id,
            "recorded_at": datetime.now(UTC),
        }
        self._engine.append(self._path, pa.Table.from_pylist([row], schema=_SCHEMA))
