"""Reads published tables as readers see them: the one place that decides which rows these are.

Of a dataset with a history a plain read gives every version, deleted rows too. Who looks keys up, adds sums up or makes
a table of it wants the rows that hold now, unless it asks for all of them by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.contracts.versions import HISTORY, holding_now

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from pipelines.engine import Engine


def current(engine: Engine, path: str, version: int | None = None) -> DataFrame:
    """Return the rows of the table at `path` that hold now: its contract's columns and the technical ones.

    Args:
        engine: The open engine.
        path: A published table.
        version: Of the table; the newest where absent.
    """
    frame = engine.read(path, version)
    condition = holding_now(frame.columns)
    return frame.where(condition) if condition else frame


def every_version(engine: Engine, path: str, version: int | None = None) -> DataFrame:
    """Return every row that the dataset at `path` has or had: its versions where it keeps them, deleted ones too.

    Args:
        engine: The open engine.
        path: A published table; its versions may lie in a table beside it.
        version: Of the table that has them; the newest where absent.
    """
    beside = f"{path}{HISTORY}"
    return engine.read(beside if engine.exists(beside) else path, version)


__all__ = ["current", "every_version"]
