"""What became of a run, as data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from levee.errors import EngineError, GateError, LeveeError, UsageError


class TaskState(StrEnum):
    """How a task ended."""

    WAITING = "waiting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class TaskError:
    """Why a task failed, in the task's own words.

    Attributes:
        message: What happened.
        where: File and line, table, delivery or row; ``None`` where there is none.
        fix: What to do next; ``None`` where the task did not say.
        exit_code: 1 a gate said no, 2 wrong use or input, 3 an engine or a service failed.
    """

    message: str
    where: str | None = None
    fix: str | None = None
    exit_code: int = 3


@dataclass(frozen=True, slots=True)
class TaskResult:
    """One task of a run.

    Attributes:
        key: Its name.
        state: How it ended.
        seconds: Over all its attempts.
        attempts: How often it was started.
        done: The last progress that it told, in ``unit``; 0 where it told none.
        unit: Such as ``rows`` or ``files``.
        error: Why it failed or is tried again.
        because: The failed tasks upstream for which it was skipped.
    """

    key: str
    state: TaskState = TaskState.WAITING
    seconds: float = 0.0
    attempts: int = 0
    done: float = 0.0
    unit: str = ""
    error: TaskError | None = None
    because: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunResult:
    """One run of a domain's job.

    Attributes:
        run_id: Its name; sorts by time.
        domain: Whose job it was.
        env: The environment.
        job: The job's name in the stack.
        engine: What ran it.
        wheel_sha256: What was run.
        seconds: From the first task's start to the last one's end.
        tasks: In the order in which they ran.
        log: What the tasks printed.
    """

    run_id: str
    domain: str
    env: str
    job: str
    engine: str
    wheel_sha256: str
    seconds: float
    tasks: tuple[TaskResult, ...]
    log: Path

    @property
    def failed(self) -> tuple[TaskResult, ...]:
        """The tasks that failed."""
        return tuple(task for task in self.tasks if task.state is TaskState.FAILED)

    def raise_if_failed(self) -> None:
        """Raise the first failure as an error with its exit code.

        Raises:
            GateError: A gate in the task said no.
            UsageError: The task's input or parameters are wrong.
            EngineError: An engine or a service failed.
        """
        for task in self.failed:
            error = task.error or TaskError("the task failed")
            kind = {1: GateError, 2: UsageError}.get(error.exit_code, EngineError)
            raise _as_error(kind, task, error, self)

    def json(self) -> dict[str, Any]:
        """The same as JSON values (``result.json``, version 1)."""
        return {"version": 1, **asdict(self), "log": str(self.log)}

    def write(self, file: Path) -> None:
        """Write ``result.json``, whole or not at all."""
        part = file.with_suffix(".part")
        part.write_text(json.dumps(self.json(), indent=2) + "\n")
        part.replace(file)


def _as_error(kind: type[LeveeError], task: TaskResult, error: TaskError, run: RunResult) -> LeveeError:
    layer = task.key.split("_", 1)[0]
    again = f"levee run {run.domain} --env {run.env}" + (f" --from {layer}" if layer in ("silver", "gold") else "")
    return kind(
        f"{task.key} failed: {error.message}",
        where=error.where or str(run.log),
        fix=f"{error.fix}; then {again}" if error.fix else f"read {run.log}, then {again}",
    )


def error_of(fact: Mapping[str, Any]) -> TaskError:
    """The error of a ``task_failed`` event."""
    return TaskError(str(fact["message"]), fact.get("where"), fact.get("fix"), int(fact.get("exit_code", 3)))
