"""What a domain's tables and records say: rows, freshness, results of checks, and a sample of masked rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from pipelines.contracts import Classification, Contract, Layer
from pipelines.quality.results import RESULTS
from pipelines.settings import RunSettings
from pipelines.shown import current

if TYPE_CHECKING:
    from pipelines.engine import Engine

MOST: Final = 60
"""Evaluations and batches shown of a table, the newest."""
OPEN: Final = Classification.INTERNAL
"""The most sensitive columns that a sample shows without being asked."""
_LONGEST: Final = 80


class Records:
    """Reads the tables of one lake; a table that is not there says nothing.

    Args:
        engine: The engine.
        settings: Where the lake is.
        sample: Rows of a sample.
        sensitive: Whether samples show confidential columns and masked ones, too.
    """

    def __init__(self, engine: Engine, settings: RunSettings, sample: int, *, sensitive: bool) -> None:
        self.engine = engine
        self.settings = settings
        self.sample_rows = sample
        self.sensitive = sensitive
        self._batches = self._all("batches")
        self._results = self._all(RESULTS)
        self._runs = self._all("runs")

    def of(self, contract: Contract) -> dict[str, Any]:
        """``state``, ``quality``, ``batches`` and ``sample`` of a table."""
        return {
            "state": self._state(contract),
            "quality": self._quality(contract),
            "batches": self._batches_of(contract),
            "sample": self._sample(contract),
        }

    def _state(self, contract: Contract) -> dict[str, Any] | None:
        path = self.settings.table_path(contract.published, contract.dataset)
        ran = [row for row in self._runs if row["dataset"] == contract.dataset]
        if not self.engine.exists(path) or not ran:
            return None
        last = max(ran, key=lambda row: row["started_at"])
        held = self.settings.table_path(Layer.QUARANTINE, contract.dataset)
        source = contract.layer == "source"
        return {
            "rows": self.engine.count(path),
            "quarantined": self.engine.count(held) if source and self.engine.exists(held) else 0,
            "last_run": last["started_at"].isoformat(),
            "status": last["status"],
        }

    def _quality(self, contract: Contract) -> list[dict[str, Any]]:
        by_time: dict[Any, dict[str, int]] = {}
        for row in self._results:
            if row["dataset"] == contract.dataset:
                counted = by_time.setdefault(row["evaluated_at"], {"held": 0, "failed": 0, "not_run": 0})
                counted["not_run" if row["success"] is None else "held" if row["success"] else "failed"] += 1
        return [{"at": at.isoformat(), **by_time[at]} for at in sorted(by_time)[-MOST:]]

    def _batches_of(self, contract: Contract) -> list[dict[str, Any]]:
        own = sorted(
            (row for row in self._batches if row["dataset"] == contract.dataset), key=lambda row: row["started_at"]
        )
        return [
            {
                "at": row["started_at"].isoformat(),
                "rows": row["rows"],
                "good": row["silver"],
                "duplicates": row["duplicates"],
                "quarantined": row["quarantine"],
            }
            for row in own[-MOST:]
        ]

    def _sample(self, contract: Contract) -> dict[str, Any] | None:
        """Rows of silver, which is masked; never of bronze, and none of gold, which is its own summary."""
        if contract.published is not Layer.SILVER or not self.sample_rows:
            return None
        path = self.settings.table_path(Layer.SILVER, contract.dataset)
        if not self.engine.exists(path):
            return None
        open_columns = [c.name for c in contract.columns if self.sensitive or c.classification.rank <= OPEN.rank]
        left_out = [c.name for c in contract.columns if c.name not in open_columns]
        if not open_columns:
            return {"columns": [], "rows": [], "left_out": left_out}
        rows = current(self.engine, path).select(*open_columns).limit(self.sample_rows).toArrow().to_pylist()
        return {"columns": open_columns, "rows": [list(map(_text, row.values())) for row in rows], "left_out": left_out}

    def _all(self, table: str) -> list[Mapping[str, Any]]:
        path = self.settings.record_path(table)
        return self.engine.rows(path).to_pylist() if self.engine.exists(path) else []


def _text(value: Any) -> str | None:
    if value is None:
        return None
    text = value.isoformat(sep=" ") if hasattr(value, "hour") else str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
