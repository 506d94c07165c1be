"""Holds a task run to its budget: a decision before it starts, a watch while it runs.

The watch is a thread. When the month's money is spent it asks the run to stop at the next boundary between two batches
(`boundary`); a task that has not done so within the grace is interrupted in the engine, again and again until it ends.
Commits are whole or not at all, so the tables are as after the last of them, and the next run goes on from there.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from pipelines.budget import record
from pipelines.budget.decision import Decision, Verdict, decide, usd
from pipelines.budget.estimate import estimate
from pipelines.budget.purse import Purse, purse_of
from pipelines.errors import BudgetError
from pipelines.observe.facts import TaskRun

if TYPE_CHECKING:
    from pipelines.engine import Engine

log = logging.getLogger("levee.budget")

SHORTEST: Final = 0.05
LONGEST: Final = 5.0
"""Seconds between two looks of the watch: when the money would be spent at the present pace, within these."""

BY_HAND: Final = frozenset({"restore", "erase", "correct", "waive", "reveal"})
"""What a person asks for outside a job. An erasure or a restore waits for no money: it is priced, and never held."""

_current: ContextVar[Guard | None] = ContextVar("levee_budget_guard", default=None)


def boundary() -> None:
    """Stop here if the run's budget is spent: between two batches, where nothing is half done.

    Raises:
        BudgetError: the watch has asked the run to stop.
    """
    guard = _current.get()
    if guard is not None and guard.stopping.is_set():
        raise guard.error()


@dataclass(slots=True)
class Guard:
    """One task run under its budget.

    Attributes:
        engine: The open engine.
        run: The run.
        purse: What its cost centre has left.
        decision: What was decided before it started.
        clock: The time, UTC.
        stopping: Set when the run is to stop.
        ended: Set when it has ended.
    """

    engine: Engine
    run: TaskRun
    purse: Purse
    decision: Decision
    clock: Callable[[], datetime]
    stopping: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    def error(self) -> BudgetError:
        """What a run that is stopped fails with."""
        budget = self.decision.budget
        return BudgetError(
            f"the run was stopped: the budget of {budget.cost_centre}, {usd(budget.monthly_usd)} a month, is spent",
            where=f"{self.run.subject}, {budget.source}",
            fix=_mend(budget.policy, self.run.settings.domain),
        )

    def watch(self) -> None:
        """Look at the purse until the run has ended or its money is spent; the thread's work."""
        while not self.ended.wait(self._pause()):
            try:
                self.purse.refresh(self.engine, self.run.settings, self.clock())
            except Exception as error:  # noqa: BLE001 - what this process spends is metered all the same
                log.warning("what others spend of the budget cannot be read: %s", error)
            if self.purse.spent() >= self.decision.budget.monthly_usd:
                self._spent()
                return

    def _pause(self) -> float:
        rate = self.purse.rate
        left = self.decision.budget.monthly_usd - self.purse.spent()
        a_second = rate.usd_per_hour / 3600 if rate else Decimal(0)
        return min(max(float(left / a_second), SHORTEST), LONGEST) if a_second else LONGEST

    def _spent(self) -> None:
        goes_on = self.decision.budget.policy == "warn" or self.decision.confirmed_by is not None
        verdict = Verdict.OVERSPENT if goes_on else Verdict.STOPPED
        spent = self.purse.spent()
        reason = f"{usd(spent)} of {usd(self.decision.budget.monthly_usd)} were spent while it ran"
        if not goes_on:
            self.stopping.set()
        told = replace(self.decision, verdict=verdict, reason=reason, spent_usd=spent)
        try:
            record.keep(self.engine, self.run, told, self.clock())
        except Exception as error:  # noqa: BLE001 - a full disk must not keep the run from being stopped
            log.warning("the decision %s could not be recorded: %s", verdict, error)
        pause = self.decision.budget.grace_seconds
        while not goes_on and not self.ended.wait(pause):
            # Whatever runs in this session spends from the same budget.
            self.engine.interrupt()
            pause = 1.0


@contextmanager
def guarded(
    engine: Engine,
    run: TaskRun,
    pending: Callable[[], int | None],
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Generator[Guard | None]:
    """Decide on a run, then watch it while the block runs; nothing without a budget, or of what is asked by hand.

    Args:
        engine: The open engine.
        run: The run.
        pending: Tells how many bytes it will read, ``None`` where that cannot be known before; asked once.
        clock: The time, UTC.

    Raises:
        BudgetError: it may not start.
    """
    budget = run.settings.budget
    if budget is None or run.task in BY_HAND:
        yield None
        return
    purse = purse_of(run.settings, budget)
    purse.refresh(engine, run.settings, clock())
    expected = estimate(purse.history(run.task, run.contract.dataset), pending())
    decision = decide(budget, purse.spent(), expected, run.settings.confirmed_by)
    record.keep(engine, run, decision, clock())
    if not decision.verdict.goes_on:
        raise BudgetError(
            f"the run does not start: {decision.reason}",
            where=f"{run.subject}, {budget.source}",
            fix=_mend(budget.policy, run.settings.domain),
        )
    guard = Guard(engine, run, purse, decision, clock)
    if not decision.left_usd:  # it goes on in spite of that: there is nothing to watch
        yield guard
        return
    thread = threading.Thread(target=guard.watch, name=f"levee-budget-{run.id}", daemon=True)
    token = _current.set(guard)
    thread.start()
    try:
        yield guard
    finally:
        guard.ended.set()
        _current.reset(token)
        thread.join()


def _mend(policy: str, domain: str) -> str:
    raise_it = "have the budget's owner raise it in the environment"
    return f"levee run {domain} --confirm-cost, or {raise_it}" if policy == "ask" else raise_it
