"""One batch of deliveries on its way into silver: both tables are written, then what they have is counted."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from pipelines.batches import Batch, record_batch
from pipelines.bronze.ingest import bronze_path
from pipelines.engine import Engine, is_in
from pipelines.engine.arrow_types import to_arrow_schema
from pipelines.errors import PipelineError, QualityError
from pipelines.failpoints import failpoint
from pipelines.ledger import Entry
from pipelines.quality import sql
from pipelines.settings import Layer, RunSettings
from pipelines.silver.placed import PlacedRows
from pipelines.silver.plan import RULE_SEPARATOR, SilverPlan

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row

    from pipelines.contracts.model import Contract

QUIET_ATTEMPTS = 10
"""Times a batch is written again because another writer committed to the same silver table meanwhile."""
SETTLING = 0.5
"""Seconds that the wait for bronze to settle grows by."""

T = TypeVar("T")


def silver_path(settings: RunSettings, dataset: str) -> str:
    """Where a dataset's silver table is."""
    return settings.table_path(Layer.SILVER, dataset)


def quarantine_path(settings: RunSettings, dataset: str) -> str:
    """Where a dataset's rejected rows are."""
    return settings.table_path(Layer.QUARANTINE, dataset)


class Refinement:
    """One batch on its way into silver.

    Args:
        engine: The open engine.
        contract: The contract.
        settings: Roots, run and key.
        batch: The ledger's entries of its deliveries.
        gone: Contents whose rows leave silver.
        standing: Rows that bronze has by its ledger; ``None`` where it has none to look for.
    """

    def __init__(
        self,
        engine: Engine,
        contract: Contract,
        settings: RunSettings,
        batch: Sequence[Entry],
        gone: Sequence[str],
        *,
        standing: int | None,
    ) -> None:
        self._engine, self._contract, self._settings = engine, contract, settings
        self._shas = [entry.file_sha256 for entry in batch]
        self._leaving = [*self._shas, *gone]
        self._expected = sum(entry.rows for entry in batch)
        self._silver = silver_path(settings, contract.dataset)
        self._quarantine = quarantine_path(settings, contract.dataset)
        self.batch_id = batch_id(self._shas)
        self._plan = SilverPlan.of(contract, settings.pseudonym_key, settings.run_id, self.batch_id)
        names = {entry.file_sha256: entry.file for entry in batch}
        self._names = sorted(names.values())
        told = None if contract.redelivery.policy == "replace" else standing
        self._bronze = self._settled(bronze_path(settings, contract.dataset), names, told)
        self._rejected = self._plan.rejected(self._bronze)
        accepted = self._plan.accepted(self._bronze)
        self._keyed = bool(contract.deduplication.business_key)
        accepted = self._plan.best_by_key(accepted) if self._keyed else accepted
        self._published = self._plan.published(accepted, self._bronze)

    def ensure_tables(self) -> None:
        """Create silver and quarantine, or give them the columns that the contract has got since."""
        # The gate before each write asks for the same frames' schemas, which are known then.
        _side_by_side(
            lambda: self._engine.ensure(self._quarantine, to_arrow_schema(self._rejected.schema)),
            lambda: self._engine.ensure(self._silver, to_arrow_schema(self._published.schema)),
        )

    def run(self) -> Batch:
        """Write the batch, count it and record the counts.

        Raises:
            QualityError: a rule that stops the batch is broken, or the count law does not hold.
        """
        started = datetime.now(UTC)
        self.ensure_tables()
        watched = self._watch()
        failpoint("silver.before_commit")
        published, rejected = _side_by_side(self._publish, self._reject)
        outcome = self._outcome(published[0], rejected, watched, started)
        record_batch(self._engine, self._settings, outcome)
        failpoint("silver.counted")
        if not outcome.balanced:
            raise QualityError(
                f"the count law does not hold: {outcome.rows} records read, {outcome.accounted} accounted for "
                f"({outcome.silver} in silver, {outcome.duplicates} duplicates, {outcome.quarantine} in quarantine)",
                where=f"{self._contract.dataset}, batch {self.batch_id}",
                fix=f"keep the tables and report it; `levee replay {self._contract.dataset}` refines the batch again",
            )
        return outcome

    def _publish(self) -> list[Row]:
        if self._keyed:
            self._merge()
            version = None
        else:
            version = self._write(self._silver, self._published)
        failpoint("silver.published")
        return self._counted(self._silver, version)

    def _reject(self) -> list[Row]:
        version = self._write(self._quarantine, self._rejected)
        failpoint("silver.rejected")
        return self._counted(self._quarantine, version, "_rules")

    def _write(self, path: str, rows: DataFrame) -> int:
        """Commit rows in place of the batch's deliveries, less those whose identical record is there from others.

        Where the table has nothing of the deliveries the rows are put beside what it has: engines write more than
        they must to replace. What is there is read before the commit; where another writer committed in between,
        the batch is written again, so that two runs at once leave what one after the other would have.

        Returns:
            The table's version to count at: another run may have the batch there twice for a moment after it.
        """
        for _ in range(QUIET_ATTEMPTS):
            before = self._engine.version(path)
            mine, others = self._held(path)
            if others and self._plan.removes_identical:
                wanted = rows.join(self._hashes_of_others(path), "_row_hash", "left_anti").select(*rows.columns)
            else:
                wanted = rows
            if mine:
                self._engine.replace_where(path, wanted, "_file_sha256", self._leaving, asserted=self._shas)
            else:
                self._engine.insert(path, wanted)
            after = self._engine.version(path)
            if after <= before + 1:  # Sail makes no commit of nothing
                return after
        raise PipelineError(
            "other runs wrote the table all the time", where=path, fix="let one run end, then run this again"
        )

    def _settled(self, path: str, names: Mapping[str, str], standing: int | None) -> PlacedRows:
        """The batch's rows of bronze, of a version that has as many as the ledger says.

        Where two runs put a delivery there at once, it is there twice until the second one has mended it: the table
        has more rows then than are `standing`. Where rows also leave, their number says nothing (``None``), and the
        batch's own are counted.

        Raises:
            QualityError: bronze has other rows than its ledger says, and it stays so.
        """
        if not self._shas:
            return PlacedRows.of(self._engine.read(path).where("false"), {})
        rows = 0
        for attempt in range(QUIET_ATTEMPTS):
            version = self._engine.version(path)
            placed = PlacedRows.of(self._between(self._engine.read(path, version)), names)
            if standing is not None and self._engine.count(path, version) == standing:
                return placed
            rows = placed.rows.count()
            if rows == self._expected:
                return placed
            if rows < self._expected:
                break
            time.sleep(SETTLING * attempt)
        raise QualityError(
            f"bronze has {rows} records of the batch, its ledger says {self._expected}",
            where=f"{self._contract.dataset}, batch {self.batch_id}",
            fix="run the bronze task again; if it stays so, restore bronze to the version before it was changed",
        )

    def _mine(self, frame: DataFrame) -> DataFrame:
        """The rows that come from the batch's deliveries."""
        if not self._names:
            return frame.where("false")
        return self._engine.among(self._between(frame), "_file_sha256", self._shas)

    def _between(self, frame: DataFrame) -> DataFrame:
        """The rows within the range of the batch's names, which lets an engine leave out files by their bounds."""
        return frame.where(f"_file BETWEEN {sql.text(self._names[0])} AND {sql.text(self._names[-1])}")

    def _held(self, path: str) -> tuple[int, int]:
        """Count the rows that a table has of the deliveries that come or leave, and of others."""
        total = self._engine.count(path)
        mine = self._engine.among(self._engine.read(path), "_file_sha256", self._leaving).count() if total else 0
        return mine, total - mine

    def _hashes_of_others(self, path: str) -> DataFrame:
        """Hashes of the rows that other deliveries have in a table."""
        rows = self._engine.read(path).where("_row_hash IS NOT NULL")
        return self._engine.apart(rows, "_file_sha256", self._leaving).select("_row_hash")

    def _merge(self) -> None:
        self._engine.merge(
            self._silver,
            self._published,
            self._contract.deduplication.business_key,
            update_when=self._plan.wins(),
            delete_unmatched=is_in("t._file_sha256", self._leaving),
        )

    def _watch(self) -> dict[str, int]:
        """Count the rules that do not quarantine, before anything is written.

        Raises:
            QualityError: one that stops the batch is broken.
        """
        watched = self._plan.watched
        if not watched:
            return {}
        from pyspark.sql import functions as F  # noqa: N812 - the customary name

        breaches = [F.count(F.when(~F.expr(rule.predicate), 1)).alias(f"r{n}") for n, rule in enumerate(watched)]
        row = self._plan.candidates(self._bronze.rows).agg(*breaches).collect()[0]
        counts = {rule.id: row[f"r{n}"] for n, rule in enumerate(watched)}
        stopping = {r.id: counts[r.id] for r in watched if r.on_failure == "failBatch" and counts[r.id]}
        if stopping:
            raise QualityError(
                f"rules that stop a batch are broken: {', '.join(f'{i} in {n} rows' for i, n in stopping.items())}",
                where=f"{self._contract.dataset}, batch {self.batch_id}",
                fix="ask for a better delivery, or let the contract's check quarantine the rows; nothing was written",
            )
        return {rule: count for rule, count in counts.items() if count}

    def _counted(self, path: str, version: int | None, *by: str) -> list[Row]:
        """Count what a table has of the batch, not what was meant to be written: rows ``n``, records ``c``."""
        from pyspark.sql import functions as F  # noqa: N812 - the customary name

        mine = self._mine(self._engine.read(path, version))
        return mine.groupBy(*by).agg(F.count("*").alias("n"), F.sum("_copies").alias("c")).collect()

    def _outcome(self, published: Row, rejected: Sequence[Row], watched: Mapping[str, int], started: datetime) -> Batch:
        rules: dict[str, int] = {}
        for row in rejected:
            for rule in row["_rules"].split(RULE_SEPARATOR):
                rules[rule] = rules.get(rule, 0) + row["n"]
        rows = self._expected
        quarantine = sum(row["n"] for row in rejected)
        accounted = (published["c"] or 0) + sum(row["c"] for row in rejected)
        return Batch(
            dataset=self._contract.dataset,
            batch_id=self.batch_id,
            run_id=self._settings.run_id,
            files=len(self._shas),
            rows=rows,
            silver=published["n"],
            duplicates=rows - published["n"] - quarantine,
            quarantine=quarantine,
            # What both tables account for is not looked for elsewhere: that takes as long as the batch itself.
            accounted=accounted if accounted == rows else accounted + self._copies_elsewhere(),
            rules={**rules, **watched},
            started_at=started,
            seconds=(datetime.now(UTC) - started).total_seconds(),
        )

    def _copies_elsewhere(self) -> int:
        """Count the batch's records whose row in silver or quarantine came from another delivery."""
        from pyspark.sql import functions as F  # noqa: N812 - the customary name

        found: list[DataFrame] = []
        if self._keyed:
            keys = list(self._contract.deduplication.business_key)
            others = self._engine.apart(self._engine.read(self._silver), "_file_sha256", self._shas)
            found.append(self._published.join(others.select(*keys), keys, "left_semi"))
        for path, rows in ((self._silver, self._published), (self._quarantine, self._rejected)):
            if self._plan.removes_identical and not (self._keyed and path == self._silver):
                found.append(rows.join(self._hashes_of_others(path), "_row_hash", "left_semi"))
        return sum(frame.agg(F.sum("_copies")).collect()[0][0] or 0 for frame in found)


def batch_id(sha256s: Sequence[str]) -> str:
    """Name a batch by its contents, so that the same deliveries make the same batch whenever they are refined."""
    return hashlib.sha256("\n".join(sorted(sha256s)).encode()).hexdigest()[:16]


def _side_by_side(*works: Callable[[], T]) -> list[T]:
    """Work on several tables at once: an engine has idle cores at both ends of each. All end before one raises."""
    with ThreadPoolExecutor(len(works)) as pool:
        futures = [pool.submit(work) for work in works]
    return [future.result() for future in futures]


__all__ = ["Refinement", "batch_id", "quarantine_path", "silver_path"]
