"""Whether a judged batch may be published: rules and checks that stop it, and the circuit breaker.

What may not is *held*: nothing of it is published, its deliveries are set aside in the ledger as a batch of their own,
and later deliveries go on. Somebody may let it go on (`accept`), with the name and the reason in the ledger; a replay
judges it again by the contract as it is then.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipelines.errors import QualityError, UsageError
from pipelines.ledger import Entry, Ledger, Status, latest
from pipelines.quality.batch_checks import Finding
from pipelines.settings import Acceptance, Layer, RunSettings

if TYPE_CHECKING:
    from pipelines.contracts.model import Contract
    from pipelines.engine import Engine
    from pipelines.quality.measures import Metrics
    from pipelines.quality.rule import Rule

STOPPING = ("failBatch", "stopPipeline")


class BatchHeldError(QualityError):
    """A batch may not be published.

    Attributes:
        batch_id: The batch.
        stops: Whether no task may run after this one.
        broken: Records by rule that they broke.
        records: Records of the batch.
    """

    def __init__(
        self, contract: Contract, batch_id: str, reasons: Sequence[str], metrics: Metrics, *, stops: bool
    ) -> None:
        super().__init__(
            f"the batch {batch_id} of {contract.dataset} is held, nothing of it is published: {'; '.join(reasons)}",
            where=str(contract.path),
            fix=f"ask for a better delivery, or correct the contract and `levee replay {contract.dataset}`, or let it "
            f"go on as it is: `levee replay {contract.dataset} --accept {batch_id} --reason WHY`",
        )
        self.batch_id = batch_id
        self.stops = stops
        self.broken = dict(metrics.broken)
        self.records = metrics.records


def decide(
    contract: Contract, batch_id: str, watched: Iterable[Rule], metrics: Metrics, findings: Iterable[Finding]
) -> None:
    """Let a judged batch pass.

    Raises:
        BatchHeldError: a rule or check that stops batches says no, or too much would go to quarantine.
    """
    stopping = [rule for rule in watched if rule.on_failure in STOPPING and metrics.broken.get(rule.id)]
    failed = [found for found in findings if found.success is False and found.check.on_failure in STOPPING]
    reasons = [f"{rule.id} is broken in {metrics.broken[rule.id]} records" for rule in stopping]
    reasons += [f"{found.check.id} ({found.check.description}) found {found.observed:.4g}" for found in failed]
    severities = [rule.on_failure for rule in stopping] + [found.check.on_failure for found in failed]
    breaker = contract.circuit_breaker
    if breaker and (tripped := _tripped(metrics, breaker.maximum_quarantine_percent, breaker.minimum_rows)):
        reasons.append(tripped)
        severities.append(breaker.on_trip)
    if reasons:
        raise BatchHeldError(contract, batch_id, reasons, metrics, stops="stopPipeline" in severities)


def accept(engine: Engine, settings: RunSettings, contract: Contract, word: Acceptance) -> None:
    """Let a held batch go on, by the next silver task; said again, it changes nothing.

    Raises:
        UsageError: no such batch is held, or nobody says who and why.
    """
    if not word.by.strip() or not word.reason.strip():
        raise UsageError("a held batch goes on only where somebody says who and why", fix="add --reason WHY")
    ledger = Ledger(engine, settings)
    entries = ledger.entries(Layer.SILVER, contract.dataset)
    held = [entry for entry in latest(entries).values() if entry.status is Status.HELD]
    chosen = [entry for entry in held if entry.batch_id == word.batch_id]
    if not chosen and any((e.status, e.batch_id) == (Status.ACCEPTED, word.batch_id) for e in entries):
        return  # a run that was told so died, and is begun again
    if not chosen:
        names = ", ".join(sorted({entry.batch_id for entry in held})) or "none"
        raise UsageError(
            f"no batch {word.batch_id} of {contract.dataset} is held", where=ledger.path, fix=f"held are: {names}"
        )
    told = f"{word.by.strip()}: {word.reason.strip()}"
    now = datetime.now(UTC)
    ledger.add([
        replace(entry, status=Status.ACCEPTED, run_id=settings.run_id, recorded_at=now, detail=told)
        for entry in chosen
    ])  # fmt: skip


def held_batches(entries: Iterable[Entry]) -> dict[str, str]:
    """Return the batches that are held by the last word on their deliveries, each with why."""
    return {entry.batch_id: entry.detail or "" for entry in entries if entry.status is Status.HELD}


def _tripped(metrics: Metrics, maximum: float, minimum_rows: int) -> str | None:
    """Say why the circuit breaker trips; ``None`` where it does not."""
    records, quarantined = metrics.records, metrics.quarantined
    if records < minimum_rows or 100 * quarantined <= maximum * records:
        return None
    by_rule = {**metrics.broken, "malformed": metrics.count("malformed")}
    ordered = sorted((item for item in by_rule.items() if item[1]), key=lambda item: (-item[1], item[0]))
    rates = ", ".join(f"{rule} {100 * broken / records:.2f} %" for rule, broken in ordered)
    return (
        f"{100 * quarantined / records:.2f} % of {records} records would go to quarantine, "
        f"the circuit breaker trips above {maximum:g} % ({rates})"
    )
