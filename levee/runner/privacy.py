"""``levee erase`` and ``levee privacy``: what a person asks of personal data, of a deployed domain on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from levee.plan import Plan
from levee.runner.job import job_of
from levee.runner.request import request as ask_privately
from levee.runner.surroundings import Surroundings

MODULE: Final = "pipelines.privacy"
SEARCHES: Final = ("erase", "scan")
"""Verbs that search files; on this machine the logs of its runs, too."""


def privacy(
    plan: Plan,
    domain: str,
    verb: str,
    *,
    root: Path,
    request: Mapping[str, str] | None = None,
    secret: str | None = None,
    engine: str | None = None,
    console: Console | None = None,
) -> dict[str, Any]:
    """Run one verb of the wheel's privacy tasks; while it runs no job of the environment does.

    Args:
        plan: The deployed stack.
        domain: The domain.
        verb: ``erase``, ``scan``, ``rotate``, ``reveal`` or ``verify``.
        root: The checkout.
        request: What is asked; nothing secret.
        secret: A secret that the request's ``value`` is to refer to: it lies in a file of mode 0600 meanwhile.
        engine: ``sail`` or ``spark``; ``LEVEE_ENGINE`` where absent, else ``sail``.
        console: Where progress goes; standard error where absent.

    Raises:
        LeveeError: The stack is not up or has no such domain, another run is at work, or the wheel said no.
    """
    asked: dict[str, Any] = dict(request or {})
    if verb in SEARCHES:
        asked["also"] = [str(Surroundings(root.resolve(), plan.stack).runs)]
    return ask_privately(
        MODULE,
        job_of(plan, domain),
        plan.stack,
        verb,
        command=f"levee {verb if verb == 'erase' else f'privacy {verb}'} {domain} --env {plan.stack}",
        root=root,
        asked=asked,
        secret=secret,
        engine=engine,
        console=console,
    )
