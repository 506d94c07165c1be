"""Silver: what bronze has taken in and silver has not, a batch of deliveries at a time.

A batch writes quarantine and silver, then checks the count law, then the ledger. Both tables are replaced by the
batch's deliveries, so a run that was killed anywhere is made good by the next one. An identical record that came in an
earlier batch stays where it is and the new one is a duplicate.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipelines.batches import Batch
from pipelines.bronze.ingest import bronze_path
from pipelines.contracts.model import ChangeOrder
from pipelines.engine import Engine
from pipelines.engine.scratch import sweep
from pipelines.errors import PipelineError
from pipelines.failpoints import failpoint
from pipelines.ledger import Entry, Ledger, Status, latest
from pipelines.privacy.rotation import require_key
from pipelines.progress import Progress
from pipelines.quality.metrics import recorded_batches
from pipelines.runs import in_batches, recorded
from pipelines.settings import Layer, RunSettings
from pipelines.silver.holding import BatchHeldError
from pipelines.silver.refinement import Refinement, staging_path
from pipelines.silver.turns import Delivered, delivered

if TYPE_CHECKING:
    from pipelines.contracts.model import Contract

log = logging.getLogger(__name__)

BATCH_FILES = 4096
BATCH_BYTES = 2 << 30
"""Deliveries of one silver batch: so many, or so many bytes of them, whichever comes first."""


@dataclass(slots=True)
class SilverResult:
    """What a silver task did.

    Attributes:
        batches: Each batch's counts.
        rules: Rows by rule that they broke, warnings included.
        bytes: Size of the deliveries refined.
        held: Why a batch is held, of which nothing was published.
    """

    batches: list[Batch] = field(default_factory=list)
    rules: dict[str, int] = field(default_factory=dict)
    bytes: int = 0
    held: list[BatchHeldError] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Records read."""
        return sum(batch.rows for batch in self.batches)

    @property
    def silver(self) -> int:
        """Rows that went into silver."""
        return sum(batch.silver for batch in self.batches)

    @property
    def superseded(self) -> int:
        """Changes that no row of a table with a history shows."""
        return sum(batch.superseded for batch in self.batches)

    @property
    def duplicates(self) -> int:
        """Records that are another one's repeat."""
        return sum(batch.duplicates for batch in self.batches)

    @property
    def quarantine(self) -> int:
        """Rows that went into quarantine."""
        return sum(batch.quarantine for batch in self.batches)


def refine(
    engine: Engine, contract: Contract, settings: RunSettings, *, again: bool = False, rotating: bool = False
) -> SilverResult:
    """Refine the deliveries that silver has not seen; all of them where `again` is true or one was superseded.

    Args:
        engine: The open engine.
        contract: The contract.
        settings: Roots, run and key.
        again: Judge all by the contract as it is now.
        rotating: The masking key is another one than silver's; what was published is not held.

    Raises:
        ContractError: a rule or type of the contract cannot be compiled.
        BatchHeldError: a batch is held and no task may run after this one; the other batches went on.
        QualityError: the count law does not hold.
        PipelineError: bronze has not run.
    """
    with recorded(engine, settings, "replay" if again else "silver", contract) as tally:
        result = SilverResult()
        try:
            if contract.personal_columns and not rotating:
                require_key(engine, settings, contract)  # fails here and in plain words, not in a worker
            _refine(engine, contract, settings, result, again=again, rotating=rotating)
        finally:
            tally.files, tally.bytes = sum(batch.files for batch in result.batches), result.bytes
            tally.rows_in, tally.rows_out = result.rows, result.silver
            tally.duplicates = result.rows - result.silver - result.quarantine  # and what else silver does not show
            tally.quarantine, tally.rules = result.quarantine, result.rules
    return result


def _refine(
    engine: Engine, contract: Contract, settings: RunSettings, result: SilverResult, *, again: bool, rotating: bool
) -> None:
    sweep(staging_path(settings, contract.dataset))
    ledger = Ledger(engine, settings)
    arrived, entered = (ledger.entries(layer, contract.dataset) for layer in (Layer.BRONZE, Layer.SILVER))
    taken, refined = latest(arrived), latest(entered)
    if not engine.exists(bronze_path(settings, contract.dataset)):
        raise PipelineError(
            f"there is no bronze table of {contract.dataset}",
            where=bronze_path(settings, contract.dataset),
            fix="run the bronze task of the dataset first: `levee run DOMAIN --from bronze`",
        )
    todo, gone = _todo(taken, refined, again=again)
    named = _Names.of(contract, arrived, entered)
    todo = named.todo(todo, taken)
    progress = Progress(f"silver {settings.domain}.{contract.dataset}", settings.progress)
    total = sum(entry.rows for entry in todo)
    batches = _batches(todo, refined, gone)
    standing = sum(entry.rows for entry in taken.values() if entry.status is Status.COMMITTED)

    # Another key is no reason to hold what silver has.
    let_go = (Status.ACCEPTED, Status.COMMITTED) if rotating else (Status.ACCEPTED,)
    done_before = {sha for sha, entry in refined.items() if entry.status is Status.COMMITTED}

    def refinement(batch: Sequence[Entry], standing: int | None) -> Refinement:
        return Refinement(
            engine, contract, settings, batch, gone, standing=standing,
            accepted=all(_status(refined, entry) in let_go for entry in batch),
            history=lambda: list(recorded_batches(engine, settings, contract.dataset).values()),
            delivered=named.seen({*done_before, *(entry.file_sha256 for entry in batch)}),
        )  # fmt: skip

    if not batches:  # the tables are there all the same, with the columns that the contract has now
        refinement([], None).ensure_tables()
    for number, batch in enumerate(in_batches(batches), start=1):
        try:
            outcome = refinement(batch, standing).run()
        except BatchHeldError as reason:
            log.error("%s", reason)  # noqa: TRY400 - told, and no failure of ours: it has no use for a traceback
            result.held.append(reason)
            ledger.add([_entry(entry, Status.HELD, reason, settings, contract) for entry in batch])
            failpoint("silver.held")
            continue
        done = [_entry(entry, Status.COMMITTED, outcome, settings, contract) for entry in batch]
        # With the last batch: until then repeats of what left may be missing, and a run that dies must do all again.
        left = gone if number == len(batches) else []
        superseded = [_entry(taken[sha], Status.SUPERSEDED, outcome, settings, contract) for sha in left]
        again_there = [_entry(entry, Status.REPEATED, outcome, settings, contract) for entry in named.entries(batch)]
        ledger.add([*done, *again_there, *superseded])
        done_before |= {entry.file_sha256 for entry in batch}
        failpoint("silver.recorded")
        result.batches.append(outcome)
        result.bytes += sum(entry.size for entry in batch)
        for rule, count in outcome.rules.items():
            result.rules[rule] = result.rules.get(rule, 0) + count
        progress.report(result.rows, total, "rows")
    if stopping := next((reason for reason in result.held if reason.stops), None):
        raise stopping


