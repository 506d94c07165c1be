"""What a table's commits did to its rows: its care (OPTIMIZE, VACUUM) makes commits that change none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.engine.care import commits

if TYPE_CHECKING:
    from pipelines.engine import Engine

CARE = frozenset({"OPTIMIZE", "VACUUM START", "VACUUM END", "SET TBLPROPERTIES"})
"""Delta's operations that rewrite or remove files and change no row."""


def data_version(engine: Engine, path: str) -> int:
    """Return the number of the newest commit of the table at `path` that is not mere care."""
    history = commits(engine, path)
    # Of a table that was purged the log tells only what came after: the oldest entry stands for all before it.
    oldest = history[-1].version if history else 0
    return next((commit.version for commit in history if commit.operation not in CARE), oldest)


def not_added(engine: Engine, path: str, since: int) -> str | None:
    """Say what has happened to the table's rows since a version other than that rows were added; ``None``: nothing.

    Args:
        engine: The open engine.
        path: The table.
        since: Number of a commit; later ones are looked at.
    """
    later = [commit for commit in commits(engine, path) if commit.version > since]
    if len(later) != (max(commit.version for commit in later) - since if later else 0):
        return f"the log no longer tells of every commit since version {since}"
    for commit in later:
        mode = str(commit.parameters.get("mode", "")).lower()
        adds = commit.operation in CARE or (commit.operation == "WRITE" and mode == "append")
        if not adds:
            return f"{commit.operation} {mode}".strip() + f" at version {commit.version}"
    return None
