"""What a task run is expected to cost, from the runs of the same task and dataset that succeeded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from statistics import median
from typing import Final

RUNS: Final = 5
"""Runs that count, the newest."""
MOST_SCALE: Final = 100
"""Times the largest input seen; beyond, a straight line says nothing."""


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run that succeeded.

    Attributes:
        started_at: When, UTC.
        cost_usd: What it cost.
        bytes: Size of its input; 0 where it had none, or nobody knew.
    """

    started_at: datetime
    cost_usd: Decimal
    bytes: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """An expected cost.

    Attributes:
        usd: US dollars; ``None`` where nothing can be said.
        basis: How it was come by, or why there is none.
    """

    usd: Decimal | None
    basis: str


def estimate(history: Iterable[PastRun], pending: int | None) -> Estimate:
    """Expect the median cost of the last runs, each scaled to this run's input, and no less than the cheapest of them.

    Args:
        history: Runs of the same task and dataset that succeeded.
        pending: Bytes that this run will read; ``None`` where it cannot be known before, and nothing is scaled.
    """
    last = sorted(history, key=lambda run: run.started_at)[-RUNS:]
    if not last:
        return Estimate(None, "unknown: no run of this task has succeeded and was priced")
    sized = [run for run in last if run.bytes]
    if pending is None or not sized:
        why = "input of unknown size" if pending is None else "history without input"
        return Estimate(median(run.cost_usd for run in last), f"median of the last {len(last)} runs, {why}")
    largest = max(run.bytes for run in sized)
    if pending > MOST_SCALE * largest:
        return Estimate(None, f"unknown: {pending} bytes are over {MOST_SCALE} times the largest input seen, {largest}")
    scaled = median(run.cost_usd * pending / run.bytes for run in sized)
    cheapest = min(run.cost_usd for run in last)
    basis = f"median of the last {len(sized)} runs with input, scaled to {pending} bytes"
    return Estimate(max(scaled, cheapest), basis)
