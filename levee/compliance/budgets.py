"""The budgets pack: what an environment may cost in a month, and how much one change may add.

The rules know limits, not prices: whoever evaluates them hands in a pricer (``Facts.spending``). In the packs and on
the command line that is ``levee.cost.spending``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Protocol, TypeAlias

from levee.compliance.rule import Excused, Facts, Finding, Parameter, Rule, Severity, Undecidable
from levee.plan import Level, Resource, Verdict

PACK: Final = "budgets"
INCREASE: Final = "budget-increase"
_URL: Final = "docs/reference/cost.md#budgets"
_SHOWN: Final = 5
_DEFAULT_WARNING: Final = 0.8


class Spending(Protocol):
    """What a graph costs in a month; ``levee.cost.CostReport`` is one."""

    @property
    def expected_usd(self) -> Decimal:
        """The expected total of what has an amount."""
        ...

    @property
    def undecided(self) -> Sequence[str]:
        """What has no amount for want of a price or a value, one description each."""
        ...

    def only(self, kind: str, name: str) -> Spending:
        """The part of one ``capability`` or ``cost_centre``."""
        ...

    def dearest_lines(self) -> Sequence[tuple[str, Decimal]]:
        """Each line with its expected amount, the dearest first."""
        ...


Pricer: TypeAlias = Callable[[Sequence[Resource], str, Mapping[str, Any]], Spending]
"""Prices a graph: its resources, the stack's name, and what the environment says of usage."""


@dataclass(frozen=True, slots=True)
class _Limit:
    """A budget and what it is compared with."""

    of: str
    monthly_usd: Decimal
    warn_at: Decimal
    spending: Spending

    @property
    def exceeded(self) -> bool:
        return self.spending.expected_usd > self.monthly_usd

    @property
    def nearly_spent(self) -> bool:
        return not self.exceeded and self.spending.expected_usd > self.monthly_usd * self.warn_at


def exceeded(resources: Sequence[Resource], facts: Facts, _excused: Excused) -> Iterator[Finding]:
    """Each limit that the graph exceeds; where none is, and something has no amount, not evaluated."""
    limits = tuple(_limits(resources, facts))
    broken = [limit for limit in limits if limit.exceeded]
    for limit in broken:
        excess = limit.spending.expected_usd - limit.monthly_usd
        yield Finding(
            f"{limit.of} costs {_usd(limit.spending.expected_usd)} a month, {_usd(excess)} over its budget of "
            f"{_usd(limit.monthly_usd)}.{_advice(limit.spending, excess)}"
        )
    if limits and not broken:
        spending = limits[0].spending
        yield from _undecided(f"at least {_usd(spending.expected_usd)} a month, within the budget", spending)


def _undecided(so_far: str, spending: Spending) -> Iterator[Finding]:
    """What keeps within a limit is not evaluated where something has no amount."""
    if spending.undecided:
        first = "; ".join(spending.undecided[:_SHOWN])
        message = f"{so_far}; {len(spending.undecided)} without a price: {first}"
        yield Finding(message, verdict=Verdict.NOT_EVALUATED)


def nearly_spent(resources: Sequence[Resource], facts: Facts, _excused: Excused) -> Iterator[Finding]:
    """Each limit of which more than the share ``warn_at`` is spent, and no more than all."""
    for limit in _limits(resources, facts):
        if limit.nearly_spent:
            share = limit.spending.expected_usd / limit.monthly_usd
            yield Finding(
                f"{limit.of} costs {_usd(limit.spending.expected_usd)} a month, {share:.0%} of its budget of "
                f"{_usd(limit.monthly_usd)}.{_dearest(limit.spending)}"
            )


