"""The time of records whose order matters: the machine's clock, but never at or before what the table has already.

A clock may go back: it is set, a container moves, two machines differ. What was recorded later then has an earlier
time, and whoever takes the newest row takes an old one. A time from here is later than every one that its writer can
know of (the physical part of a hybrid logical clock: S. Kulkarni et al., "Logical Physical Clocks", OPODIS 2014); it
runs ahead of the machine's until that has caught up.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pipelines.engine import Engine

_PRECISION: Final = timedelta(milliseconds=1)
"""To which a table's log tells its greatest time (Delta protocol, "Per-file Statistics")."""
_TICK: Final = timedelta(microseconds=1)
_given: dict[str, datetime] = {}
_giving: Final = threading.Lock()


def later(engine: Engine, path: str, column: str) -> datetime:
    """Return a time for rows that are about to be appended to a table of records, UTC.

    The table is asked once a process; who writes beside it has the same clock, or one that is about as good.

    Args:
        engine: The open engine.
        path: The table.
        column: Its column of such times.
    """
    with _giving:
        now = datetime.now(UTC)
        if (given := _given.get(path)) is not None:
            now = max(now, given + _TICK)
        elif (newest := engine.newest(path, column)) is not None:
            now = max(now, newest + _PRECISION)
        _given[path] = now
    return now


__all__ = ["later"]
