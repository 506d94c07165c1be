"""What silver's rows have beside a contract's columns where a history is kept, and which of them hold now.

A table says itself by its technical columns which of its rows hold now: whoever reads it asks :func:`holding_now`, or a
reader that does (:mod:`pipelines.shown`), and nobody else's knowledge of its contract counts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

TYPES: Final[Mapping[str, str]] = {
    "_version": "bigint",
    "_valid_from": "timestamp",
    "_valid_to": "timestamp",
    "_is_current": "boolean",
    "_is_deleted": "boolean",
    "_deleted_at": "timestamp",
}
"""Spark SQL types of the columns of a row of versions."""
VERSIONED: Final = tuple(TYPES)
"""What a row of versions has; the first is its name within the key."""
DELETED: Final = VERSIONED[-2:]
"""What a row has of which only the latest state is kept."""
CHANGES: Final = "_changes"
HISTORY: Final = "_history"
"""What the names of the tables that silver keeps beside a dataset's own end in."""


def holding_now(columns: Collection[str]) -> str | None:
    """Return the SQL condition of the rows that hold now, of a table with these columns; ``None`` where all do."""
    if "_is_current" in columns:
        return "_is_current"
    return "NOT _is_deleted" if "_is_deleted" in columns else None
