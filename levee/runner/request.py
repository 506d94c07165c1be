"""What a person asks of a task of the wheel, of a deployed domain on this machine: a request in a private file."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from rich.console import Console

from levee.lock import exclusive
from levee.runner.ask import ask
from levee.runner.dataenv import engine_of, ensure_data_env
from levee.runner.job import Job
from levee.runner.surroundings import Surroundings, refusals


def request(
    module: str,
    job: Job,
    env: str,
    verb: str,
    *,
    command: str,
    root: Path,
    asked: Mapping[str, Any] | None = None,
    secret: str | None = None,
    alone: bool = True,
    engine: str | None = None,
    console: Console | None = None,
) -> dict[str, Any]:
    """Run one verb of a module of the wheel, and return its answer.

    Args:
        module: The module, such as ``pipelines.privacy``.
        job: The deployed job, whose parameters say where the domain is.
        env: Name of the environment.
        verb: The verb.
        command: What the person typed, for messages.
        root: The checkout.
        asked: What is asked; it lies in a file of mode 0600 meanwhile.
        secret: A secret that ``value`` of what is asked is to refer to: it lies in a file of its own.
        alone: Whether no job of the environment may run meanwhile, nor while the wheel outlives this process.
        engine: ``sail`` or ``spark``; ``LEVEE_ENGINE`` where absent, else ``sail``.
        console: Where progress goes; standard error where absent.

    Raises:
        LeveeError: Another run is at work, or the wheel said no.
    """
    console = console or Console(stderr=True)
    around = Surroundings(root.resolve(), env, engine_of(engine), job.volumes)
    with refusals(around, again=command):
        prepared = ensure_data_env(around.root, around.engine, console)
        lock = exclusive(around.folder / "locks" / "run", doing=command) if alone else nullcontext()
        with lock as held, tempfile.TemporaryDirectory(dir=around.folder, prefix="request-") as folder:  # mode 0700
            told = dict(asked or {})
            if secret is not None:
                told["value"] = f"file:{_private(Path(folder, 'value'), secret)}"
            file = _private(Path(folder, "request.json"), json.dumps(told))
            with console.status(f"{verb} {job.domain}"):
                asked_of = [f"--verb={verb}", f"--request={file}"]
                return ask(module, job, around, prepared, asked_of, fix=f"mend that, then {command}", keep=held)


def _private(path: Path, text: str) -> Path:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)
    return path
