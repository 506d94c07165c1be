"""``levee erase`` and ``levee privacy``: what a person asks of personal data, of a deployed domain on this machine."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from levee.lock import exclusive
from levee.plan import Plan
from levee.runner.ask import ask
from levee.runner.dataenv import ensure_data_env
from levee.runner.job import job_of
from levee.runner.surroundings import Surroundings, refusals

MODULE: Final = "pipelines.privacy"


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
    console = console or Console(stderr=True)
    job = job_of(plan, domain)
    around = Surroundings(root.resolve(), plan.stack, engine or os.environ.get("LEVEE_ENGINE") or "sail", job.volumes)
    command = f"levee {verb} {domain} --env {around.env}"
    with refusals(around, again=command):
        prepared = ensure_data_env(around.root, around.engine, console)
        with (
            exclusive(around.folder / "locks" / "run", doing=command),
            tempfile.TemporaryDirectory(dir=around.folder, prefix="request-") as folder,  # mode 0700
        ):
            asked = dict(request or {})
            if secret is not None:
                asked["value"] = f"file:{_private(Path(folder, 'value'), secret)}"
            file = _private(Path(folder, "request.json"), json.dumps(asked))
            with console.status(f"{verb} {domain}"):
                return ask(MODULE, job, around, prepared, [verb, f"--request={file}"], fix=f"mend that, then {command}")


def _private(path: Path, text: str) -> Path:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)
    return path
