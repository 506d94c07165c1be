"""What a table's commits did to its rows: its care (OPTIMIZE, VACUUM) makes commits that change none."""

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


def not_added(engine: Engine, path: str, since: int) -> str | None:
    """Say what has happened to the table's rows since a version other than that rows were added; ``None``: nothing.

    Args:
        engine: The open engine.
        path: The table.
        since: Number of a commit; later ones are looked at.
    """
    later = [entry for entry in _history(engine, path) if int(entry["version"]) > since]
    if len(later) != (max(int(entry["version"]) for entry in later) - since if later else 0):
        return f"the log no longer tells of every commit since version {since}"
    for entry in later:
        mode = str((entry.get("operationParameters") or {}).get("mode", "")).lower()
        adds = entry["operation"] in CARE or (entry["operation"] == "WRITE" and mode == "append")
        if not adds:
            return f"{entry['operation']} {mode}".strip() + f" at version {entry['version']}"
    return None


def _history(engine: Engine, path: str) -> list[dict[str, Any]]:
    """The table's commits, newest first."""
    if engine.name is EngineName.DATABRICKS:
        rows = engine.spark.sql(f"DESCRIBE HISTORY delta.`{path}`")
        return [row.asDict() for row in rows.select("version", "operation", "operationParameters").collect()]
    from pipelines.engine import local

    return local.history(path)
