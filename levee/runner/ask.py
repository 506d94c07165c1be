"""Asks the wheel a question about a deployed domain, in the wheel's own environment, and gets JSON."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from levee.errors import EngineError, LeveeError
from levee.runner.dataenv import DataEnv
from levee.runner.job import Job
from levee.runner.surroundings import Surroundings
from levee.runner.wheel import call

_ONE_TASK: Final = ("dataset", "table", "run-id", "attempt")
"""Parameters of one task or one run; the others say where the domain is."""


def ask(
    module: str,
    job: Job,
    around: Surroundings,
    prepared: DataEnv,
    arguments: Sequence[str] = (),
    *,
    variables: Mapping[str, str] | None = None,
    fix: str | None = None,
    keep: int | None = None,
) -> dict[str, Any]:
    """Run ``python -m MODULE --domain ... --json FILE`` with the job's own parameters and return the file.

    Args:
        module: Module of the wheel, such as ``pipelines.summary``.
        job: The deployed job, whose parameters say where the domain is.
        around: The environment's folders.
        prepared: The data environment.
        arguments: Further arguments; nothing secret, everybody on the machine can read them.
        variables: Further environment variables, on top of the job's.
        fix: What mends it where the wheel names nothing itself.
        keep: A descriptor that the wheel's process holds open too, such as the run's lock.

    Raises:
        LeveeError: The wheel said no, by its exit code: 1 a gate, 2 wrong use, else the engine or a service.
    """
    around = replace(around, volumes=job.volumes)
    with tempfile.TemporaryDirectory(dir=around.folder) as folder:
        file = Path(folder) / "answer.json"
        named = [f"--{name}={value}" for name, value in places(job).items()]
        environment = {**around.environment(job.tasks, Path(folder) / "progress.jsonl"), **(variables or {})}
        try:
            call(prepared, module, [*named, *arguments, "--json", str(file)], environment=environment, keep=keep)
        except LeveeError as error:
            told = f"{module} of {job.domain} failed: {error.message}"
            raise type(error)(told, where=error.where or str(around.lake), fix=error.fix or fix) from error
        if not file.exists():
            raise EngineError(f"{module} of {job.domain} gave no answer", where=str(around.lake), fix=fix)
        return json.loads(file.read_bytes())


def places(job: Job) -> dict[str, str]:
    """The job's parameters that say where its domain is; those of one task or one run are left out."""
    return {name: value for task in job.tasks for name, value in task.parameters.items() if name not in _ONE_TASK}
