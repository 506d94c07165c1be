"""Which commit last changed a table's rows: its care (OPTIMIZE, VACUUM) makes commits that change none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.settings import EngineName

if TYPE_CHECKING:
    from pipelines.engine import Engine

CARE = frozenset({"OPTIMIZE", "VACUUM START", "VACUUM END", "SET TBLPROPERTIES"})
"""Delta's operations that rewrite or remove files and change no row."""


def data_version(engine: Engine, path: str) -> int:
    """Return the number of the newest commit of the table at `path` that is not mere care."""
    history = _history(engine, path)
    # Of a table that was purged the log tells only what came after: the oldest entry stands for all before it.
    oldest = int(history[-1]["version"]) if history else 0
    return next((int(entry["version"]) for entry in history if entry["operation"] not in CARE), oldest)


def _history(engine: Engine, path: str) -> list[dict[str, Any]]:
    """The table's commits, newest first."""
    if engine.name is EngineName.DATABRICKS:
        rows = engine.spark.sql(f"DESCRIBE HISTORY delta.`{path}`").select("version", "operation").collect()
        return [row.asDict() for row in rows]
    from pipelines.engine import local

    return local.history(path)
