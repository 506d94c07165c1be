"""What the change adds to a month's bill, at list prices, and which resources move it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from levee.compliance.budgets import INCREASE
from levee.cost import CostReport, ResourceCost, spending
from levee.plan import Plan
from levee.review.model import CostChange, CostMove

_EXCEEDED: Final = "budget-exceeded"


def cost_of(plan: Plan, policies: Mapping[str, Mapping[str, Any]]) -> CostReport:
    """A month of a plan, with the usage that the base's environment states.

    Args:
        plan: A preview.
        policies: The packs' configuration of the base.
    """
    return spending(plan.resources, plan.stack, policies.get(_EXCEEDED, {}).get("usage") or {})


def change(before: CostReport | None, after: CostReport) -> CostChange:
    """The difference between two reports; the biggest movers first.

    Args:
        before: The base's; ``None`` where there is no base.
        after: The head's.
    """
    old = {r.urn: r for r in before.resources} if before else {}
    new = {r.urn: r for r in after.resources}
    moves: list[CostMove] = []
    for urn in {**old, **new}:
        one, other = old.get(urn), new.get(urn)
        known = other or one
        assert known is not None
        move = CostMove(
            known.name,
            known.type,
            one.monthly_usd.expected if one else Decimal(0),
            other.monthly_usd.expected if other else Decimal(0),
            tuple(sorted(_open(one) ^ _open(other))) if one and other else (),
        )
        if move.before != move.after:
            moves.append(move)
    moves.sort(key=lambda m: (-abs(m.after - m.before), m.type, m.name))
    known_before = set(before.undecided) if before else set()
    return CostChange(
        before=before.expected_usd if before else Decimal(0),
        after=after.expected_usd,
        moves=tuple(moves),
        undecided=tuple(said for said in after.undecided if said not in known_before),
    )


def _open(cost: ResourceCost) -> set[str]:
    return {line.name for line in cost.unresolved}


def with_baseline(policies: Mapping[str, Any], before: CostReport | None) -> dict[str, Any]:
    """The packs' configuration with what stands now, from which the budgets tell how much the change adds."""
    known = {"deployed_usd": float(before.expected_usd)} if before else {"first": True}
    return {name: {**given, **known} if name == INCREASE else given for name, given in policies.items()}
