"""A frame that is read several times, computed once: persisted where the engine can, else on disk for the while.

A folder on disk is its run's own; the next one takes away what killed runs have left (:mod:`pipelines.engine.scratch`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import TYPE_CHECKING

from pipelines.engine.capabilities import Capability
from pipelines.engine.scratch import own, sweep

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from pipelines.engine import Engine


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
    parent, _, name = folder.rpartition("/")
    sweep(parent)
    with own(parent, f"{name}-") as place:
        frame.write.parquet(place)
        yield engine.spark.read.schema(frame.schema).parquet(place)  # of no rows Sail writes no file
