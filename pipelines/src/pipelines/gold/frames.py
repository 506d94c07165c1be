"""Frames by name in SQL, and a contract's columns as it types them."""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING

from pipelines import sql
from pipelines.contracts.model import Contract
from pipelines.contracts.shown import Shown

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from pipelines.engine import Engine

_views = itertools.count()


def named(frame: DataFrame) -> str:
    """Name a frame for SQL; a process that runs many tasks never gives one name twice."""
    name = f"levee_model_{os.getpid()}_{next(_views)}"
    frame.createOrReplaceTempView(name)
    return name


def contract_columns(model: Contract) -> list[str]:
    """Return SQL of the contract's columns, in its types and order, over what the model's SQL gives."""
    return [f"CAST({sql.name(c.name)} AS {c.type}) AS {sql.name(c.name)}" for c in model.columns]


def empty(engine: Engine, table: Shown, *texts: str) -> DataFrame:
    """Return a frame without rows, of the columns that a reader of a table sees and of text columns."""
    columns = [f"CAST(NULL AS {c.type}) AS {sql.name(c.name)}" for c in table.columns]
    more = [f"CAST(NULL AS string) AS {sql.name(name)}" for name in texts]
    return engine.spark.sql(f"SELECT {', '.join([*columns, *more])} WHERE false")
