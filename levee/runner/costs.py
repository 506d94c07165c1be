"""``levee budget ENV``: what a cost centre may spend on runs, has spent, and will have by the end of the month."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console

from levee.plan import Plan
from levee.runner.ask import ask
from levee.runner.dataenv import ensure_data_env
from levee.runner.job import Job, jobs_of
from levee.runner.surroundings import Surroundings, refusals

_DECISIONS = "decisions"


def spending(plan: Plan, *, root: Path, console: Console | None = None) -> tuple[dict[str, Any], ...]:
    """The report of each root of checkpoints (``python -m pipelines.budget``): its domains share one budget.

    Args:
        plan: The deployed stack.
        root: The checkout.
        console: Where progress goes; standard error where absent.

    Returns:
        Documents of schema 1, their decisions the newest first; none where nothing has run yet.

    Raises:
        UsageError: The stack is not up.
        EngineError: The wheel cannot read the tables.
    """
    console = console or Console(stderr=True)
    around = Surroundings(root.resolve(), plan.stack)
    jobs = jobs_of(plan)
    if not (around.folder / "runs").is_dir():
        return ()
    found: dict[str, dict[str, Any]] = {}
    with refusals(around, again=f"levee budget {around.env}"):
        prepared = ensure_data_env(around.root, around.engine, console)
        for job in jobs:
            with console.status(f"Reading what {job.domain} cost"):
                again = f"levee run {job.domain} --env {around.env}, then levee budget {around.env}"
                answer = ask("pipelines.budget", job, around, prepared, fix=again)
            known = found.setdefault(_checkpoints(job), answer)
            if known is not answer:
                known[_DECISIONS] = [*known[_DECISIONS], *answer[_DECISIONS]]
    for report in found.values():
        report[_DECISIONS].sort(key=lambda row: row["decided_at"], reverse=True)
    return tuple(found.values())


def _checkpoints(job: Job) -> str:
    return next((each for task in job.tasks if (each := task.parameters.get("checkpoints"))), job.urn)
