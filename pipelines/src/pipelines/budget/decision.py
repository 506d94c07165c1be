"""Whether a run may start, given what its cost centre may spend, has spent, and what the run is expected to cost."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from decimal import Decimal

from pipelines.budget.estimate import Estimate
from pipelines.budget.terms import Budget


class Verdict(enum.StrEnum):
    """What was decided."""

    ALLOWED = "allowed"
    """It fits."""
    WARNED = "warned"
    """It goes on, and somebody should know: near the limit, or beyond it where the policy is to warn."""
    CONFIRMED = "confirmed"
    """It goes on beyond the limit because somebody said so."""
    ASKED = "asked"
    """It waits for somebody's word."""
    REFUSED = "refused"
    """It does not start."""
    OVERSPENT = "overspent"
    """While it ran the budget was spent; it went on, by policy or by somebody's word."""
    STOPPED = "stopped"
    """While it ran the budget was spent, and it was stopped."""

    @property
    def goes_on(self) -> bool:
        """Whether the run does."""
        return self not in (Verdict.ASKED, Verdict.REFUSED, Verdict.STOPPED)


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision, with all that it rests on.

    Attributes:
        verdict: What was decided.
        reason: Why, one sentence.
        budget: The limit and the policy.
        spent_usd: Spent this month before it.
        expected: What the run is expected to cost.
        confirmed_by: Who said that it may exceed the budget; ``None`` where nobody did.
    """

    verdict: Verdict
    reason: str
    budget: Budget
    spent_usd: Decimal
    expected: Estimate
    confirmed_by: str | None

    @property
    def left_usd(self) -> Decimal:
        """What is left of the budget, never less than nothing."""
        return max(self.budget.monthly_usd - self.spent_usd, Decimal(0))


def decide(budget: Budget, spent_usd: Decimal, expected: Estimate, confirmed_by: str | None = None) -> Decision:
    """Decide on a run before it starts.

    Args:
        budget: The limit and the policy.
        spent_usd: Spent this month by all runs of the cost centre.
        expected: What the run is expected to cost.
        confirmed_by: Who has said that it may exceed the budget.
    """
    verdict, reason = _judged(budget, spent_usd, expected, confirmed_by)
    return Decision(verdict, reason, budget, spent_usd, expected, confirmed_by)


def _judged(budget: Budget, spent: Decimal, expected: Estimate, confirmed_by: str | None) -> tuple[Verdict, str]:
    limit, left = budget.monthly_usd, budget.monthly_usd - spent
    if left <= 0:
        why = f"the budget of {budget.cost_centre}, {usd(limit)} a month, is spent ({usd(spent)})"
    elif expected.usd is not None and expected.usd > left:
        why = f"the run is expected to cost {usd(expected.usd)}, and {budget.cost_centre} has {usd(left)} left"
    else:
        after = spent + (expected.usd or 0)
        if after > limit * Decimal(str(budget.warn_at)):
            return Verdict.WARNED, f"{usd(after)} of {usd(limit)} are spent after it, above {budget.warn_at:.0%}"
        said = "an unknown sum" if expected.usd is None else usd(expected.usd)
        return Verdict.ALLOWED, f"the run is expected to cost {said}, and {budget.cost_centre} has {usd(left)} left"
    if budget.policy == "warn":
        return Verdict.WARNED, why
    if budget.policy == "ask":
        return (Verdict.CONFIRMED, f"{why}; {confirmed_by} confirmed it") if confirmed_by else (Verdict.ASKED, why)
    return Verdict.REFUSED, why


def usd(amount: Decimal) -> str:
    """Dollars for people: cents, or as many places as a smaller sum needs to be told from nothing."""
    if not amount or abs(amount) >= Decimal("0.01"):
        return f"${amount.quantize(Decimal('0.01')):,}"
    return f"${amount.quantize(Decimal('1e-9')).normalize():f}"
