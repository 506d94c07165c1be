"""What the tables of a deployed stack hold, as the report's data: asked of the wheel, in its own environment."""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from levee.errors import EngineError
from levee.plan import Plan
from levee.runner.dataenv import DataEnv, ensure_data_env
from levee.runner.job import Job, jobs_of
from levee.runner.surroundings import Surroundings, refusals

_ONE_TASK: Final = ("dataset", "table")
"""Parameters that name one task's part of the domain; the others say where the domain is."""


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
                answer = _ask(job, replace(around, volumes=job.volumes), prepared)
            for name, value in answer.items():
                joined[name] = [*joined.get(name, []), *value] if isinstance(value, list) else value
    return joined


def _ask(job: Job, around: Surroundings, prepared: DataEnv) -> dict[str, Any]:
    places = {name: value for task in job.tasks for name, value in task.parameters.items() if name not in _ONE_TASK}
    with tempfile.TemporaryDirectory(dir=around.folder) as folder:
        file = Path(folder) / "summary.json"
        arguments = [f"--{name}={value}" for name, value in places.items()]
        answer = subprocess.run(
            [str(prepared.python), "-P", "-m", "pipelines.summary", *arguments, "--json", str(file)],
            cwd=folder,
            env=around.environment(job.tasks, Path(folder) / "progress.jsonl"),
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.returncode or not file.exists():
            said = "\n  ".join(answer.stderr.strip().splitlines()[-4:]) or "(it said nothing)"
            raise EngineError(
                f"the tables of {job.domain} cannot be read:\n  {said}",
                where=str(around.lake),
                fix=f"levee run {job.domain} --env {around.env}, then levee report {around.env}",
            )
        return json.loads(file.read_bytes())
