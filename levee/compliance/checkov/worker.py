"""The other end of the pipe to tools/checkov/worker.py: started once, restarted once, then the gate fails."""

from __future__ import annotations

import atexit
import json
import os
import select
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

from levee import places
from levee.errors import EngineError, UsageError

TIMEOUT: Final = 600
"""Seconds that one answer may take: far more than 10,000 resources need."""

_ENVIRONMENT: Final = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR")
"""What Checkov may see of our environment: no credential, no setting that would make it call home."""


class CheckovError(EngineError):
    """Checkov could not be asked: it died twice, or it refused a request."""


class Worker:
    """Checkov in its own environment and process.

    Args:
        command: What starts it; by default Checkov's interpreter on our worker program.
    """

    def __init__(self, command: list[str] | None = None) -> None:
        self._command = command
        self._process: subprocess.Popen[str] | None = None
        self._last = 0

    def begin(self) -> None:
        """Start the process ahead of the first request: in the second that it takes to be ready others work.

        That Checkov is not installed is for the first request to say.
        """
        if self._process is None:
            with suppress(UsageError):
                self._start()

    def ask(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answer to one request.

        Raises:
            UsageError: Checkov is not installed.
            CheckovError: The process died, was started anew and died again; or the request failed in Checkov.
        """
        self._last += 1
        line = json.dumps({"id": self._last, **request}) + "\n"
        answer = self._once(line) or self._once(line)
        if answer is None:
            raise CheckovError(
                "Checkov's process ended or hung twice without an answer", fix=f"see what it says: {_fix()}"
            )
        if "error" in answer:
            raise CheckovError(f"Checkov failed: {answer['error']}")
        return answer

    def _once(self, line: str) -> Mapping[str, Any] | None:
        """One try; ``None`` where the process ended, or hung, before it answered."""
        process = self._process or self._start()
        if process.stdin is None or process.stdout is None:
            raise CheckovError("Checkov's process has no pipes")
        try:
            process.stdin.write(line)
            process.stdin.flush()
            ready, _, _ = select.select([process.stdout], [], [], TIMEOUT)
            said = process.stdout.readline() if ready else ""
        except BrokenPipeError:
            said = ""
        if not said.endswith("\n"):
            self.close()
            return None
        return json.loads(said)

    def _start(self) -> subprocess.Popen[str]:
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        command = self._command or [str(installed()), str(places.shipped("tools/checkov") / "worker.py")]
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self._process = process
        return process

    def close(self) -> None:
        """End the process; the next request starts another."""
        process, self._process = self._process, None
        if process is not None:
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()
            process.kill()
            process.wait()


def home() -> Path:
    """The folder of Checkov's environment."""
    return places.shipped("tools/checkov") / ".venv" if places.checkout() else places.home() / "checkov"


def installed() -> Path:
    """Checkov's interpreter.

    Raises:
        UsageError: It is not installed; with the command that does it.
    """
    python = home() / "bin" / "python"
    if not python.exists():
        raise UsageError("Checkov is not installed", where=str(home()), fix=_fix())
    return python


def _fix() -> str:
    if places.checkout():
        return "make checkov"
    project = places.shipped("tools/checkov")
    return f"UV_PROJECT_ENVIRONMENT={home()} uv sync --frozen --compile-bytecode --project {project}"


@cache
def shared() -> Worker:
    """The worker of this process; its start costs a second, so that it is asked whatever there is to ask."""
    worker = Worker()
    atexit.register(worker.close)
    return worker