@dataclass(frozen=True, slots=True)
class _Names:
    """The names that contents came under, where these are the order of changes.

    Attributes:
        all: Every name of every content that stands.
        new: Bronze's entries of names that silver has not seen, of contents that came under another one.
    """

    all: frozenset[Delivered] = frozenset()
    new: tuple[Entry, ...] = ()

    @classmethod
    def of(cls, contract: Contract, arrived: Sequence[Entry], entered: Sequence[Entry]) -> _Names:
        """Look through the ledger.

        Args:
            contract: The contract.
            arrived: Bronze's entries, oldest first.
            entered: Silver's.
        """
        if contract.change_order is not ChangeOrder.DELIVERIES:
            return cls()
        known = {Delivered.of(entry) for entry in entered}
        there = delivered(arrived)
        new = {Delivered.of(e): e for e in arrived if e.status is Status.REPEATED and Delivered.of(e) in there - known}
        return cls(frozenset(there), tuple(new.values()))

    def todo(self, entries: Sequence[Entry], taken: Mapping[str, Entry]) -> list[Entry]:
        """Add the contents that came again: what they say is said at another time."""
        known = {entry.file_sha256 for entry in entries}
        more = dict.fromkeys(entry.file_sha256 for entry in self.new if entry.file_sha256 not in known)
        again = [taken[sha] for sha in more if taken[sha].status is Status.COMMITTED]
        return sorted([*entries, *again], key=lambda entry: (entry.file, entry.file_sha256))

    def entries(self, batch: Sequence[Entry]) -> list[Entry]:
        """The new names of a batch's contents."""
        shas = {entry.file_sha256 for entry in batch}
        return [entry for entry in self.new if entry.file_sha256 in shas]

    def seen(self, contents: Collection[str]) -> set[Delivered]:
        """The names of some contents."""
        return {one for one in self.all if one.file_sha256 in contents}


def _todo(taken: Mapping[str, Entry], refined: Mapping[str, Entry], *, again: bool) -> tuple[list[Entry], list[str]]:
    """Return the deliveries to refine, by name, and the contents whose rows leave.

    Where a delivery was superseded all are refined again: a record that was the repeat of one that leaves must come
    back. What is held waits until somebody accepts it, or all is refined again.
    """
    known = {sha for sha, entry in refined.items() if entry.status in (Status.COMMITTED, Status.HELD, Status.ACCEPTED)}
    gone = sorted(sha for sha, entry in taken.items() if entry.status is Status.SUPERSEDED and sha in known)
    there = [entry for entry in taken.values() if entry.status is Status.COMMITTED]
    done = {sha for sha in known if refined[sha].status is not Status.ACCEPTED}
    todo = [entry for entry in there if again or gone or entry.file_sha256 not in done]
    return sorted(todo, key=lambda entry: (entry.file, entry.file_sha256)), gone


def _batches(entries: Sequence[Entry], refined: Mapping[str, Entry], gone: Sequence[str]) -> list[list[Entry]]:
    """Cut deliveries into batches: each that was held is one, the others by their size.

    Contents that leave do so with the last batch; where that may be held again, or there is none, an empty one takes
    their rows out.
    """
    held: dict[str, list[Entry]] = {}
    batches: list[list[Entry]] = []
    size = 0
    for entry in entries:
        if _status(refined, entry) in (Status.HELD, Status.ACCEPTED):
            held.setdefault(refined[entry.file_sha256].batch_id, []).append(entry)
            continue
        if not batches or len(batches[-1]) >= BATCH_FILES or size + entry.size > BATCH_BYTES:
            batches.append([])
            size = 0
        batches[-1].append(entry)
        size += entry.size
    return [*batches, *held.values(), *([[]] if gone and (held or not batches) else [])]


def _status(refined: Mapping[str, Entry], entry: Entry) -> Status | None:
    return refined[entry.file_sha256].status if entry.file_sha256 in refined else None


def _entry(
    entry: Entry, status: Status, told: BatchHeldError | Batch, settings: RunSettings, contract: Contract
) -> Entry:
    return replace(
        entry,
        layer=Layer.SILVER.value,
        status=status,
        contract_digest=contract.digest,
        run_id=settings.run_id,
        batch_id=told.batch_id,
        recorded_at=datetime.now(UTC),
        detail=told.message if isinstance(told, BatchHeldError) else None,
    )


__all__ = ["SilverResult", "refine"]
