"""Silver: what bronze has taken in and silver has not, a batch of deliveries at a time.

A batch writes quarantine and silver, then checks the count law, then the ledger. Both tables are replaced by the
batch's deliveries, so a run that was killed anywhere is made good by the next one. An identical record that came in an
earlier batch stays where it is and the new one is a duplicate.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipelines.batches import Batch, record_batch
from pipelines.bronze.ingest import bronze_path
from pipelines.engine import Engine, is_in
from pipelines.engine.arrow_types import to_arrow_schema
from pipelines.errors import PipelineError, QualityError
from pipelines.ledger import Entry, Ledger, Status, latest
from pipelines.progress import Progress
from pipelines.quality import sql
from pipelines.runs import recorded
from pipelines.settings import Layer, RunSettings
from pipelines.silver.placed import PlacedRows
from pipelines.silver.plan import RULE_SEPARATOR, SilverPlan

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from pipelines.contracts.model import Contract

log = logging.getLogger(__name__)

BATCH_FILES = 4096
BATCH_BYTES = 2 << 30
"""Deliveries of one silver batch: so many, or so many bytes of them, whichever comes first."""
QUIET_ATTEMPTS = 10
"""Times a batch is written again because another writer committed to the same silver table meanwhile."""
SETTLING = 0.5
"""Seconds that the wait for bronze to settle grows by."""


@dataclass(slots=True)
class SilverResult:
    """What a silver task did.

    Attributes:
        batches: Each batch's counts.
        rules: Rows by rule that they broke, warnings included.
    """

    batches: list[Batch] = field(default_factory=list)
    rules: dict[str, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Records read."""
        return sum(batch.rows for batch in self.batches)

    @property
    def silver(self) -> int:
        """Rows that went into silver."""
        return sum(batch.silver for batch in self.batches)

    @property
    def duplicates(self) -> int:
        """Records that are another one's repeat."""
        return sum(batch.duplicates for batch in self.batches)

    @property
    def quarantine(self) -> int:
        """Rows that went into quarantine."""
        return sum(batch.quarantine for batch in self.batches)


def silver_path(settings: RunSettings, dataset: str) -> str:
    """Where a dataset's silver table is."""
    return settings.table_path(Layer.SILVER, dataset)


def quarantine_path(settings: RunSettings, dataset: str) -> str:
    """Where a dataset's rejected rows are."""
    return settings.table_path(Layer.QUARANTINE, dataset)


def refine(engine: Engine, contract: Contract, settings: RunSettings, *, again: bool = False) -> SilverResult:
    """Refine the deliveries that silver has not seen; all of them where `again` is true or one was superseded.

    Raises:
        ContractError: a rule or type of the contract cannot be compiled.
        QualityError: a rule that stops the batch was broken, or the count law does not hold.
        PipelineError: bronze has not run.
    """
    with recorded(engine, settings, "replay" if again else "silver", contract) as tally:
        result = SilverResult()
        try:
            _refine(engine, contract, settings, result, again=again)
        finally:
            tally.files = sum(batch.files for batch in result.batches)
            tally.rows_in, tally.rows_out = result.rows, result.silver
            tally.duplicates, tally.quarantine, tally.rules = result.duplicates, result.quarantine, result.rules
    return result


def _refine(engine: Engine, contract: Contract, settings: RunSettings, result: SilverResult, *, again: bool) -> None:
    ledger = Ledger(engine, settings)
    taken = latest(ledger.entries(Layer.BRONZE, contract.dataset))
    refined = latest(ledger.entries(Layer.SILVER, contract.dataset))
    if not engine.exists(bronze_path(settings, contract.dataset)):
        raise PipelineError(
            f"there is no bronze table of {contract.dataset}",
            where=bronze_path(settings, contract.dataset),
            fix="run the bronze task of the dataset first: `levee run DOMAIN --from bronze`",
        )
    if contract.personal_columns:
        settings.pseudonym_key.read()  # fails here and in plain words, not in a worker
    todo, gone = _todo(taken, refined, again=again)
    progress = Progress(f"silver {settings.domain}.{contract.dataset}", settings.progress)
    total = sum(entry.rows for entry in todo)
    batches = _batches(todo, gone)
    if not batches:  # the tables are there all the same, with the columns that the contract has now
        _Refinement(engine, contract, settings, [], []).ensure_tables()
    for number, batch in enumerate(batches, start=1):
        outcome = _Refinement(engine, contract, settings, batch, gone).run()
        done = [_entry(entry, Status.COMMITTED, outcome, settings, contract) for entry in batch]
        # With the last batch: until then repeats of what left may be missing, and a run that dies must do all again.
        left = gone if number == len(batches) else []
        ledger.add([*done, *(_entry(taken[sha], Status.SUPERSEDED, outcome, settings, contract) for sha in left)])
        result.batches.append(outcome)
        for rule, count in outcome.rules.items():
            result.rules[rule] = result.rules.get(rule, 0) + count
        progress.report(result.rows, total, "rows")


def _todo(taken: Mapping[str, Entry], refined: Mapping[str, Entry], *, again: bool) -> tuple[list[Entry], list[str]]:
    """Return the deliveries to refine, by name, and the contents whose rows leave.

    Where a delivery was superseded all are refined again: a record that was the repeat of one that leaves must come
    back.
    """
    in_silver = {sha for sha, entry in refined.items() if entry.status is Status.COMMITTED}
    gone = sorted(sha for sha, entry in taken.items() if entry.status is Status.SUPERSEDED and sha in in_silver)
    there = [entry for entry in taken.values() if entry.status is Status.COMMITTED]
    todo = [entry for entry in there if again or gone or entry.file_sha256 not in in_silver]
    return sorted(todo, key=lambda entry: (entry.file, entry.file_sha256)), gone


