"""The contract's retention, enforced inside the tables: rows older than it are deleted, and VACUUM takes their files.

Storage cannot do it: which of a Delta table's files are live stands in its log (decision 0006). A row's age is the time
since it was taken in (``_ingested_at``). Gold has no age of its own: it is rebuilt from what silver holds.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pipelines.contracts.model import Contract
from pipelines.settings import Layer

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
    days = contract.retention(layer) if layer in AGEING else None
    if days is None:
        return None
    return f"_ingested_at < TIMESTAMP '{now - timedelta(days=days):%Y-%m-%d %H:%M:%S}'"


def count(engine: Engine, path: str, condition: str) -> int:
    """Count the rows of a table that are past their time."""
    return engine.read(path).where(condition).count()


def expire(engine: Engine, path: str, condition: str) -> None:
    """Delete the rows of a table that are past their time."""
    engine.spark.sql(f"DELETE FROM delta.`{path}` WHERE {condition}").collect()
