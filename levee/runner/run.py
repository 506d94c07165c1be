"""``levee run DOMAIN``: the deployed stack's job, on this machine."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from levee.errors import UsageError
from levee.lock import exclusive
from levee.plan import Plan
from levee.runner.dataenv import DataEnv, ensure_data_env
from levee.runner.delivery import deliver
from levee.runner.host import events, host
from levee.runner.job import Job, Task, job_of
from levee.runner.progress import RunProgress
from levee.runner.result import RunResult, TaskError, TaskResult, TaskState, error_of
from levee.runner.surroundings import Surroundings

LONGEST_PAUSE: Final = 2.0
"""Seconds before a retry, whatever the job says: a laptop has no cluster that must come back first."""


def run(
    plan: Plan,
    domain: str,
    *,
    root: Path,
    engine: str | None = None,
    from_layer: str | None = None,
    console: Console | None = None,
) -> RunResult:
    """Run the job that the deployed stack holds for ``domain``, with its own entry points and parameters.

    Running it again after any end, ``kill -9`` included, gives what one undisturbed run gives: the tasks see to that,
    and no lock of this module outlives its process.

    Args:
        plan: The deployed stack (``levee.engine.deployed``).
        domain: Whose job to run.
        root: The checkout.
        engine: ``sail`` or ``spark``; ``LEVEE_ENGINE`` where absent, else ``sail``.
        from_layer: Start at this layer; what lies before it counts as done.
        console: Where progress goes; standard error where absent.

    Returns:
        What became of each task; a failed task does not raise here (``RunResult.raise_if_failed``).

    Raises:
        UsageError: The stack is not up, or holds no such job.
        EngineError: Another run is at work, or the data environment cannot be made.
    """
    console = console or Console(stderr=True)
    job = job_of(plan, domain)
    if from_layer:
        job = job.starting_at(from_layer)
    around = Surroundings(root.resolve(), plan.stack, engine or os.environ.get("LEVEE_ENGINE") or "sail")
    prepared = ensure_data_env(around.root, around.engine, console)
    _same_wheel(job, prepared)
    return run_job(job, around, prepared, console)


def _same_wheel(job: Job, prepared: DataEnv) -> None:
    """Refuse to run another version of the wheel than the one that the job was deployed with."""
    for task in job.tasks:
        if task.wheel and task.wheel != prepared.wheel.name:
            raise UsageError(
                f"the stack's job runs {task.wheel}, this checkout builds {prepared.wheel.name}",
                where=job.urn,
                fix="bring the stack up from this checkout (levee up ENV), or check out the deployed release",
            )


def run_job(job: Job, around: Surroundings, prepared: DataEnv, console: Console) -> RunResult:
    """Run the tasks of ``job`` in the prepared environment, one run of an environment at a time.

    Raises:
        EngineError: Another run of this environment is at work.
    """
    doing = f"levee run {job.domain} --env {around.env}"
    with exclusive(around.folder / "locks" / "run", doing=doing) as lock:
        run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
        folder = around.run_folder(run_id)
        folder.mkdir(parents=True)
        around.lake.mkdir(exist_ok=True)
        deliver(job, around, prepared, console)
        follower = _Follower(job, folder / "log.txt")
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


class _Follower:
    """Turns a host's events into task results."""

    def __init__(self, job: Job, log: Path) -> None:
        self.log = log
        self.tasks = {task.key: TaskResult(task.key) for task in job.tasks}
        self._specs: dict[str, Task] = {task.key: task for task in job.tasks}
        self._current: str | None = None
        self._since = 0.0

    def follow(self, process: subprocess.Popen[bytes], file: Path, progress: RunProgress) -> None:
        """Read until the host ends; stop it where a task runs out of its time."""
        for event in events(process, file):
            if event is not None:
                self._take(event, progress)
            elif late := self._late():
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                self._lost(f"it did not end within its {late} s", progress)
        if self._current is not None:
            self._lost(_end_of(process), progress)
        for key, task in self.tasks.items():
            if task.state is TaskState.WAITING:
                self.tasks[key] = replace(task, state=TaskState.SKIPPED)
                progress.ended(key, "skipped", 0.0, "not reached")

    def _late(self) -> int | None:
        """The limit that the running task is past."""
        limit = self._specs[self._current].timeout_seconds if self._current else 0
        return limit if limit and time.monotonic() - self._since > limit else None

    def _lost(self, reason: str, progress: RunProgress) -> None:
        """The running task ended without saying so."""
        if self._current is None:
            return
        seconds = time.monotonic() - self._since
        self._fail(self._current, TaskError(reason, where=str(self.log)), seconds)
        progress.ended(self._current, "failed", seconds, reason)
        self._current = None

    def _fail(self, key: str, error: TaskError, seconds: float) -> None:
        task = self.tasks[key]
        self.tasks[key] = replace(task, state=TaskState.FAILED, seconds=round(task.seconds + seconds, 3), error=error)

    def _take(self, event: Mapping[str, Any], progress: RunProgress) -> None:
        kind = event.get("event")
        if kind is None:  # a task's own progress; tasks run one after another, so it is the running one's
            self._advance(event, progress)
            return
        key = event["task"]
        task = self.tasks[key]
        if kind == "task_started":
            self._current, self._since = key, time.monotonic()
            self.tasks[key] = replace(task, state=TaskState.RUNNING, attempts=event["attempt"])
            progress.started(key)
        elif kind == "task_finished":
            self._current = None
            seconds = round(task.seconds + event["seconds"], 3)
            self.tasks[key] = replace(task, state=TaskState.SUCCEEDED, seconds=seconds, error=None)
            progress.ended(key, "succeeded", seconds, _amount(task))
        elif kind == "task_failed":
            self._current = None
            error = error_of(event["error"])
            self._fail(key, error, event["seconds"])
            progress.ended(key, "retried" if event["again"] else "failed", event["seconds"], error.message)
        elif kind == "task_skipped":
            because = tuple(event["because"])
            self.tasks[key] = replace(task, state=TaskState.SKIPPED, because=because)
            progress.ended(key, "skipped", 0.0, f"after {', '.join(because)}")

    def _advance(self, event: Mapping[str, Any], progress: RunProgress) -> None:
        if self._current is None:
            return
        done, unit, total = float(event.get("done") or 0), str(event.get("unit") or ""), event.get("total")
        self.tasks[self._current] = replace(self.tasks[self._current], done=done, unit=unit)
        progress.advanced(self._current, done, float(total) if total else None, unit)


def _amount(task: TaskResult) -> str:
    return f"{task.done:,.0f} {task.unit}" if task.unit else ""


def _end_of(process: subprocess.Popen[bytes]) -> str:
    code = process.returncode
    if code is not None and code < 0:
        return f"its process was ended by {signal.Signals(-code).name} (out of memory?)"
    return f"its process ended with exit code {code} before the task did"
