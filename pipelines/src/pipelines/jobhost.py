"""Runs the tasks of one job in one process, as a cluster would: ``python -m pipelines.jobhost JOB.json``.

The job file is JSON::

    {
        "run_id": "20261121T101500-1f0c",
        "events": "/…/events.jsonl",
        "tasks": [
            {
                "key": "bronze_retail",
                "package": "levee_pipelines",
                "entry_point": "bronze",
                "argv": ["--domain=sales"],
                "depends_on": [],
                "run_if": "ALL_SUCCESS",
                "max_retries": 2,
                "retry_seconds": 1.0,
            }
        ],
    }

Tasks run one after another in the file's order, which must be topological; one whose upstream failed is skipped, as
Databricks Jobs do it (``run_if``), and the others go on. An entry point is a callable ``main(argv) -> int`` of the
``levee.tasks`` group of the named distribution. What happens is appended to ``events`` as JSON lines::

    {"event": "task_started", "task": KEY, "attempt": 1}
    {
        "event": "task_failed",
        "task": KEY,
        "attempt": 1,
        "again": true,
        "seconds": 1.5,
        "error": {"kind", "message", "where", "fix", "exit_code"},
    }
    {"event": "task_finished", "task": KEY, "attempt": 2, "seconds": 3.25}
    {"event": "task_skipped", "task": KEY, "because": [KEY]}

Exit code: 0 where every task succeeded, else that of the first failure (``pipelines.errors``).

With ``--die-with-stdin`` the process group ends as soon as standard input closes, so that a host never outlives the
``levee run`` that started it, however that ends.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from pipelines.errors import PipelineError, UsageError

GROUP = "levee.tasks"
BUGS = (AssertionError, AttributeError, ImportError, NameError, NotImplementedError, TypeError)
"""What a task raises when it is wrong itself: the same the second time, so never tried again."""
TASK_VARIABLE = "LEVEE_TASK_KEY"
"""Environment variable in which a task finds its own key."""

ATTEMPT_VARIABLE = "LEVEE_TASK_ATTEMPT"
"""Environment variable in which a task finds which try of it this is, from 1."""

_BUG_NAMES = {kind.__name__ for kind in (*BUGS, ModuleNotFoundError)}
RunIf = Literal["ALL_SUCCESS", "ALL_DONE"]


class HostTask(BaseModel):
    """One task of the job file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    package: str
    entry_point: str
    argv: tuple[str, ...]
    depends_on: tuple[str, ...] = ()
    run_if: RunIf = "ALL_SUCCESS"
    max_retries: int = 0
    retry_seconds: float = 0.0


