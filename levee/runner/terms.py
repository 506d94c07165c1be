"""What a run's machines cost and what its cost centre may spend, as the environment says: told to the wheel in JSON.

The rate of a node is that of the deployed job's own price (``levee.cost``): its DBU and its machines by the hour, for
each hour of a machine.
"""

from __future__ import annotations

import getpass
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from levee import cost
from levee.cost import Line, ResourceCost, usage, usage_file
from levee.environment import Environment
from levee.plan import Plan
from levee.runner.job import JOB, Job

NODE_TYPE: Final = "LEVEE_NODE_TYPE"
_MACHINES: Final = "Machines"
"""How the line begins whose quantity are hours of machines (``levee/cost/data/databricks.toml``)."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What runs of an environment may cost.

    Attributes:
        environment: The environment.
        confirmed: Whether this user says that the run may exceed the budget.
    """

    environment: Environment
    confirmed: bool = False

    def variables(self, plan: Plan, job: Job) -> dict[str, str]:
        """The environment variables of the tasks' process: ``pipelines.budget.terms`` reads them.

        Args:
            plan: The deployed stack, which is priced.
            job: The job, as it was deployed in it.
        """
        told = {"LEVEE_BUDGET": json.dumps(budget(self.environment))}
        node_type = next((task.environment[NODE_TYPE] for task in job.tasks if NODE_TYPE in task.environment), None)
        if node_type and (priced := rate(plan, job.urn, self.environment)):
            told["LEVEE_RATES"] = json.dumps({node_type: priced})
        return told | ({"LEVEE_CONFIRM_COST": getpass.getuser()} if self.confirmed else {})


def budget(environment: Environment) -> dict[str, Any]:
    """The budget of the environment's cost centre; where it has none of its own, the environment's."""
    budgets, centre = environment.budgets, environment.owners.cost_centre
    own = budgets.cost_centres.get(centre)
    chosen, key = (own, f"budgets.cost_centres.{centre}") if own else (budgets.total, "budgets.total")
    return {
        "cost_centre": centre,
        "monthly_usd": str(Decimal(str(chosen.monthly_usd))),
        "warn_at": chosen.warn_at,
        "policy": budgets.runs.policy,
        "grace_seconds": budgets.runs.grace_seconds,
        "source": f"environments/Pulumi.{environment.name}.yaml: {key}",
    }


def rate(plan: Plan, urn: str, environment: Environment) -> dict[str, str] | None:
    """What an hour of one of the job's nodes costs, with where the prices come from; ``None`` where one lacks.

    Args:
        plan: The deployed stack.
        urn: The job's.
        environment: Says how much is used.
    """
    catalogue = cost.shipped()
    # A rate asks how much an hour is, not how many there are: an environment may say that its jobs never run.
    an_hour_of_it = usage.parse({"types": {JOB: {"run_hours": 1}}}, catalogue, lambda path: ".".join(map(str, path)))
    said = usage_file.of_environment(environment, catalogue).overlaid(an_hour_of_it)
    priced = cost.price(plan, catalogue, said)
    found = next((each for each in priced.resources if each.urn == urn), None)
    hours = _hours(found) if found else Decimal(0)
    if found is None or found.unresolved or not hours:
        return None
    an_hour = found.monthly_usd.expected / hours
    return {"usd_per_hour": str(an_hour.quantize(Decimal("1e-9"))), "source": "; ".join(map(_source, found.lines))}


def _hours(job: ResourceCost) -> Decimal:
    machines = (line.quantity for line in job.lines if line.name.startswith(_MACHINES))
    return sum((each.expected for each in machines if each is not None), Decimal(0))


def _source(line: Line) -> str:
    return f"{line.name} ${line.unit_price_usd} a {line.unit.removesuffix('s')} ({line.source}, {line.as_of})"
