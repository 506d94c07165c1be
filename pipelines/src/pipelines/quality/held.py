"""A frame that is read several times, computed once: persisted where the engine can, else on disk for the while.

A folder on disk is its run's own, also where two runs have one name and work on one batch. Its process has locked a
file beside it; the system gives that back when the process dies, and the next run takes the folder away.
"""

from __future__ import annotations

import contextlib
import fcntl
import secrets
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipelines.engine.capabilities import Capability

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from pipelines.engine import Engine

LOCK: Final = ".lock"
"""Ending of the file beside a folder that its process has locked."""


@contextlib.contextmanager
def held(engine: Engine, frame: DataFrame, folder: str) -> Generator[DataFrame]:
    """Hold `frame` inside the block.

    Args:
        engine: The open engine.
        frame: Must hold nothing that may not lie beside `folder`, be it for seconds.
        folder: How the name of the folder begins in which an engine that cannot persist (it is on this machine) keeps
            the rows; it goes when the block ends. What killed runs have left beside it goes before.
    """
    if engine.can(Capability.PERSIST):
        kept = frame.persist()
        try:
            yield kept
        finally:
            kept.unpersist()
        return
    with _own(Path(folder)) as place:
        frame.write.parquet(str(place))
        yield engine.spark.read.schema(frame.schema).parquet(str(place))  # of no rows Sail writes no file


@contextlib.contextmanager
def _own(folder: Path) -> Generator[Path]:
    """A folder that no other run writes or takes away."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    _sweep(folder.parent)
    place = folder.with_name(f"{folder.name}-{secrets.token_hex(8)}")
    lock = place.with_name(place.name + LOCK)
    with lock.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)
            lock.unlink(missing_ok=True)


def _sweep(parent: Path) -> None:
    """Take away what killed runs have left."""
    for lock in parent.glob(f"*{LOCK}"):
        with contextlib.suppress(FileNotFoundError, BlockingIOError), lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # One that is made at this very moment loses its lock, not its rows: only what has a lock is taken away.
            shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
            lock.unlink()
