"""A batch's deliveries: their rows of bronze, and what a table has, and gets, of them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines import sql
from pipelines.engine import Engine
from pipelines.engine.staging import Staged
from pipelines.errors import PipelineError, QualityError
from pipelines.ledger import Entry
from pipelines.silver.placed import PlacedRows
from pipelines.silver.plan import ACCEPTED

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row

QUIET_ATTEMPTS = 10
"""Times a batch is written again because another writer committed to the same silver table meanwhile."""
SETTLING = 0.5
"""Seconds that the wait for bronze to settle grows by."""


class Deliveries:
    """What a batch is made of.

    Args:
        engine: The open engine.
        dataset: Their dataset, for messages.
        batch: The ledger's entries of them.
        gone: Contents whose rows leave with it.
        once: A table has one row of identical records, whichever deliveries they are of.
    """

    def __init__(
        self, engine: Engine, dataset: str, batch: Sequence[Entry], gone: Sequence[str], *, once: bool
    ) -> None:
        self._engine, self._dataset, self._once = engine, dataset, once
        self.shas = [entry.file_sha256 for entry in batch]
        self.leaving = [*self.shas, *gone]
        self.records = sum(entry.rows for entry in batch)
        self.batch_id = batch_id(self.shas)
        self._by_sha = {entry.file_sha256: entry.file for entry in batch}
        self._names = sorted(self._by_sha.values())

    def settled(self, path: str, standing: int | None) -> PlacedRows:
        """The batch's rows of bronze, of a version that has as many as the ledger says.

        Where two runs put a delivery there at once, it is there twice until the second one has mended it: the table
        has more rows then than are `standing`. Where rows also leave, their number says nothing (``None``), and the
        batch's own are counted.

        Raises:
            QualityError: bronze has other rows than its ledger says, and it stays so.
        """
        if not self.shas:
            return PlacedRows.of(self._engine.read(path).where("false"), {})
        rows = 0
        for attempt in range(QUIET_ATTEMPTS):
            version = self._engine.version(path)
            placed = PlacedRows.of(self._between(self._engine.read(path, version)), self._by_sha)
            if standing is not None and self._engine.count(path, version) == standing:
                return placed
            rows = placed.rows.count()
            if rows == self.records:
                return placed
            if rows < self.records:
                break
            time.sleep(SETTLING * attempt)
        raise QualityError(
            f"bronze has {rows} records of the batch, its ledger says {self.records}",
            where=f"{self._dataset}, batch {self.batch_id}",
            fix="run the bronze task again; if it stays so, restore bronze to the version before it was changed",
        )

    def write(self, path: str, rows: DataFrame, staged: Staged | None = None) -> Written:
        """Commit rows in place of the batch's deliveries, less those whose identical record is there from others.

        Where the table has nothing of the deliveries the rows are put beside what it has: engines write more than
        they must to replace. What is there is read before the commit; where another writer committed in between,
        the batch is written again, so that two runs at once leave what one after the other would have.

        Args:
            path: The table.
            rows: Its rows.
            staged: What was staged, where its accepted part is these very rows: where they may all be put beside what
                the table has, the table takes over their files.

        Returns:
            The versions before and after; the latter is to be counted at, for another run may have the batch there
            twice for a moment after it.
        """
        for _ in range(QUIET_ATTEMPTS):
            before = self._engine.version(path)
            mine, others = self.held(path)
            repeats = self.hashes_of_others(path) if others and self._once else None
            wanted = rows if repeats is None else rows.join(repeats, "_row_hash", "left_anti").select(*rows.columns)
            if mine:
                self._engine.replace_where(path, wanted, "_file_sha256", self.leaving, asserted=self.shas)
            elif not self._adopted(path, rows, staged, repeats):
                self._engine.insert(path, wanted)
            after = self._engine.version(path)
            if after <= before + 1:  # Sail makes no commit of nothing
                return Written(before, after, replaced=bool(mine))
        raise PipelineError(
            "other runs wrote the table all the time", where=path, fix="let one run end, then run this again"
        )

    def _adopted(self, path: str, rows: DataFrame, staged: Staged | None, repeats: DataFrame | None) -> bool:
        """Let the table take over the staged files of the rows, where it has none of these."""
        if staged is None or staged.folder is None:
            return False
        if repeats is not None and rows.join(repeats, "_row_hash", "left_semi").limit(1).collect():
            return False
        return staged.adopt(self._engine, path, rows, str(ACCEPTED))

    def mine(self, frame: DataFrame) -> DataFrame:
        """The rows that come from the batch's deliveries."""
        if not self._names:
            return frame.where("false")
        return self._engine.among(self._between(frame), "_file_sha256", self.shas)

    def _between(self, frame: DataFrame) -> DataFrame:
        """The rows within the range of the batch's names, which lets an engine leave out files by their bounds."""
        return frame.where(f"_file BETWEEN {sql.text(self._names[0])} AND {sql.text(self._names[-1])}")

    def held(self, path: str) -> tuple[int, int]:
        """Count the rows that a table has of the deliveries that come or leave, and of others."""
        total = self._engine.count(path)
        mine = self._engine.among(self._engine.read(path), "_file_sha256", self.leaving).count() if total else 0
        return mine, total - mine

    def hashes_of_others(self, path: str, version: int | None = None) -> DataFrame:
        """Hashes of the rows that other deliveries have in a table."""
        rows = self._engine.read(path, version).where("_row_hash IS NOT NULL")
        return self._engine.apart(rows, "_file_sha256", self.leaving).select("_row_hash")

    def counted(self, path: str, version: int | None, *by: str) -> list[Row]:
        """Count what a table has of the batch, not what was meant to be written: rows ``n``, records ``c``."""
        from pyspark.sql import functions as F  # noqa: N812 - the customary name

        mine = self.mine(self._engine.read(path, version))
        return mine.groupBy(*by).agg(F.count("*").alias("n"), F.sum("_copies").alias("c")).collect()


@dataclass(frozen=True, slots=True)
class Written:
    """A commit of the batch's rows.

    Attributes:
        before: The table's version before.
        version: Its version after.
        replaced: The table had rows of the batch, or of what leaves with it.
    """

    before: int
    version: int
    replaced: bool


@dataclass(frozen=True, slots=True)
class Committed:
    """What a table has of the batch.

    Attributes:
        rows: Rows ``n`` and records ``c`` that they stand for; of quarantine by `_rules`.
        written: The commit.
    """

    rows: Sequence[Row]
    written: Written


def batch_id(sha256s: Sequence[str]) -> str:
    """Name a batch by its contents, so that the same deliveries make the same batch whenever they are refined."""
    return hashlib.sha256("\n".join(sorted(sha256s)).encode()).hexdigest()[:16]


__all__ = ["Committed", "Deliveries", "Written", "batch_id"]
