"""Rows that are computed once and kept while a batch is worked on: read as often as one likes, taken over by a table.

No engine writes two tables from one pass, and Sail does not persist. So on this machine the rows go into a Delta table
of their own, whose files are cut by one column; a table whose new rows are one of its parts takes these files over
(:mod:`pipelines.engine.adoption`), and nothing is written twice. On Databricks they are persisted.

The folder goes when the block ends. A killed run's stays; :func:`sweep` tells it by its lock, which the system gives
back when a process dies, from one that another run is using.
"""

from __future__ import annotations

import contextlib
import fcntl
import secrets
import shutil
import tempfile
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.engine import schema_gate
from pipelines.engine.arrow_types import to_arrow_schema
from pipelines.engine.commits import retried
from pipelines.failpoints import failpoint
from pipelines.settings import EngineName

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from pipelines.engine import Engine

LOCK = ".lock"
"""Ending of the file beside a folder that its process has locked."""


@dataclass(frozen=True, slots=True)
class Staged:
    """Rows that are kept.

    Attributes:
        rows: The rows.
        folder: The Delta table that has them; ``None`` where the engine keeps them itself.
    """

    rows: DataFrame
    folder: str | None = None

    def adopt(self, engine: Engine, path: str, rows: DataFrame, part: str) -> bool:
        """Commit one part's files beside a table's rows, as `Engine.insert` would the rows.

        Args:
            engine: The open engine.
            path: The table.
            rows: The part's rows as the table has them, for the schema gate.
            part: Value of the column by which the files are cut.

        Returns:
            Whether it was done; the table may be one that files cannot be put into, and then nothing was.

        Raises:
            SchemaError: the rows do not fit the table.
            PipelineError: other writers came first again and again.
        """
        if self.folder is None or "://" in path:
            return False
        from pipelines.engine import adoption  # a Databricks runtime has no deltalake

        schema_gate.check(engine.schema(path), rows.schema, path, may_add=False)
        if not adoption.possible(path):
            return False
        taken = adoption.linked(self.folder, part, path)
        failpoint("staging.linked")
        retried(lambda: adoption.commit(path, taken), path)
        return True


@contextlib.contextmanager
def staged(engine: Engine, frame: DataFrame, folder: str, cut_by: str) -> Generator[Staged]:
    """Keep `frame` inside the block.

    Args:
        engine: The open engine.
        frame: Must hold nothing that may not lie under `folder`, be it for seconds.
        folder: Under it, where the engine does not keep the rows itself, they are; in a folder of their own.
        cut_by: Integer column of the frame by whose values the files are cut.
    """
    if engine.name is EngineName.DATABRICKS:
        kept = frame.persist()
        try:
            yield Staged(kept)
        finally:
            kept.unpersist()
        return
    from pipelines.engine import adoption

    with _own(folder) as place:
        adoption.create(place, to_arrow_schema(frame.schema), cut_by)
        frame.write.format("delta").mode("append").save(place)
        yield Staged(engine.read(place), place)


def sweep(folder: str) -> int:
    """Remove what killed runs have left under a folder, and return how many there were."""
    gone = 0
    for lock in sorted(_parent(folder).glob(f"*{LOCK}")):
        with contextlib.suppress(FileNotFoundError, BlockingIOError), lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
            lock.unlink()
            gone += 1
    return gone


@contextlib.contextmanager
def _own(folder: str) -> Generator[str]:
    """A name for a folder that no other run has or takes away; the folder is removed in the end."""
    parent = _parent(folder)
    parent.mkdir(parents=True, exist_ok=True)
    place = parent / secrets.token_hex(8)
    lock = parent / (place.name + LOCK)
    unlocked = parent / (place.name + ".new")
    with unlocked.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        unlocked.rename(lock)  # nobody sees the lock before it is locked
        try:
            yield str(place)
        finally:
            shutil.rmtree(place, ignore_errors=True)
            lock.unlink(missing_ok=True)


def _parent(folder: str) -> Path:
    """The folder on this machine, where the engine is: what lies in a bucket otherwise lies here for the while."""
    return Path(tempfile.gettempdir(), "levee-staged") if "://" in folder else Path(folder)


__all__ = ["Staged", "staged", "sweep"]
