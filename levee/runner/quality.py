"""``levee quality``: what the wheel tells of the quality of a deployed dataset on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from rich.console import Console

from levee.plan import Plan
from levee.runner.job import job_with
from levee.runner.request import request

MODULE: Final = "pipelines.quality"


def quality(
    plan: Plan, dataset: str, *, root: Path, last: int, engine: str | None = None, console: Console | None = None
) -> dict[str, Any]:
    """Return what is known of a dataset's quality (``pipelines.quality.view``), and its ``domain``.

    It may be asked while a job runs: nothing of the lake is written.

    Args:
        plan: The deployed stack.
        dataset: ``DOMAIN.NAME``, or ``NAME`` where only one deployed domain has it.
        root: The checkout.
        last: Batches and evaluations that are told.
        engine: ``sail`` or ``spark``; ``LEVEE_ENGINE`` where absent, else ``sail``.
        console: Where progress goes; standard error where absent.

    Raises:
        LeveeError: The stack is not up or has no such dataset, or the wheel said no.
    """
    job, name = job_with(plan, dataset)
    told = request(
        MODULE,
        job,
        plan.stack,
        "show",
        command=f"levee quality {dataset} --env {plan.stack}",
        root=root,
        asked={"dataset": name, "last": last},
        alone=False,
        engine=engine,
        console=console,
    )
    return {"domain": job.domain, **told}
