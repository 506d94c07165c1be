"""What the tables of a deployed stack hold, as the report's data: asked of the wheel, in its own environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console

from levee.plan import Plan
from levee.runner.ask import ask
from levee.runner.dataenv import ensure_data_env
from levee.runner.job import jobs_of
from levee.runner.surroundings import Surroundings, refusals


def summary(plan: Plan, *, root: Path, console: Console | None = None) -> dict[str, Any] | None:
    """The chart data of every deployed domain (``python -m pipelines.summary``), its lists joined.

    Args:
        plan: The deployed stack.
        root: The checkout.
        console: Where progress goes; standard error where absent.

    Returns:
        The summary, schema 1; ``None`` where nothing has run yet.

    Raises:
        UsageError: The stack is not up.
        EngineError: The wheel cannot read the tables.
    """
    console = console or Console(stderr=True)
    around = Surroundings(root.resolve(), plan.stack)
    jobs = jobs_of(plan)
    if not (around.folder / "runs").is_dir():
        return None
    joined: dict[str, Any] = {}
    with refusals(around, again=f"levee report {around.env}"):
        prepared = ensure_data_env(around.root, around.engine, console)
        for job in jobs:
            with console.status(f"Reading the tables of {job.domain}"):
                again = f"levee run {job.domain} --env {around.env}, then levee report {around.env}"
                answer = ask("pipelines.summary", job, around, prepared, fix=again)
            for name, value in answer.items():
                joined[name] = [*joined.get(name, []), *value] if isinstance(value, list) else value
    return joined