class HostJob(BaseModel):
    """The job file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run_id: str
    events: Path
    tasks: tuple[HostTask, ...]


@dataclass
class Events:
    """The JSONL file that the starter of this process reads; a line is one ``write``, so readers never see half."""

    path: Path
    handle: int = field(init=False)

    def __post_init__(self) -> None:
        self.handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def add(self, event: str, task: HostTask, **more: Any) -> None:
        """Append one event."""
        os.write(self.handle, (json.dumps({"event": event, "task": task.key, **more}) + "\n").encode())


def run(job: HostJob, events: Events, load: Callable[[HostTask], Callable[[list[str]], int]]) -> int:
    """Run every task whose upstream allows it.

    Args:
        job: The tasks, in topological order.
        events: Where each fact goes.
        load: Finds the callable of a task.

    Returns:
        The exit code of the first task that failed, else 0.
    """
    succeeded: set[str] = set()
    listed = {task.key for task in job.tasks}
    first = 0
    for task in job.tasks:
        # A dependency that this job does not list was done before (`levee run --from`).
        because = sorted(key for key in task.depends_on if key in listed and key not in succeeded)
        if because and task.run_if == "ALL_SUCCESS":
            events.add("task_skipped", task, because=because)
            continue
        code = _attempts(task, events, load)
        if code == 0:
            succeeded.add(task.key)
        first = first or code
    return first


def _attempts(task: HostTask, events: Events, load: Callable[[HostTask], Callable[[list[str]], int]]) -> int:
    """Run one task until it succeeds or its retries are used up.

    Only a failure of an engine or a service (exit code 3) is tried again: a gate that said no, an input that is wrong
    and a bug say the same the second time.
    """
    os.environ[TASK_VARIABLE] = task.key
    for attempt in range(1, task.max_retries + 2):
        events.add("task_started", task, attempt=attempt)
        os.environ[ATTEMPT_VARIABLE] = str(attempt)
        started = time.monotonic()
        error = _call(task, load)
        seconds = round(time.monotonic() - started, 3)
        if error is None:
            events.add("task_finished", task, attempt=attempt, seconds=seconds)
            return 0
        transient = error["exit_code"] == PipelineError.exit_code and error["kind"] not in _BUG_NAMES
        again = transient and attempt <= task.max_retries
        events.add("task_failed", task, attempt=attempt, again=again, seconds=seconds, error=error)
        if not again:
            return int(error["exit_code"])
        time.sleep(task.retry_seconds * 2 ** (attempt - 1))
    raise AssertionError("unreachable: the last attempt returns")


def _call(task: HostTask, load: Callable[[HostTask], Callable[[list[str]], int]]) -> dict[str, Any] | None:
    """Call the entry point once; ``None`` where it succeeded, else its failure as a fact."""
    try:
        code = load(task)(list(task.argv))
    except PipelineError as error:
        return _fact(error, error.message, where=error.where, fix=error.fix, code=error.exit_code)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except MemoryError as error:
        traceback.print_exc()
        return _fact(error, "the task ran out of memory", fix="give the task a larger node, or fewer files a run")
    except Exception as error:  # noqa: BLE001 the rim: whatever a task raises is reported, with its traceback in the log
        traceback.print_exc()
        return _fact(error, f"{type(error).__name__}: {error}".splitlines()[0])
    if code:
        return _fact(None, f"the task ended with exit code {code}", code=code)
    return None


def _fact(
    error: BaseException | None, message: str, *, where: str | None = None, fix: str | None = None, code: int = 3
) -> dict[str, Any]:
    kind = type(error).__name__ if error is not None else "ExitCode"
    return {"kind": kind, "message": message, "where": where, "fix": fix, "exit_code": code}


def installed(task: HostTask) -> Callable[[list[str]], int]:
    """The callable of a task in this environment.

    Raises:
        UsageError: The distribution or the entry point is not installed here.
    """
    offered = [point for point in entry_points(group=GROUP) if _same(point, task.package)]
    for point in offered:
        if point.name == task.entry_point:
            return point.load()
    names = ", ".join(sorted(point.name for point in offered)) or "none"
    raise UsageError(
        f"{task.package} has no task {task.entry_point!r} here; it has {names}",
        where=f"task {task.key}",
        fix="install the wheel that the job was deployed with, or bring the stack up again: levee up ENV",
    )


def _same(point: EntryPoint, package: str) -> bool:
    name = point.dist.name if point.dist else ""
    return name.replace("-", "_").lower() == package.replace("-", "_").lower()


def read(path: Path) -> HostJob:
    """Parse the job file.

    Raises:
        UsageError: It cannot be read or is not a job.
    """
    try:
        return HostJob.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise UsageError(f"not a job file: {error}", where=str(path), fix="start jobs with `levee run`") from error


def _die_with_stdin() -> None:
    """End the whole process group, Spark's JVM included, when the starter is gone."""

    def watch() -> None:
        while os.read(0, 4096):
            pass
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True, name="die-with-stdin").start()


def main(argv: Sequence[str] | None = None) -> int:
    """Run a job file."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.jobhost", description="Run the tasks of one job.")
    parser.add_argument("job", type=Path, help="the job file, JSON")
    parser.add_argument("--die-with-stdin", action="store_true", help="end as soon as standard input closes")
    options = parser.parse_args(argv)
    if options.die_with_stdin:
        _die_with_stdin()
    try:
        job = read(options.job)
    except UsageError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    os.environ["LEVEE_RUN_ID"] = job.run_id
    from pipelines.observe.job import told  # the host itself starts without it

    with told(job.tasks[0].argv if job.tasks else ()) as end:
        code = run(job, Events(job.events), installed)
        end.succeeded = code == 0
    return code


if __name__ == "__main__":
    sys.exit(main())
