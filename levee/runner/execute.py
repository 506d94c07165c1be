"""Runs the tasks of one job in the data environment, and keeps what became of them."""

from __future__ import annotations

import json
import secrets
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from levee.lock import exclusive
from levee.runner.dataenv import DataEnv
from levee.runner.delivery import deliver
from levee.runner.follow import Follower
from levee.runner.host import host
from levee.runner.job import Job
from levee.runner.progress import RunProgress
from levee.runner.result import RunResult
from levee.runner.surroundings import Surroundings

LONGEST_PAUSE: Final = 2.0
"""Seconds before a retry, whatever the job says: a laptop has no cluster that must come back first."""

HOST_SECONDS: Final = 3.0
"""Within which the job host of a run that was killed is gone, and its share of the lock with it."""


def run_job(job: Job, around: Surroundings, prepared: DataEnv, console: Console) -> RunResult:
    """Run the tasks of ``job`` in the prepared environment, one run of an environment at a time.

    Raises:
        EngineError: Another run of this environment is at work.
    """
    doing = f"levee run {job.domain} --env {around.env}"
    with exclusive(around.folder / "locks" / "run", doing=doing, patience=HOST_SECONDS) as lock:
        run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
        folder = around.run_folder(run_id)
        folder.mkdir(parents=True)
        around.lake.mkdir(exist_ok=True)
        deliver(job, around, prepared, console)
        follower = Follower(job, folder / "log.txt")
        file = folder / "events.jsonl"
        file.touch()
        written = folder / "job.json"
        written.write_text(json.dumps(_host_job(job, run_id, file), indent=2))
        started = time.monotonic()
        title = f"{job.name} on {around.engine}, run {run_id}"
        with (
            RunProgress(console, title, job.tasks) as progress,
            host(
                prepared.python,
                [str(written)],
                environment=around.environment(job.tasks, file),
                folder=folder,
                log=follower.log,
                keep=lock,
            ) as process,
        ):
            try:
                follower.follow(process, file, progress)
            except KeyboardInterrupt:
                console.print(f"\nStopped. Nothing is half-written; to go on: {doing}", highlight=False)
                raise
        result = RunResult(
            run_id=run_id,
            domain=job.domain,
            env=around.env,
            job=job.name,
            engine=around.engine,
            wheel_sha256=prepared.wheel_sha256,
            seconds=round(time.monotonic() - started, 3),
            tasks=tuple(follower.tasks.values()),
            log=follower.log,
        )
        result.write(folder / "result.json")
        return result


def _host_job(job: Job, run_id: str, file: Path) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "events": str(file),
        "tasks": [
            {
                "key": task.key,
                "package": task.package,
                "entry_point": task.entry_point,
                "argv": task.argv(run_id),
                "depends_on": task.depends_on,
                "run_if": task.run_if,
                "max_retries": task.max_retries,
                "retry_seconds": min(task.retry_seconds, LONGEST_PAUSE),
            }
            for task in job.tasks
        ],
    }
