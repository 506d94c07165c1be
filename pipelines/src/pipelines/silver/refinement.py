"""One batch of deliveries on its way into silver: both tables are written, then what they have is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

from pipelines.batches import Batch, record_batch
from pipelines.bronze.ingest import bronze_path
from pipelines.engine import Engine
from pipelines.engine.arrow_types import to_arrow_schema
from pipelines.engine.staging import Staged, staged
from pipelines.errors import QualityError
from pipelines.failpoints import failpoint
from pipelines.history import data_version
from pipelines.ledger import Entry
from pipelines.privacy.vault import deposit
from pipelines.quality.batch_checks import batch_checks, judge
from pipelines.quality.checks import summed
from pipelines.quality.measures import Metric, Metrics
from pipelines.quality.metrics import record_metrics
from pipelines.settings import Layer, RunSettings
from pipelines.shown import current, every_version
from pipelines.silver.deliveries import Committed, Deliveries, Written, batch_id
from pipelines.silver.examples import Example, examples
from pipelines.silver.historise import Historisation
from pipelines.silver.holding import STOPPING, decide
from pipelines.silver.lateness import watermarked
from pipelines.silver.placed import PlacedRows
from pipelines.silver.plan import FATE, MESSAGES, SilverPlan
from pipelines.silver.surrogate import check_collisions
from pipelines.silver.turns import Delivered
from pipelines.silver.verdicts import RULE_SEPARATOR

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from pipelines.contracts.model import Contract

COMPUTED_ROWS: int = 20_000
"""Records up to which a batch's verdicts are computed whenever they are asked for."""

T = TypeVar("T")


def silver_path(settings: RunSettings, dataset: str) -> str:
    """Where a dataset's silver table is."""
    return settings.table_path(Layer.SILVER, dataset)


def quarantine_path(settings: RunSettings, dataset: str) -> str:
    """Where a dataset's rejected rows are."""
    return settings.table_path(Layer.QUARANTINE, dataset)


def staging_path(settings: RunSettings, dataset: str) -> str:
    """Where a dataset's batches are staged while they are worked on."""
    return settings.path(Layer.CHECKPOINTS, settings.domain, "staged", dataset)


