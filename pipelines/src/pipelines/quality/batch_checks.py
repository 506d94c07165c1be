"""Checks on a batch, decided from the metrics of the pass and those of earlier batches: no record is read for them.

=================  ======================================================================================
``volume``         records of the batch against those of earlier batches
``distribution``   a column's bins against those of earlier batches
``freshness``      the newest value of a time column against the clock, by the quality task
=================  ======================================================================================

Without enough history a check is not run, and says so.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from pipelines import sql
from pipelines.contracts.extensions import OnFailure
from pipelines.contracts.extensions.quality import Distribution, Freshness, Volume
from pipelines.contracts.model import Check, Contract
from pipelines.errors import ContractError
from pipelines.quality.checks import SUMMED, summed
from pipelines.quality.custom import named
from pipelines.quality.measures import Measure, Metrics

Z_OF_MAD = 0.6745
"""Makes the median of absolute deviations comparable with a standard deviation (Iglewicz and Hoaglin, 1993)."""
Z_OF_MEAN_AD = 1.253314
"""The same for the mean of absolute deviations: the root of pi / 2 (IBM Cognos Analytics 11.1, Modified z score)."""
_HOURS = {"h": 1.0, "hour": 1.0, "hours": 1.0, "d": 24.0, "day": 24.0, "days": 24.0, "m": 1 / 60, "min": 1 / 60}


@dataclass(frozen=True, slots=True)
class BatchCheck:
    """One check on a batch.

    Attributes:
        id: Its name in results and run record.
        column: Column it is about; ``None`` for the batch.
        look: What it looks at.
        on_failure: What its failure does; never ``quarantine``.
        description: One line for readers.
        dimension: Quality dimension of the standard, where it is known.
        measure: What is added up of the batch's records; ``None`` for their number.
        limit: Of ``freshness``: hours that the newest value may be old.
    """

    id: str
    column: str | None
    look: Volume | Distribution | Freshness
    on_failure: OnFailure
    description: str
    dimension: str | None
    measure: Measure | None = None
    limit: float | None = None

    @property
    def kind(self) -> Literal["volume", "distribution", "freshness"]:
        """Which check it is."""
        match self.look:
            case Volume():
                return "volume"
            case Distribution():
                return "distribution"
            case Freshness():
                return "freshness"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check on a batch found.

    Attributes:
        check: The check.
        observed: The z-score, the deviation in per cent, the index, or the age in hours.
        success: Whether it holds; ``None`` where it was not run.
        not_run: Why it was not run.
    """

    check: BatchCheck
    observed: float | None = None
    success: bool | None = None
    not_run: str | None = None


def batch_checks(contract: Contract) -> tuple[BatchCheck, ...]:
    """Compile the contract's checks on a batch.

    Raises:
        ContractError: one of them names what there is not, or cannot be failed as it asks; with its line.
    """
    return tuple(found for check in contract.every_check for found in _compiled(contract, check))


def measures(contract: Contract) -> tuple[Measure, ...]:
    """What the pass adds up for the contract's checks: of batches, and of sums that are reconciled."""
    found = [check.measure for check in batch_checks(contract) if check.measure]
    return (*found, *summed(contract))


def judge(checks: Sequence[BatchCheck], batch: Metrics, history: Sequence[Metrics]) -> Iterator[Finding]:
    """Judge a batch by the checks that compare it with earlier ones.

    Args:
        checks: The checks; those on freshness are left out.
        batch: Its metrics.
        history: Metrics of earlier batches, the newest last.
    """
    for check in checks:
        if isinstance(check.look, Volume):
            yield _volume(check, check.look, batch.records, [past.records for past in history])
        elif isinstance(check.look, Distribution) and check.measure:
            alike = [found for past in history if (found := past.bins(check.id, check.measure.digest))]
            yield _distribution(check, check.look, batch.bins(check.id), alike)


def freshness(check: BatchCheck, metrics: Metrics, now: datetime) -> Finding:
    """Judge how old the newest value is, at `now` (UTC)."""
    newest = metrics.find("max", check.id)
    if newest is None or newest.accepted is None:
        return Finding(check, not_run="nothing has been published yet that it could be told by")
    age = now - datetime.fromtimestamp(float(newest.accepted) / 1e6, UTC)
    hours = age.total_seconds() / 3600
    return Finding(check, observed=hours, success=hours <= (check.limit or 0))


def robust_z(value: float, history: Sequence[float]) -> float:
    """Return the modified z-score of `value`; infinite where all of `history` is one number, and it is another.

    Source: Iglewicz and Hoaglin, How to Detect and Handle Outliers (1993), section 3.3.
    """
    median = statistics.median(history)
    deviations = [abs(past - median) for past in history]
    if spread := statistics.median(deviations):
        return Z_OF_MAD * (value - median) / spread
    if spread := statistics.fmean(deviations):
        return (value - median) / (Z_OF_MEAN_AD * spread)
    return 0.0 if value == median else math.copysign(math.inf, value - median)


