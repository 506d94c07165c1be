"""Brings the tables that show a dataset's history up to its changes.

All rows of the touched keys are made anew from all of their changes, and take the place of what was there in one
`MERGE` a table. Where another run commits changes meanwhile it is done again: whoever comes last has seen them all. At
the end leaves what no change to come will ask for (`Versions.settled`).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from functools import reduce
from typing import TYPE_CHECKING

from pipelines.contracts.model import CHANGES, HISTORY, ChangeOrder, Contract
from pipelines.engine import Engine
from pipelines.engine.arrow_types import to_arrow_schema
from pipelines.errors import PipelineError
from pipelines.failpoints import failpoint
from pipelines.settings import Layer, RunSettings
from pipelines.silver.turns import Delivered, Turn, turns
from pipelines.silver.versions import Versions, history_of, shown

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

ATTEMPTS = 10
"""Times a batch's keys are told again because another run committed changes meanwhile."""
DOUBTS = 4
"""Times that they are told again where the tables do not stand for the changes, before rows count as lost."""
SETTLING = 0.25
"""Seconds that the wait for the other run grows by."""


def changes_path(settings: RunSettings, dataset: str) -> str:
    """Where a dataset's changes are."""
    return settings.table_path(Layer.SILVER, f"{dataset}{CHANGES}")


class Historisation:
    """The tables of one dataset with a history.

    Args:
        engine: The open engine.
        contract: The contract; it has a history.
        settings: Roots.
    """

    def __init__(self, engine: Engine, contract: Contract, settings: RunSettings) -> None:
        self._engine, self._contract, self._settings = engine, contract, settings
        self._history = history_of(contract)
        self._keys = list(self._history.business_key)
        self.changes_table = changes_path(settings, contract.dataset)
        self._published = settings.table_path(Layer.SILVER, contract.dataset)
        self._versions = (
            settings.table_path(Layer.SILVER, f"{contract.dataset}{HISTORY}")
            if self._history.type == 4
            else self._published
        )
        self._paths = list(dict.fromkeys([self._versions, self._published]))

    def ensure_tables(self, changes: DataFrame) -> None:
        """Create the tables that are shown, or give them the columns that the contract has got since.

        Args:
            changes: Rows as `changes_table` has them.
        """
        for path, rows, _ in self._shown(Versions.of(self._contract, changes, ())):
            self._engine.ensure(path, to_arrow_schema(rows.schema))

    def keys_of(self, deliveries: Sequence[str], versions: Sequence[tuple[str, int]]) -> DataFrame | None:
        """Return the keys that deliveries have, or had, changes of; ``None`` for all of the dataset.

        A snapshot says something of every key.

        Args:
            deliveries: Their contents.
            versions: Tables and their versions in which to look.
        """
        if self._history.deliveries == "snapshots":
            return None
        found = [
            self._engine.among(self._engine.read(path, version), "_file_sha256", deliveries).select(*self._keys)
            for path, version in versions
        ]
        return reduce(lambda some, more: some.unionByName(more), found).distinct()

    def shown(self) -> list[tuple[str, int]]:
        """The tables that are shown, each with its version."""
        return [(path, self._engine.version(path)) for path in self._paths]

    def tell(self, touched: DataFrame | None, delivered: Iterable[Delivered], quarantine: str) -> int:
        """Make all rows of keys from all of their changes.

        Args:
            touched: The keys, distinct; ``None`` for all.
            delivered: The deliveries that silver has.
            quarantine: The dataset's quarantine.

        Returns:
            Records that the changes tell of and the tables do not stand for, or the other way round: 0, or rows got
            lost.

        Raises:
            PipelineError: other runs committed changes again and again.
        """
        for attempt in range(ATTEMPTS):
            version = self._engine.version(self.changes_table)
            changes = self._of(self._engine.read(self.changes_table, version), touched)
            told = Versions.of(self._contract, changes, self._turns(changes, delivered, quarantine))
            failpoint("silver.before_history")
            for path, rows, names in self._shown(told):
                self._engine.replace_keys(path, rows, names, touched, self._keys)
                failpoint("silver.historised")
            missing, settled = self._compared(told, touched)
            if self._engine.version(self.changes_table) != version:
                continue
            if missing == 0 or attempt >= DOUBTS:
                break
            time.sleep(SETTLING * (attempt + 1))  # another run may have told them from changes that it read before
        else:
            raise PipelineError(
                "other runs wrote the table all the time",
                where=self.changes_table,
                fix="let one run end, then run this again",
            )
        if settled:
            self._engine.delete_rows(self.changes_table, settled_rows(told))
            failpoint("silver.settled")
        return missing

    def standing(self, deliveries: Sequence[str]) -> int:
        """Count the changes of deliveries that a row of the table of versions (type 1: of latest rows) shows."""
        rows = self._engine.among(self._engine.read(self._versions), "_file_sha256", deliveries)
        return rows.select("_file_sha256", "_line").distinct().count()

    # Inside

    def _shown(self, told: Versions) -> list[tuple[str, DataFrame, list[str]]]:
        """Each table that is shown, its rows, and the columns that name a row; the published one last."""
        latest = (self._published, told.latest(), self._keys)
        versions = (self._versions, told.versions(), [*self._keys, "_version"])
        return {1: [latest], 2: [versions], 4: [versions, latest]}[self._history.type]

    def _of(self, rows: DataFrame, touched: DataFrame | None) -> DataFrame:
        return rows if touched is None else rows.join(touched, self._keys, "left_semi")

    def _turns(self, changes: DataFrame, delivered: Iterable[Delivered], quarantine: str) -> tuple[Turn, ...]:
        """The order of deliveries, where that is the order of changes."""
        if self._contract.change_order is not ChangeOrder.DELIVERIES:
            return ()
        if self._history.deliveries == "changes":
            return turns(delivered, self._history)
        rejected = self._engine.read(quarantine).select("_file_sha256").distinct().collect()
        effective = None
        if self._history.effective_from:
            from pyspark.sql import functions as F  # noqa: N812 - the customary name

            at = F.max(F.col(self._history.effective_from).cast("timestamp")).alias("at")
            found = changes.groupBy("_file_sha256").agg(at).toArrow().to_pylist()
            effective = {row["_file_sha256"]: row["at"] for row in found}
        return turns(delivered, self._history, incomplete={row[0] for row in rejected}, effective=effective)

    def _compared(self, told: Versions, touched: DataFrame | None) -> tuple[int, int]:
        """Return how far the tables are from the changes that they were made of, and how many of these are settled.

        One query: records that the changes stand for, records of each table, settled changes.
        """
        from pyspark.sql import functions as F  # noqa: N812 - the customary name

        there = [shown(self._contract, self._of(self._engine.read(path), touched)) for path in self._paths]
        settled = told.settled()
        more = [] if settled is None else [settled.agg(F.count("*").alias("n"))]
        counted = [told.counted(), *there, *more]
        tagged = [frame.selectExpr("n", f"{number} AS tag") for number, frame in enumerate(counted)]
        found = reduce(lambda some, more: some.unionByName(more), tagged).collect()
        numbers = [row["n"] for row in sorted(found, key=lambda row: row["tag"])]
        expected, tables = numbers[0], numbers[1 : 1 + len(there)]
        return sum(abs(expected - table) for table in tables), numbers[-1] if settled is not None else 0


def settled_rows(told: Versions) -> DataFrame:
    """The settled changes, of which there are some.

    Raises:
        ValueError: nothing ever settles in such a history.
    """
    rows = told.settled()
    if rows is None:
        raise ValueError("nothing settles in such a history")
    return rows


__all__ = ["Historisation", "changes_path"]
