"""A frame that is read several times, computed once: persisted where the engine can, else on disk for the while."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.engine.capabilities import Capability

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from pipelines.engine import Engine


@contextlib.contextmanager
def held(engine: Engine, frame: DataFrame, folder: str) -> Generator[DataFrame]:
    """Hold `frame` inside the block.

    Args:
        engine: The open engine.
        frame: Must hold nothing that may not lie under `folder`, be it for seconds.
        folder: Where an engine that cannot persist (it is on this machine) keeps the rows; emptied before and after,
            so what a killed run left goes with the next.
    """
    if engine.can(Capability.PERSIST):
        kept = frame.persist()
        try:
            yield kept
        finally:
            kept.unpersist()
        return
    shutil.rmtree(folder, ignore_errors=True)
    try:
        Path(folder).parent.mkdir(parents=True, exist_ok=True)
        frame.write.parquet(folder)
        yield engine.spark.read.schema(frame.schema).parquet(folder)  # of no rows Sail writes no file
    finally:
        shutil.rmtree(folder, ignore_errors=True)
