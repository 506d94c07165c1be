"""What runs have cost, read from the run records of every domain that shares the checkpoints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pipelines.budget.estimate import PastRun
from pipelines.settings import Layer, RunSettings

if TYPE_CHECKING:
    from pipelines.engine import Engine

RUNS: Final = "runs"
COLUMNS: Final = ("started_at", "domain", "task", "dataset", "status", "cost_centre", "cost_usd", "bytes")
"""Of a run record, what money is about."""


def month_start(now: datetime) -> datetime:
    """The first moment of the month, UTC."""
    return now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def spent(rows: Iterable[Mapping[str, Any]], cost_centre: str, now: datetime) -> Decimal:
    """Add up what a cost centre has spent this month.

    What was recorded as later than now counts too: a clock that went back gives no money back.

    Args:
        rows: Run records (``started_at``, ``cost_centre``, ``cost_usd``).
        cost_centre: Whose.
        now: The time.
    """
    since = month_start(now)
    mine = (row for row in rows if row["cost_centre"] == cost_centre and row["started_at"] >= since)
    return sum((row["cost_usd"] for row in mine if row["cost_usd"] is not None), Decimal(0))


def history(rows: Iterable[Mapping[str, Any]], task: str, dataset: str) -> list[PastRun]:
    """The runs of a task and dataset that succeeded and were priced."""
    return [
        PastRun(row["started_at"], row["cost_usd"], row["bytes"] or 0)
        for row in rows
        if (row["task"], row["dataset"], row["status"]) == (task, dataset, "succeeded") and row["cost_usd"] is not None
    ]


def domains(settings: RunSettings) -> tuple[str, ...]:
    """Every domain that has records under these checkpoints: their folders, or, of a store, those of the wheel."""
    from pipelines.contracts.domain import domain_names
    from pipelines.storage import is_url

    root = settings.root(Layer.CHECKPOINTS)
    if is_url(root):
        return tuple(sorted({settings.domain, *domain_names()}))
    folder = Path(root.removeprefix("file://"))
    found = {child.name for child in folder.iterdir() if child.is_dir()} if folder.is_dir() else set()
    return tuple(sorted({settings.domain, *found}))


def read(engine: Engine, settings: RunSettings, domain: str) -> list[dict[str, Any]]:
    """A domain's run records, just the columns that money is about; null where the table was made before it had one."""
    table = engine.rows(settings.path(Layer.CHECKPOINTS, domain, RUNS))
    there = [name for name in COLUMNS if name in table.column_names]
    return [dict.fromkeys(COLUMNS) | row for row in table.select(there).to_pylist()]
