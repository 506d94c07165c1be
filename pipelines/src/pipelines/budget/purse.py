"""What a cost centre has left while this process works: the records as they were read, less what was spent since."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from pipelines.budget import spending
from pipelines.budget.estimate import PastRun
from pipelines.budget.metering import PROCESS, Meter
from pipelines.budget.terms import Budget, NodeRate
from pipelines.settings import RunSettings

if TYPE_CHECKING:
    from pipelines.engine import Engine

FRESH_SECONDS: Final = 60.0
"""After which the records are read again: other processes spend from the same budget."""


@dataclass(slots=True)
class Purse:
    """One cost centre's money, under one root of checkpoints.

    Attributes:
        budget: The limit.
        rate: What this process's nodes cost; ``None`` where nobody said.
        meter: Node-seconds of this process.
        clock: Seconds that never go back.
    """

    budget: Budget
    rate: NodeRate | None
    meter: Meter = field(default_factory=lambda: PROCESS)
    clock: Callable[[], float] = time.monotonic
    _recorded: Decimal = Decimal(0)
    _baseline: float = 0.0
    _read_at: float | None = None
    _runs: Sequence[Mapping[str, Any]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def refresh(self, engine: Engine, settings: RunSettings, now: datetime) -> None:
        """Read the records, unless that was done a moment ago."""
        with self._lock:
            if self._read_at is not None and self.clock() - self._read_at < FRESH_SECONDS:
                return
            # Before the tables: a task that ends meanwhile is counted twice for a minute, and never not at all.
            baseline = self.meter.ended()
            tables = {domain: spending.read(engine, settings, domain) for domain in spending.domains(settings)}
            self._recorded = sum(
                (spending.spent(rows, self.budget.cost_centre, now) for rows in tables.values()), Decimal(0)
            )
            self._runs = tables[settings.domain]
            self._baseline, self._read_at = baseline, self.clock()

    def spent(self) -> Decimal:
        """US dollars spent this month, by the records and by this process since they were read."""
        with self._lock:
            since = self.rate.cost(max(self.meter.all() - self._baseline, 0.0)) if self.rate else Decimal(0)
            return self._recorded + since

    def history(self, task: str, dataset: str) -> Iterable[PastRun]:
        """The runs of a task and dataset of the domain that was read last."""
        return spending.history(self._runs, task, dataset)


_purses: dict[tuple[str, str, str, Budget, NodeRate | None], Purse] = {}


def purse_of(settings: RunSettings, budget: Budget) -> Purse:
    """The purse of a run, shared by the runs of this process that spend from it."""
    rate = settings.rates.get(settings.node_type)
    key = (settings.record_path(spending.RUNS), settings.domain, settings.node_type, budget, rate)
    return _purses.setdefault(key, Purse(budget, rate))
