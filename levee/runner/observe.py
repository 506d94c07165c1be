"""``levee observe ENV``: a server of Prometheus metrics over the run tables of a deployed stack."""

from __future__ import annotations

import json
import signal
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from levee.errors import EngineError
from levee.plan import Plan
from levee.runner.ask import places
from levee.runner.dataenv import ensure_data_env
from levee.runner.job import jobs_of
from levee.runner.surroundings import Surroundings, refusals

PATIENCE = 10.0
"""Seconds that the server has to end when it is asked to."""


@contextmanager
def observing(
    plan: Plan, port: int, *, root: Path, console: Console | None = None
) -> Generator[tuple[str, subprocess.Popen[str]]]:
    """Serve ``/metrics`` on the loopback address while the block runs (``python -m pipelines.observe``).

    Args:
        plan: The deployed stack; every domain's job is observed.
        port: Where; 0 for a free one.
        root: The checkout.
        console: Where progress goes; standard error where absent.

    Yields:
        The URL, and the process that serves it.

    Raises:
        UsageError: The stack is not up.
        EngineError: The server does not start.
    """
    console = console or Console(stderr=True)
    jobs = jobs_of(plan)
    around = Surroundings(root.resolve(), plan.stack)
    with refusals(around, again=f"levee observe {around.env}"):
        prepared = ensure_data_env(around.root, around.engine, console)
        around.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=around.folder) as folder:
            file = Path(folder) / "jobs.json"
            file.write_text(json.dumps([[f"--{name}={value}" for name, value in places(job).items()] for job in jobs]))
            mapped = {
                url: place
                for job in jobs
                for url, place in replace(around, volumes=job.volumes).path_map(job.tasks).items()
            }
            first = replace(around, volumes=jobs[0].volumes)
            variables = first.environment(jobs[0].tasks, Path(folder) / "progress.jsonl")
            process = subprocess.Popen(
                [
                    str(prepared.python),
                    "-P",
                    "-m",
                    "pipelines.observe",
                    str(file),
                    "--port",
                    str(port),
                    "--die-with-stdin",
                ],
                cwd=folder,
                env={**variables, "LEVEE_PATH_MAP": json.dumps(mapped)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
            try:
                yield _url(process), process
            finally:
                _end(process)


def _url(process: subprocess.Popen[str]) -> str:
    """Where it serves, by the first line that it writes."""
    assert process.stdout is not None
    assert process.stderr is not None
    line = process.stdout.readline()
    if not line:
        said = process.stderr.read().strip() or "(it said nothing)"
        raise EngineError(f"metrics cannot be served:\n  {said}", fix="levee observe --port 0, or levee doctor")
    return json.loads(line)["url"]


def _end(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
