"""Rows that are computed once and kept while a batch is worked on: read as often as one likes, taken over by a table.

No engine writes two tables from one pass, and Sail does not persist. So on this machine the rows go into a Delta table
of their own, whose files are cut by one column; a table whose new rows are one of its parts takes these files over
(:mod:`pipelines.engine.adoption`), and nothing is written twice. On Databricks they are persisted.

The folder goes when the block ends. A killed run's stays until the next one sweeps (:mod:`pipelines.engine.scratch`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.engine import schema_gate
from pipelines.engine.arrow_types import to_arrow_schema
from pipelines.engine.commits import retried
from pipelines.engine.scratch import own
from pipelines.failpoints import failpoint
from pipelines.settings import EngineName

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from pipelines.engine import Engine


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

    with own(folder) as place:
        adoption.create(place, to_arrow_schema(frame.schema), cut_by)
        frame.write.format("delta").mode("append").save(place)
        yield Staged(engine.read(place), place)


__all__ = ["Staged", "staged"]
