"""What stands now, on the simulated cloud or the real one, and its cost: that against which a change is measured."""

from __future__ import annotations

from typing import Any

from levee import compliance, cost
from levee import engine as pulumi
from levee.compliance.budgets import INCREASE
from levee.cost import usage_file
from levee.engine import Options, Project, Workspace
from levee.environment import Environment
from levee.plan import Plan


def deployed(project: Project, stack: str, *, offline: bool = True) -> Plan | None:
    """The stack as it was last brought up; ``None`` where it never was.

    Args:
        project: The Pulumi project.
        stack: The stack's name.
        offline: Whether on the simulated cloud; else its state in the user's own backend is read, and no cloud.

    Raises:
        EngineError: The backend does not give the state.
    """
    if offline:
        return pulumi.deployed(project.root, stack) if Workspace(project, stack).deployed else None
    plan = pulumi.deployed(project.root, stack, Options(offline=False))
    return plan if plan.resources else None


def month(environment: Environment | None, plan: Plan) -> cost.CostReport:
    """What a plan costs in a month, with what its environment says of usage."""
    usage = usage_file.of_environment(environment, cost.shipped()) if environment else None
    return cost.price(plan, usage=usage)


def pack_config(environment: Environment | None, project: Project, stack: str, *, offline: bool) -> dict[str, Any]:
    """The packs' configuration, and where one change may add only so much, also what stands now.

    Args:
        environment: The environment; ``None`` of a project that has none.
        project: The Pulumi project.
        stack: The stack's name.
        offline: Whether the simulated cloud is meant.

    Raises:
        EngineError: What stands on the real one is not to be read.
    """
    config = compliance.pack_config(environment)
    if environment is not None and environment.budgets.max_increase_usd is not None:
        plan = deployed(project, stack, offline=offline)
        config[INCREASE] |= (
            {"deployed_usd": float(month(environment, plan).expected_usd)} if plan is not None else {"first": True}
        )
    return config