def stability_index(now: Sequence[int], before: Sequence[int]) -> float:
    """Return the population stability index of two counts by bin: sum of (p - q) ln(p / q).

    An empty bin counts as one half of a record. Source: Lewis, An Introduction to Credit Scoring (1994); Siddiqi,
    Credit Risk Scorecards (2006).
    """
    parts = [[(count or 0.5) / sum(counts) for count in counts] for counts in (now, before)]
    return sum((p - q) * math.log(p / q) for p, q in zip(*parts, strict=True))


def _volume(check: BatchCheck, look: Volume, records: int, history: Sequence[int]) -> Finding:
    past = history[-look.batches :]
    if len(past) < look.at_least:
        return Finding(check, not_run=f"{len(past)} earlier batches, it asks for {look.at_least}")
    if look.within_percent is not None:
        median = statistics.median(past)
        off = math.inf if median == 0 and records else 100.0 * abs(records - median) / (median or 1)
        return Finding(check, observed=off, success=off <= look.within_percent)
    z = robust_z(records, past)
    return Finding(check, observed=z, success=abs(z) <= look.maximum_z)


def _distribution(
    check: BatchCheck, look: Distribution, bins: Sequence[int], history: Sequence[Sequence[int]]
) -> Finding:
    past = [counts for counts in history if sum(counts)][-look.batches :]
    if len(past) < look.at_least:
        return Finding(check, not_run=f"{len(past)} earlier batches, it asks for {look.at_least}")
    if not sum(bins):
        return Finding(check, not_run="the batch has no value of the column")
    index = stability_index(bins, [sum(counts) for counts in zip(*past, strict=True)])
    return Finding(check, observed=index, success=index <= look.maximum)


def _compiled(contract: Contract, check: Check) -> Iterator[BatchCheck]:
    if check.look is None or not (look := check.look.volume or check.look.distribution or check.look.freshness):
        return
    if check.on_failure == "quarantine" or contract.layer != "source":
        raise ContractError(
            f"quality check {check.id} is about a batch of deliveries, "
            + ("so it has no rows to quarantine" if contract.layer == "source" else "and no source has this contract"),
            where=check.where,
            fix="use `warn`, `failBatch` or `stopPipeline` in a source's contract",
        )
    quality = check.quality
    column = None if isinstance(look, Volume) else look.column or check.column
    yield BatchCheck(
        id=check.id,
        column=column,
        look=look,
        on_failure=check.on_failure or ("failBatch" if quality.severity in (None, "error") else "warn"),
        description=quality.description or quality.name or check.id,
        dimension=quality.dimension,
        measure=_measure(contract, check, look, column),
        limit=_limit(contract, check, look) if isinstance(look, Freshness) else None,
    )


def _measure(
    contract: Contract, check: Check, look: Volume | Distribution | Freshness, column: str | None
) -> Measure | None:
    if isinstance(look, Volume):
        return None
    types = ("timestamp", "date") if isinstance(look, Freshness) else ("string",) if look.values else _NUMBERS
    quoted = named(contract, check, column, *types)
    if any(item.name == column for item in contract.personal_columns):
        raise ContractError(
            f"quality check {check.id} would keep counts of {column}, which is masked",
            where=check.where,
            fix="name a column that is not personal",
        )
    if isinstance(look, Freshness):
        return Measure(check.id, "max", f"unix_micros(CAST({quoted} AS TIMESTAMP))")
    if look.values:
        cases = [f"WHEN {quoted} = {sql.text(value)} THEN {n}" for n, value in enumerate(look.values)]
    else:
        cases = [f"WHEN {quoted} <= {bound!r} THEN {n}" for n, bound in enumerate(look.bounds)]
    return Measure(
        check.id,
        "bin",
        f"CASE WHEN {quoted} IS NULL THEN NULL {' '.join(cases)} ELSE {len(cases)} END",
        bins=len(cases) + 1,
    )


_NUMBERS = (*SUMMED, "double", "float")


def _limit(contract: Contract, check: Check, look: Freshness) -> float:
    if look.within_hours is not None:
        return look.within_hours
    for name in ("latency", "frequency"):
        for promise in contract.standard.sla_properties:
            if promise.property == name and isinstance(promise.value, int | float) and promise.unit in _HOURS:
                return promise.value * _HOURS[promise.unit]
    raise ContractError(
        f"quality check {check.id} does not say how fresh, and the contract promises nothing",
        where=check.where,
        fix="add `{property: latency, value: 1, unit: d}` to slaProperties, or `withinHours` to the check",
    )
