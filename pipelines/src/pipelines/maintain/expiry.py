"""The contract's retention, enforced inside the tables: rows older than it are deleted, and VACUUM takes their files.

Storage cannot do it: which of a Delta table's files are live stands in its log (decision 0006). A row's age is the time
since it was taken in (``_ingested_at``). What SQL derives has no age of its own: it is rebuilt from what silver holds.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pipelines.contracts.model import Contract
from pipelines.ledger import Ledger, Status, latest
from pipelines.settings import Layer, RunSettings

if TYPE_CHECKING:
    from pipelines.engine import Engine

AGEING = (Layer.BRONZE, Layer.SILVER, Layer.QUARANTINE)
"""Layers whose rows have an age."""


def expired(layer: Layer, contract: Contract, now: datetime) -> str | None:
    """Return SQL that is true for rows of a table that are past the contract's retention; ``None`` where none can be.

    Args:
        layer: Layer of the table.
        contract: Contract of the dataset.
        now: The time, UTC.
    """
    days = contract.retention(layer) if layer in AGEING and contract.model is None else None
    if days is None:
        return None
    return f"_ingested_at < TIMESTAMP '{now - timedelta(days=days):%Y-%m-%d %H:%M:%S}'"


def count(engine: Engine, path: str, condition: str) -> int:
    """Count the rows of a table that are past their time."""
    return engine.read(path).where(condition).count()


def enter(engine: Engine, settings: RunSettings, contract: Contract, condition: str) -> None:
    """Enter the deliveries in the ledger whose rows are all about to leave bronze.

    Silver may keep what it made of them for longer: it must not ask bronze for them again, as a replay would. Entered
    before the rows go, so that a run that dies in between leaves rows that nobody asks for, and the next deletes them.
    """
    from pyspark.sql import functions as F  # noqa: N812 - the customary name

    stays = F.max(F.when(F.expr(condition), 0).otherwise(1)).alias("stays")
    bronze = engine.read(settings.table_path(Layer.BRONZE, contract.dataset))
    leaving = {row[0] for row in bronze.groupBy("_file_sha256").agg(stays).where("stays = 0").collect()}
    ledger = Ledger(engine, settings)
    known = latest(ledger.entries(Layer.BRONZE, contract.dataset))
    now = datetime.now(UTC)
    ledger.add(
        [
            replace(entry, status=Status.EXPIRED, run_id=settings.run_id, recorded_at=now, detail=condition)
            for sha, entry in known.items()
            if sha in leaving and entry.status is Status.COMMITTED
        ]
    )


def expire(engine: Engine, path: str, condition: str) -> None:
    """Delete the rows of a table that are past their time."""
    engine.spark.sql(f"DELETE FROM delta.`{path}` WHERE {condition}").collect()
