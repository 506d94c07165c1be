"""Commits that lost a race, and are made again."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from typing import TypeVar

from pipelines.errors import PipelineError

T = TypeVar("T")

ATTEMPTS = 30
"""Commits of one write before it is given up; 30 writers on one table needed at most 24."""
FIRST_WAIT = 0.05
LONGEST_WAIT = 2.0
"""Seconds between two attempts: doubled from the first to the longest, each times a random factor in [0.5, 1.5)."""

_CONFLICT = re.compile(
    r"concurrent|conflict|failed to commit transaction|DELTA_CONCURRENT|CommitFailed|version \d+ already exists|"
    r"already exists at path|DELTA_PATH_EXISTS|DELTA_PROTOCOL_CHANGED|DELTA_METADATA_CHANGED",
    re.IGNORECASE,
)


def is_conflict(error: BaseException) -> bool:
    """Tell an error that says another commit came first; every engine has its own words."""
    return _CONFLICT.search(str(error)) is not None


def retried(commit: Callable[[], T], where: str, *, sleep: Callable[[float], None] = time.sleep) -> T:
    """Run a commit until it wins its race.

    Args:
        commit: Reads the table's newest version and writes; safe to run again.
        where: The table, for the message.
        sleep: Waits so many seconds.

    Raises:
        PipelineError: it lost `ATTEMPTS` times.
    """
    wait = FIRST_WAIT
    for _ in range(ATTEMPTS - 1):
        try:
            return commit()
        except Exception as error:
            if not is_conflict(error):
                raise
        sleep(wait * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
        wait = min(wait * 2, LONGEST_WAIT)
    try:
        return commit()
    except Exception as error:
        if not is_conflict(error):
            raise
        raise PipelineError(
            f"another writer committed first, {ATTEMPTS} times in a row",
            where=where,
            fix="run again when the other run has ended; nothing was written by this one",
        ) from error
