"""Silver: what bronze has taken in and silver has not, a batch of deliveries at a time.

A batch writes quarantine and silver, then checks the count law, then the ledger. Both tables are replaced by the
batch's deliveries, so a run that was killed anywhere is made good by the next one. An identical record that came in an
earlier batch stays where it is and the new one is a duplicate.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipelines.batches import Batch
from pipelines.bronze.ingest import bronze_path
from pipelines.engine import Engine
from pipelines.errors import PipelineError
from pipelines.failpoints import failpoint
from pipelines.ledger import Entry, Ledger, Status, latest
from pipelines.privacy.keys import read_key
from pipelines.progress import Progress
from pipelines.runs import in_batches, recorded
from pipelines.settings import Layer, RunSettings
from pipelines.silver.refinement import Refinement

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
    """

    batches: list[Batch] = field(default_factory=list)
    rules: dict[str, int] = field(default_factory=dict)
    bytes: int = 0

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
            tally.files, tally.bytes = sum(batch.files for batch in result.batches), result.bytes
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
        read_key(settings.pseudonym_key)  # fails here and in plain words, not in a worker
    todo, gone = _todo(taken, refined, again=again)
    progress = Progress(f"silver {settings.domain}.{contract.dataset}", settings.progress)
    total = sum(entry.rows for entry in todo)
    batches = _batches(todo, gone)
    standing = sum(entry.rows for entry in taken.values() if entry.status is Status.COMMITTED)
    if not batches:  # the tables are there all the same, with the columns that the contract has now
        Refinement(engine, contract, settings, [], [], standing=None).ensure_tables()
    for number, batch in enumerate(in_batches(batches), start=1):
        outcome = Refinement(engine, contract, settings, batch, gone, standing=standing).run()
        done = [_entry(entry, Status.COMMITTED, outcome, settings, contract) for entry in batch]
        # With the last batch: until then repeats of what left may be missing, and a run that dies must do all again.
        left = gone if number == len(batches) else []
        ledger.add([*done, *(_entry(taken[sha], Status.SUPERSEDED, outcome, settings, contract) for sha in left)])
        failpoint("silver.recorded")
        result.batches.append(outcome)
        result.bytes += sum(entry.size for entry in batch)
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


__all__ = ["SilverResult", "refine"]