def increase(resources: Sequence[Resource], facts: Facts, _excused: Excused) -> Iterator[Finding]:
    """The change, where it adds more than one change may; not evaluated where something has no amount."""
    most = facts.parameters["budgets"].get("max_increase_usd")
    if most is None or facts.parameters["first"]:
        return
    deployed = facts.parameters["deployed_usd"]
    if deployed is None:
        raise Undecidable(
            "", "what stands now, and so what this change adds, is known to levee preview and levee up only"
        )
    spending = _spending(resources, facts)
    added, limit = spending.expected_usd - _decimal(deployed), _decimal(most)
    if added > limit:
        yield Finding(
            f"this change adds {_usd(added)} a month, {_usd(added - limit)} more than one change may ({_usd(limit)})."
            f"{_advice(spending, added - limit)}"
        )
    else:
        yield from _undecided(f"this change adds {_usd(added)} a month or more, within what one may add", spending)


def _limits(resources: Sequence[Resource], facts: Facts) -> Iterator[_Limit]:
    budgets = facts.parameters["budgets"]
    if not budgets:
        return
    spending = _spending(resources, facts)
    yield _limit("the environment", budgets["total"], spending)
    for kind, key in (("capability", "capabilities"), ("cost_centre", "cost_centres")):
        for name, budget in (budgets.get(key) or {}).items():
            yield _limit(f"{kind.replace('_', ' ')} {name}", budget, spending.only(kind, name))


def _limit(of: str, budget: Mapping[str, Any], spending: Spending) -> _Limit:
    return _Limit(of, _decimal(budget["monthly_usd"]), _decimal(budget.get("warn_at", _DEFAULT_WARNING)), spending)


def _spending(resources: Sequence[Resource], facts: Facts) -> Spending:
    if facts.spending is None:
        raise Undecidable("", "no price list was handed to the rules")
    return facts.spending(resources, facts.stack, facts.parameters["usage"])


def _advice(spending: Spending, excess: Decimal) -> str:
    """The lines that cost most, and how many of them are worth the excess."""
    lines, sum_, count = spending.dearest_lines(), Decimal(0), 0
    for _, amount in lines:
        if sum_ >= excess:
            break
        sum_, count = sum_ + amount, count + 1
    enough = "the first of these" if count == 1 else f"the first {count} of these together"
    return f"{_dearest(spending)} To bring it under, save {_usd(excess)}: {enough} cost {_usd(sum_)}."


def _dearest(spending: Spending) -> str:
    lines = spending.dearest_lines()[:_SHOWN]
    return f" What costs most: {'; '.join(f'{name} {_usd(amount)}' for name, amount in lines)}."


def _decimal(value: Any) -> Decimal:
    return Decimal(str(value))


def _usd(amount: Decimal) -> str:
    return f"${amount.quantize(Decimal('0.01')):,}"


_PARAMETERS: Final = {
    "budgets": Parameter(
        {},
        "Limits as under `budgets` of the environment, which sets them; without it there is none.",
        {"type": "object"},
    ),
    "usage": Parameter({}, "Usage as under `usage` of the environment, which sets it.", {"type": "object"}),
}

RULES: Final = (
    Rule(
        id="budget-exceeded",
        pack=PACK,
        title="No budget is exceeded: the environment's, a capability's, a cost centre's",
        severity=Severity.HIGH,
        level=Level.MANDATORY,
        remediation="Choose smaller or fewer of what costs most, or have its owner raise the budget.",
        url=_URL,
        parameters=_PARAMETERS,
        check_stack=exceeded,
    ),
    Rule(
        id="budget-nearly-spent",
        pack=PACK,
        title="No budget is nearly spent",
        severity=Severity.LOW,
        level=Level.ADVISORY,
        remediation="Tell the budget's owner before the next change exceeds it.",
        url=_URL,
        parameters=_PARAMETERS,
        check_stack=nearly_spent,
    ),
    Rule(
        id=INCREASE,
        pack=PACK,
        title="No single change adds more than one change may",
        severity=Severity.HIGH,
        level=Level.MANDATORY,
        remediation="Split the change, choose smaller sizes, or have the owner raise `max_increase_usd`.",
        url=_URL,
        parameters={
            **_PARAMETERS,
            "deployed_usd": Parameter(
                None,
                "What stands now costs in a month; Levee sets it from the stack's state.",
                {"type": ["number", "null"]},
            ),
            "first": Parameter(False, "Whether nothing stands yet, so that there is no increase.", {"type": "boolean"}),
        },
        check_stack=increase,
    ),
)