class Refinement:
    """One batch on its way into silver.

    Args:
        engine: The open engine.
        contract: The contract.
        settings: Roots, run and key.
        batch: The ledger's entries of its deliveries.
        gone: Contents whose rows leave silver.
        standing: Rows that bronze has by its ledger; ``None`` where it has none to look for.
        accepted: Somebody let the batch go on, whatever the checks say that would hold it.
        history: Metrics of earlier batches, the newest last; asked for where a check compares with them.
        delivered: The deliveries that silver has with this batch, where their order is the order of changes.
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
        accepted: bool = False,
        history: Callable[[], Sequence[Metrics]] = tuple,
        delivered: Collection[Delivered] = (),
    ) -> None:
        self._engine, self._contract, self._settings = engine, contract, settings
        self._silver = silver_path(settings, contract.dataset)
        self._quarantine = quarantine_path(settings, contract.dataset)
        self.batch_id = batch_id([entry.file_sha256 for entry in batch])
        self._plan = SilverPlan.of(contract, settings.pseudonym_key, settings.run_id, self.batch_id)
        self._batch = Deliveries(engine, contract.dataset, batch, gone, once=self._plan.removes_identical)
        told = None if contract.redelivery.policy == "replace" else standing
        placed = self._batch.settled(bronze_path(settings, contract.dataset), told)
        self._messages = placed.rows.where(MESSAGES) if contract.change_feed else None
        self._bronze = self._marked(placed)
        self._historisation = Historisation(engine, contract, settings) if contract.history else None
        self._target = self._historisation.changes_table if self._historisation else self._silver
        self._delivered = delivered
        self._accepted, self._history = accepted, history
        self._judged = self._plan.judged(self._bronze, self._keys())
        self._unmasked = self._judged.where(f"NOT ({self._plan.verdicts.is_broken})")
        self._staged: Staged | None = None
        self._split(self._judged, self._plan.refined(self._unmasked, self._bronze))

    def _split(self, judged: DataFrame, refined: DataFrame) -> None:
        self._rejected = self._plan.rejected(self._bronze, judged)
        self._published = self._plan.published(refined)

    def ensure_tables(self) -> None:
        """Create silver and quarantine, or give them the columns that the contract has got since."""
        # The gate before each write asks for the same frames' schemas, which are known then.
        _side_by_side(
            lambda: self._engine.ensure(self._quarantine, to_arrow_schema(self._rejected.schema)),
            lambda: self._engine.ensure(self._target, to_arrow_schema(self._published.schema)),
        )
        if self._historisation:
            self._historisation.ensure_tables(self._published)

    def run(self) -> Batch:
        """Judge the batch, write it, count it and record the counts.

        Raises:
            BatchHeldError: it may not be published; nothing was written.
            QualityError: the count law does not hold.
        """
        started = datetime.now(UTC)
        self.ensure_tables()
        before = data_version(self._engine, self._silver)
        with self._once_judged() as judged:
            metrics = self._plan.verdicts.metrics(judged)
            self._decide(metrics)
            check_collisions(self._contract, self._published, lambda: self._engine.read(self._target))
            deposit(self._engine, self._settings, self._contract, self._unmasked)
            failpoint("silver.before_commit")
            published, rejected = _side_by_side(self._publish, self._reject)
            counted = self._historised(self._counts(published, rejected), published.written)
        record_batch(self._engine, self._settings, outcome := self._outcome(counted, metrics, started))
        version = Metric("version", "", 0, "", Decimal(self._engine.version(self._silver)), Decimal(before))
        all_metrics = replace(metrics, items=(*metrics.items, *counted.repeated, version))
        record_metrics(self._engine, self._settings, self._contract, self.batch_id, all_metrics)
        failpoint("silver.counted")
        if not outcome.balanced:
            raise QualityError(
                f"the count law does not hold: {outcome.rows} records read, {outcome.accounted} accounted for "
                f"({outcome.silver} in silver, {outcome.superseded} superseded, {outcome.duplicates} duplicates, "
                f"{outcome.quarantine} in quarantine)",
                where=f"{self._contract.dataset}, batch {self.batch_id}",
                fix=f"keep the tables and report it; `levee replay {self._contract.dataset}` refines the batch again",
            )
        return outcome

    def examples(self, most: int) -> list[Example]:
        """Judge the batch once more, and return the first record of each group that broke the same rules.

        Args:
            most: So many at most, of the largest groups.
        """
        return examples(self._plan.verdicts, self._judged, self._bronze, most)

    @contextmanager
    def _once_judged(self) -> Generator[DataFrame]:
        """The judged rows, computed once; of a small batch keeping them takes longer than to compute them again."""
        if self._batch.records <= COMPUTED_ROWS:
            yield self._judged
            return
        refined = self._plan.refined(self._judged, self._bronze)
        with staged(self._engine, refined, staging_path(self._settings, self._contract.dataset), FATE) as kept:
            failpoint("silver.staged")
            self._staged = kept
            self._split(kept.rows, kept.rows)
            yield kept.rows

    def _keys(self) -> dict[str, DataFrame]:
        """The silver tables in which rules look keys up, by rule."""
        lookups = {rule.id: rule.lookup for rule in self._plan.verdicts.rules if rule.lookup}
        return {
            rule: (every_version if lookup.every_version else current)(
                self._engine, silver_path(self._settings, lookup.dataset)
            )
            for rule, lookup in lookups.items()
        }

    def _decide(self, metrics: Metrics) -> None:
        """Let the batch pass, or hold it."""
        if self._accepted or not self._batch.shas:
            return
        checks = batch_checks(self._contract)
        compared = any(check.kind != "freshness" and check.on_failure in STOPPING for check in checks)
        findings = judge(checks, metrics, self._history()) if compared else ()
        decide(self._contract, self.batch_id, self._plan.verdicts.watched, metrics, findings)

    def _publish(self) -> Committed:
        written = self._batch.write(self._target, self._published, self._staged)
        failpoint("silver.published")
        return Committed(self._batch.counted(self._target, written.version), written)

    def _reject(self) -> Committed:
        written = self._batch.write(self._quarantine, self._rejected)
        failpoint("silver.rejected")
        return Committed(self._batch.counted(self._quarantine, written.version, "_rules"), written)

    def _historised(self, counted: Counted, written: Written) -> Counted:
        """Bring the tables with a history up to the batch's changes, and count what of these they show.

        Args:
            counted: What was counted of the changes; before, for some of them may settle.
            written: Their commit.
        """
        if (history := self._historisation) is None:
            return counted
        look = [(self._target, written.version)]
        if written.replaced:  # what was there of the batch may have gone, and what it did to its keys with it
            look += [(self._target, written.before), *history.shown()]
        touched = history.keys_of(self._batch.leaving, look)
        lost = history.tell(touched, self._delivered, self._quarantine)
        shown = history.standing(self._batch.shas)
        return replace(counted, silver=shown, superseded=counted.silver - shown, accounted=counted.accounted - lost)

    def _marked(self, batch: PlacedRows) -> PlacedRows:
        """The batch's rows less messages about no row, with a watermark where the contract says how late one may be."""
        if self._contract.change_feed:
            batch = replace(batch, rows=batch.rows.where(f"NOT {MESSAGES}"))
        if (lateness := self._contract.lateness) is None:
            return batch
        bronze = self._engine.read(bronze_path(self._settings, self._contract.dataset))
        return replace(batch, rows=watermarked(batch.rows, self._plan.events(bronze), lateness.span))

    def _counts(self, published: Committed, rejected: Committed) -> Counted:
        """Count what both tables have of the batch, and what they have of it by other batches' identical records."""
        row = published.rows[0]
        held = Counted(
            silver=row["n"],
            superseded=0,
            quarantine=sum(row["n"] for row in rejected.rows),
            accounted=(row["c"] or 0) + sum(row["c"] for row in rejected.rows),
            rules=_by_rule({row["_rules"]: row["n"] for row in rejected.rows}),
        )
        if self._messages is not None:
            messages = self._messages.count()
            held = replace(held, messages=messages, accounted=held.accounted + messages)
        # What both tables account for is not looked for elsewhere: that takes as long as the batch itself.
        if held.accounted == self._batch.records:
            return held
        copies, repeated = self._elsewhere(published.written)
        return replace(held, accounted=held.accounted + copies, repeated=tuple(repeated))

    def _outcome(self, counted: Counted, metrics: Metrics, started: datetime) -> Batch:
        watched = {rule.id for rule in self._plan.verdicts.watched}
        rows = self._batch.records
        return Batch(
            dataset=self._contract.dataset,
            batch_id=self.batch_id,
            run_id=self._settings.run_id,
            files=len(self._batch.shas),
            rows=rows,
            silver=counted.silver,
            superseded=counted.superseded,
            messages=counted.messages,
            duplicates=rows - counted.silver - counted.superseded - counted.messages - counted.quarantine,
            quarantine=counted.quarantine,
            accounted=counted.accounted,
            rules={**counted.rules, **{rule: n for rule, n in metrics.broken.items() if rule in watched}},
            started_at=started,
            seconds=(datetime.now(UTC) - started).total_seconds(),
        )

    def _elsewhere(self, written: Written) -> tuple[int, list[Metric]]:
        """Count the batch's records whose row in silver or quarantine came from another delivery, and by what rule.

        Args:
            written: The commit for silver: what was there before it kept identical records out.
        """
        from pyspark.sql import functions as F  # noqa: N812 - the customary name

        if not self._plan.removes_identical:
            return 0, []
        found = self._published.join(
            self._batch.hashes_of_others(self._target, written.before), "_row_hash", "left_semi"
        )
        sums = summed(self._contract)
        added = [F.expr(f"CAST(sum({sum_.value} * _copies) AS STRING)").alias(f"s{n}") for n, sum_ in enumerate(sums)]
        row = found.agg(F.sum("_copies").alias("c"), *added).collect()[0]
        repeated = [
            Metric("repeated", sum_.id, 0, sum_.digest, Decimal(row[f"s{n}"]), None)
            for n, sum_ in enumerate(sums)
            if row[f"s{n}"] is not None
        ]
        copies = row["c"] or 0
        found = self._rejected.join(self._batch.hashes_of_others(self._quarantine), "_row_hash", "left_semi")
        by_rules = {
            row["_rules"]: row["c"] for row in found.groupBy("_rules").agg(F.sum("_copies").alias("c")).collect()
        }
        digests = {rule.id: rule.digest for rule in self._plan.verdicts.rejecting}
        repeated += [
            Metric("repeated", rule, 0, digests[rule], None, Decimal(n)) for rule, n in _by_rule(by_rules).items()
        ]
        return copies + sum(by_rules.values()), repeated


