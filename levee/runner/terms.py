"""What a run may cost, as the environment says it now and as the deployed job was told it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from levee.environment import Environment, run_budget
from levee.errors import UsageError
from levee.runner.actor import actor
from levee.runner.job import Job

BUDGET: Final = "budget"
"""Parameter of a job's tasks: what its runs may spend, as JSON."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What runs of an environment may cost.

    Attributes:
        environment: The environment.
        confirmed: Whether this user says that the run may exceed the budget.
    """

    environment: Environment
    confirmed: bool = False

    def variables(self, job: Job) -> dict[str, str]:
        """The environment variables of the tasks' process that say what a person adds to the job's own parameters.

        Args:
            job: The job, as it was deployed.

        Raises:
            UsageError: The environment's budget is another than the job was deployed with.
        """
        now, deployed = run_budget(self.environment), budget_of(job)
        if deployed is not None and deployed != dict(now):
            changed = [name for name in now if deployed.get(name) != now[name]]
            raise UsageError(
                f"the budget has changed since the stack {self.environment.name} was brought up: "
                + "; ".join(f"{name} was {deployed.get(name)}, is {now[name]}" for name in changed),
                where=str(now["source"]),
                fix=f"levee up {self.environment.name}, then run again",
            )
        return {"LEVEE_CONFIRM_COST": actor()} if self.confirmed else {}


def budget_of(job: Job) -> Mapping[str, Any] | None:
    """What the runs of a deployed job may spend; ``None`` where it was not told."""
    told = next((task.parameters[BUDGET] for task in job.tasks if BUDGET in task.parameters), None)
    return json.loads(told) if told else None
