"""Commits that lost a race, and are made again."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from typing import Protocol, TypeVar, runtime_checkable

from pipelines.errors import PipelineError

T = TypeVar("T")

ATTEMPTS = 30
"""Commits of one write before it is given up; 30 writers on one table needed at most 24."""
FIRST_WAIT = 0.05
LONGEST_WAIT = 2.0
"""Seconds between two attempts: doubled from the first to the longest, each times a random factor in [0.5, 1.5)."""

_CONDITION = re.compile(r"DELTA_(?:CONCURRENT_\w+|METADATA_CHANGED|PROTOCOL_CHANGED|PATH_EXISTS)\b")
"""Error conditions of Delta on Spark (its ``delta-error-classes.json``)."""
_CLASS = re.compile(r"\b(?:Concurrent\w+|MetadataChanged|ProtocolChanged)Exception\b|\bCommitFailedError\b")
"""Exceptions of Delta on Spark and of deltalake."""
_WORDS = re.compile(
    r"(?:[\w ]+: )*"
    r"(?:failed to commit transaction: (?:\d+\b|commit failed|concurrent|metadata changed|protocol changed)"
    r"|commit failed: a concurrent|concurrent transaction failed|(?:metadata|protocol) changed since last commit"
    r"|(?:delta transaction failed, )?version \d+ already exists|tried committing existing table version"
    r"|a delta lake table already exists"
    # Sail, where it lists a log that another writer adds to.
    r"|missing commit file: expected version \d+, found \d+)",
    re.IGNORECASE,
)
"""How messages of delta-rs begin, which Sail and deltalake are built on; Sail's errors have neither class nor code."""


class OvertakenError(Exception):
    """Another commit came between what a commit knew and itself, and the engine made it all the same."""


def is_conflict(error: BaseException) -> bool:
    """Tell an error that says another commit came first: by class or error condition, else by how its message begins.

    What stands further inside a message may be the name of a table or file, and says nothing.
    """
    if isinstance(error, OvertakenError) or any(_CLASS.fullmatch(kind.__name__) for kind in type(error).__mro__):
        return True
    condition = error.getCondition() if isinstance(error, _Conditioned) else None
    if condition is not None and _CONDITION.match(condition):
        return True
    message = str(error)
    # Spark Connect: `(io.delta.exceptions.ConcurrentAppendException) [DELTA_CONCURRENT_APPEND] ...`, either half.
    spark = re.match(r"(?:\((?P<kind>[\w.$]+)\) )?(?:\[(?P<condition>[\w.]+)\])?", message)
    if spark and (_CLASS.search(spark["kind"] or "") or _CONDITION.match(spark["condition"] or "")):
        return True
    return _WORDS.match(message) is not None


@runtime_checkable
class _Conditioned(Protocol):
    """An error of pyspark."""

    def getCondition(self) -> str | None: ...  # noqa: N802 - pyspark's name


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
