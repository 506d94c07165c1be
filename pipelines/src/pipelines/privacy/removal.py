"""Rows out of tables, and out of every version that a table has had."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from pipelines.contracts.domain import Domain
from pipelines.privacy.lake_files import lake_files
from pipelines.privacy.search import LOG
from pipelines.settings import Layer, RunSettings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from pipelines.engine import Engine

LINEAGE = ("_file_sha256", "_line")
"""What tells of a row of silver, its history and quarantine which record of bronze it came from."""


@dataclass(frozen=True, slots=True)
class Doomed:
    """Rows that a table is to lose.

    Attributes:
        path: The table.
        layer: Its layer.
        rows: How many.
        deliveries: Contents of the deliveries that they came from.
        version: The table's version that was looked at.
    """

    path: str
    layer: Layer
    rows: int
    deliveries: tuple[str, ...]
    version: int


def tables(settings: RunSettings, domain: Domain, datasets: Sequence[str]) -> Iterator[tuple[Layer, str]]:
    """Yield the tables that may hold a subject of `datasets`: layer and path.

    Those of bronze, silver and quarantine that are called as a dataset, alone or with an ending such as ``_history``;
    every table of gold; and what silver has that no source's contract describes.
    """
    sources = [contract.dataset for contract in domain.sources]
    for layer in (Layer.BRONZE, Layer.SILVER, Layer.QUARANTINE, Layer.GOLD):
        if layer not in settings.roots:
            continue
        root = settings.path(layer, settings.domain)
        for path in tables_under(root):
            mine = any(is_of(path, dataset) for dataset in datasets)
            derived = not any(is_of(path, source) for source in sources)
            if layer is Layer.GOLD or mine or (layer is Layer.SILVER and derived):
                yield layer, path


def tables_under(root: str) -> list[str]:
    """Return the Delta tables below a folder, in order."""
    return sorted({path.partition(LOG)[0] for path, _ in lake_files(root) if LOG in path})


def is_of(path: str, dataset: str) -> bool:
    """Whether a table is one of a dataset's: called like it, alone or with an ending such as ``_history``."""
    name = path.rsplit("/", 1)[-1]
    return name == dataset or name.startswith(f"{dataset}_")


def doomed(
    engine: Engine, layer: Layer, path: str, places: pa.Table, masks: Mapping[str, str]
) -> tuple[Doomed, DataFrame | None]:
    """Find what a table is to lose, and the rows that stay of the same deliveries.

    Args:
        engine: The open engine.
        layer: Its layer.
        path: The table.
        places: `LINEAGE` of the records of bronze that leave.
        masks: Under what the subject is known in the table, by column.

    Returns:
        What it is to lose, and what is to take the place of those deliveries' rows; ``None`` where it loses nothing.
    """
    version = engine.version(path)
    rows = engine.read(path, version)
    nothing = Doomed(path, layer, 0, (), version)
    if not set(LINEAGE) <= set(rows.columns):
        return nothing, None
    known = {column: value for column, value in masks.items() if column in rows.columns and layer is not Layer.BRONZE}
    marked = _marked(engine, rows, places, known)
    counted = {row[0]: row[1] for row in marked.where("_leaves").groupBy("_file_sha256").count().collect()}
    if not counted:
        return nothing, None
    deliveries = tuple(sorted(counted))
    kept = engine.among(marked, "_file_sha256", deliveries).where("NOT _leaves").select(*rows.columns)
    return Doomed(path, layer, sum(counted.values()), deliveries, version), kept


def remove(engine: Engine, what: Doomed, kept: DataFrame) -> None:
    """Commit the rows that stay in place of all of the same deliveries.

    By delivery, never by value: Delta keeps the condition of a DELETE in its log.
    """
    engine.replace_where(what.path, kept, "_file_sha256", what.deliveries)


def _marked(engine: Engine, rows: DataFrame, places: pa.Table, masks: Mapping[str, str]) -> DataFrame:
    """Return the rows with `_leaves`, whether they go."""
    marked, conditions = rows, ["false"]
    if len(places):
        here = engine.frame(places.append_column("_erased", pa.array([True] * len(places), pa.bool_())))
        marked = rows.join(here, list(LINEAGE), "left")
        conditions.append("coalesce(_erased, false)")
    for number, (column, value) in enumerate(masks.items()):
        mask = engine.frame(pa.table({column: [value], f"_mask_{number}": [True]}))
        marked = marked.join(mask, [column], "left")
        conditions.append(f"coalesce(_mask_{number}, false)")
    return marked.selectExpr(*(f"`{name}`" for name in rows.columns), f"({' OR '.join(conditions)}) AS _leaves")
