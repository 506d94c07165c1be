"""What job runs may spend in a month, as the wheel is told it (``pipelines.budget.terms``)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from levee.environment.model import Environment


def run_budget(environment: Environment) -> Mapping[str, str | float]:
    """What ``budgets.runs`` says, else the budget of the environment's cost centre, else the environment's.

    Returns:
        ``cost_centre``, ``monthly_usd`` (US dollars, exact), ``warn_at`` (share), ``policy``, ``grace_seconds`` and
        ``source``, the file and key that say so.
    """
    budgets, centre = environment.budgets, environment.owners.cost_centre
    own = budgets.cost_centres.get(centre)
    chosen, key = (own, f"budgets.cost_centres.{centre}") if own else (budgets.total, "budgets.total")
    limit = chosen.monthly_usd
    if budgets.runs.monthly_usd is not None:
        limit, key = budgets.runs.monthly_usd, "budgets.runs.monthly_usd"
    return {
        "cost_centre": centre,
        "monthly_usd": str(Decimal(str(limit))),
        "warn_at": chosen.warn_at,
        "policy": budgets.runs.policy,
        "grace_seconds": budgets.runs.grace_seconds,
        "source": f"environments/Pulumi.{environment.name}.yaml: {key}",
    }