@dataclass(frozen=True, slots=True)
class Counted:
    """What the tables have of a batch, counted after the commits.

    Attributes:
        silver: Rows in silver, that a table with a history shows.
        superseded: Rows among the changes that it shows no more.
        quarantine: Rows in quarantine.
        accounted: Records that both stand for, and those that other batches' identical rows stand for.
        rules: Rows in quarantine by rule.
        messages: Records of a change feed about no row.
        repeated: What is there by other batches' identical rows: records by rule, and the sums of silver's.
    """

    silver: int
    superseded: int
    quarantine: int
    accounted: int
    rules: Mapping[str, int]
    messages: int = 0
    repeated: tuple[Metric, ...] = ()


def _by_rule(by_rules: Mapping[str, int]) -> dict[str, int]:
    """Counts by rule, of counts by all the rules that a row broke: it counts under each."""
    counted: Counter[str] = Counter()
    for broken, count in by_rules.items():
        counted.update(dict.fromkeys(broken.split(RULE_SEPARATOR), count))
    return dict(counted)


def _side_by_side(*works: Callable[[], T]) -> list[T]:
    """Work on several tables at once: an engine has idle cores at both ends of each. All end before one raises."""
    with ThreadPoolExecutor(len(works)) as pool:
        futures = [pool.submit(work) for work in works]
    return [future.result() for future in futures]


__all__ = ["Refinement", "batch_id", "quarantine_path", "silver_path", "staging_path"]
