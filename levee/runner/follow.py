"""Turns what a job host tells into task results and into what a person sees."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from levee.runner.host import events
from levee.runner.job import Job, Task
from levee.runner.progress import RunProgress
from levee.runner.result import TaskError, TaskResult, TaskState, error_of


class Follower:
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
        waiting = [key for key, task in self.tasks.items() if task.state is TaskState.WAITING]
        if self._current is not None:
            self._lost(_end_of(process), progress)
        elif waiting and all(task.state is not TaskState.FAILED for task in self.tasks.values()):
            # The host ended between two tasks, or never began: that is a failure, of the task it did not come to.
            self._current, self._since = waiting[0], time.monotonic()
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
