"""``levee alerts``: what a person asks of the channels of a deployed domain."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from rich.console import Console

from levee.plan import Plan
from levee.runner.job import job_of
from levee.runner.request import request

MODULE: Final = "pipelines.alerts"


def alerts(
    plan: Plan,
    domain: str,
    verb: str,
    *,
    root: Path,
    channel: str | None = None,
    engine: str | None = None,
    console: Console | None = None,
) -> dict[str, Any]:
    """Run one verb of the wheel's tasks on channels, and return its answer (``pipelines.alerts.tasks``).

    It may be asked while a job runs: nothing of the lake is written.

    Args:
        plan: The deployed stack.
        domain: The domain.
        verb: ``list`` or ``test``.
        root: The checkout.
        channel: The channel that is tested; all of them where absent.
        engine: ``sail`` or ``spark``; ``LEVEE_ENGINE`` where absent, else ``sail``.
        console: Where progress goes; standard error where absent.

    Raises:
        LeveeError: The stack is not up or has no such domain, or the wheel said no.
    """
    return request(
        MODULE,
        job_of(plan, domain),
        plan.stack,
        verb,
        command=f"levee alerts {verb} {domain} --env {plan.stack}",
        root=root,
        asked={"channel": channel},
        alone=False,
        engine=engine,
        console=console,
    )
