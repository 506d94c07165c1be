"""``levee quarantine``: what a person asks of rejected records, of a deployed dataset on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from levee.plan import Plan
from levee.runner.job import job_with
from levee.runner.request import request

MODULE: Final = "pipelines.quarantine"
_LOOKS: Final = ("list", "show")
"""Verbs that change no record, and may be asked while a job runs."""


def quarantine(
    plan: Plan,
    dataset: str,
    verb: str,
    *,
    root: Path,
    asked: Mapping[str, Any] | None = None,
    engine: str | None = None,
    console: Console | None = None,
) -> dict[str, Any]:
    """Run one verb of the wheel's tasks on rejected records, and return its answer (``pipelines.quarantine.tasks``).

    Args:
        plan: The deployed stack.
        dataset: ``DOMAIN.NAME``, or ``NAME`` where only one deployed domain has it.
        verb: ``list``, ``show``, ``correct`` or ``waive``.
        root: The checkout.
        asked: What is asked, beside the dataset.
        engine: ``sail`` or ``spark``; ``LEVEE_ENGINE`` where absent, else ``sail``.
        console: Where progress goes; standard error where absent.

    Raises:
        LeveeError: The stack is not up or has no such dataset, another run is at work, or the wheel said no.
    """
    job, name = job_with(plan, dataset)
    return request(
        MODULE,
        job,
        plan.stack,
        verb,
        command=f"levee quarantine {verb} {dataset} --env {plan.stack}",
        root=root,
        asked={"dataset": name, **(asked or {})},
        alone=verb not in _LOOKS,
        engine=engine,
        console=console,
    )