class _Refinement:
    """One batch on its way into silver."""

    def __init__(
        self, engine: Engine, contract: Contract, settings: RunSettings, batch: Sequence[Entry], gone: Sequence[str]
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
        self._bronze = self._settled(bronze_path(settings, contract.dataset), names)
        self._counted: dict[str, int] = {}
        self._rejected = self._plan.rejected(self._bronze)
        accepted = self._plan.accepted(self._bronze)
        self._keyed = bool(contract.deduplication.business_key)
        accepted = self._plan.best_by_key(accepted) if self._keyed else accepted
        self._published = self._plan.published(accepted, self._bronze)

    def ensure_tables(self) -> None:
        """Create silver and quarantine, or give them the columns that the contract has got since."""
        # The gate before each write asks for the same frames' schemas, which are known then.
        self._engine.ensure(self._quarantine, to_arrow_schema(self._rejected.schema))
        self._engine.ensure(self._silver, to_arrow_schema(self._published.schema))

    def run(self) -> Batch:
        started = datetime.now(UTC)
        self.ensure_tables()
        watched = self._watch()
        _side_by_side(
            lambda: self._write(self._quarantine, self._rejected),
            lambda: self._merge() if self._keyed else self._write(self._silver, self._published),
        )
        outcome = replace(self._count(watched), started_at=started, seconds=_seconds_since(started))
        record_batch(self._engine, self._settings, outcome)
        if not outcome.balanced:
            raise QualityError(
                f"the count law does not hold: {outcome.rows} records read, {outcome.accounted} accounted for "
                f"({outcome.silver} in silver, {outcome.duplicates} duplicates, {outcome.quarantine} in quarantine)",
                where=f"{self._contract.dataset}, batch {self.batch_id}",
                fix=f"keep the tables and report it; `levee replay {self._contract.dataset}` refines the batch again",
            )
        return outcome

    def _write(self, path: str, rows: DataFrame) -> None:
        """Commit rows in place of the batch's deliveries, less those whose identical record is there from others.

        Where the table has nothing of the deliveries the rows are put beside what it has: engines write more than
        they must to replace. What is there is read before the commit; where another writer committed in between,
        the batch is written again, so that two runs at once leave what one after the other would have.
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
                self._counted[path] = after  # another run may have the batch there twice for a moment after it
                return
        raise PipelineError(
            "other runs wrote the table all the time", where=path, fix="let one run end, then run this again"
        )

    def _settled(self, path: str, names: Mapping[str, str]) -> PlacedRows:
        """The batch's rows of bronze, of a version that has as many as the ledger says.

        Where two runs put a delivery there at once, it is there twice until the second one has mended it.

        Raises:
            QualityError: bronze has other rows than its ledger says, and it stays so.
        """
        if not self._shas:
            return PlacedRows.of(self._engine.read(path).where("false"), {})
        rows = 0
        for attempt in range(QUIET_ATTEMPTS):
            bronze = self._between(self._engine.read(path, self._engine.version(path)))
            placed = PlacedRows.of(bronze, names)
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

    def _count(self, watched: dict[str, int]) -> Batch:
        """Count what is in the tables, not what was meant to be written."""
        from pyspark.sql import functions as F  # noqa: N812 - the customary name

        counted = [F.count("*").alias("n"), F.sum("_copies").alias("c")]
        rows = self._expected
        silver, quarantined = (
            self._mine(self._engine.read(path, self._counted.get(path))) for path in (self._silver, self._quarantine)
        )
        published = silver.agg(*counted).collect()[0]
        rejected = quarantined.groupBy("_rules").agg(*counted).collect()
        rules: dict[str, int] = {}
        for row in rejected:
            for rule in row["_rules"].split(RULE_SEPARATOR):
                rules[rule] = rules.get(rule, 0) + row["n"]
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


def _side_by_side(*writes: Callable[[], None]) -> None:
    """Write several tables at once: an engine has idle cores at both ends of each. All end before an error is told."""
    with ThreadPoolExecutor(len(writes)) as pool:
        futures = [pool.submit(write) for write in writes]
    for future in futures:
        future.result()


def _batches(entries: Sequence[Entry], gone: Sequence[str]) -> list[list[Entry]]:
    """Cut deliveries into batches; where contents only left, one empty batch takes their rows out."""
    batches: list[list[Entry]] = []
    size = 0
    for entry in entries:
        if not batches or len(batches[-1]) >= BATCH_FILES or size + entry.size > BATCH_BYTES:
            batches.append([])
            size = 0
        batches[-1].append(entry)
        size += entry.size
    return batches or ([[]] if gone else [])


def _entry(entry: Entry, status: Status, outcome: Batch, settings: RunSettings, contract: Contract) -> Entry:
    return replace(
        entry,
        layer=Layer.SILVER.value,
        status=status,
        contract_digest=contract.digest,
        run_id=settings.run_id,
        batch_id=outcome.batch_id,
        recorded_at=datetime.now(UTC),
        detail=None,
    )


def _seconds_since(started: datetime) -> float:
    return (datetime.now(UTC) - started).total_seconds()


__all__ = ["SilverResult", "batch_id", "quarantine_path", "refine", "silver_path"]
