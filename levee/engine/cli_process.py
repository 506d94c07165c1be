"""One process of the Pulumi CLI: started, and ended with all it started."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from levee.engine.processes import end_group

_PATIENCE_SECONDS: Final = 30.0
_LOOK_SECONDS: Final = 0.5
_ENDING_SECONDS: Final = 10.0
"""For an engine whose program was ended to end by itself."""
_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None)
"""Loaded here, because a forked child of a process with threads may not load libraries."""


@dataclass(frozen=True)
class Finished:
    """How a CLI process ended."""

    code: int
    stdout: str
    stderr: str
    seconds: float
    interrupted: bool
    hung: bool = False


def run(
    command: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    stdin: str = "",
    hangs: Callable[[], bool] | None = None,
    end_program: Callable[[], None] | None = None,
) -> Finished:
    """Run the CLI to its end.

    An interrupt (Ctrl-C) is passed on once, so that the engine finishes the step in hand, writes its state and frees
    its lock; after 30 seconds, or on a second interrupt, the process group is killed. Should this process die, the
    kernel ends the CLI too.

    Args:
        command: Program and arguments.
        folder: Working directory.
        environment: The whole environment.
        stdin: What it reads on its standard input.
        hangs: Asked twice a second: whether nothing has happened for too long.
        end_program: Called once when that is so; the engine then ends by itself, or is interrupted after 10 seconds.
    """
    start = time.monotonic()
    given = _readable(stdin) if stdin else subprocess.DEVNULL
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=dict(environment),
        stdin=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=_end_with_parent,  # noqa: PLW1509 one prctl call, which takes no lock
    )
    if stdin:
        os.close(given)
    waiting = _Waiting(process, hangs or (lambda: False), end_program or (lambda: None))
    stdout, stderr = waiting.communicate()
    seconds = time.monotonic() - start
    return Finished(process.returncode, stdout, stderr, seconds, waiting.interrupted, waiting.hung)


def _readable(text: str) -> int:
    """A descriptor to read that text from, held in memory alone where the system can."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("levee")
    else:
        descriptor, path = tempfile.mkstemp()
        Path(path).unlink()
    with os.fdopen(os.dup(descriptor), "w", encoding="utf-8") as out:
        out.write(text)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


class _Waiting:
    """Waits for the CLI and ends it in steps: the program, the engine's own way of stopping, the whole group."""

    def __init__(
        self, process: subprocess.Popen[bytes], hangs: Callable[[], bool], end_program: Callable[[], None]
    ) -> None:
        self.interrupted = False
        self.hung = False
        self._process = process
        self._hangs = hangs
        self._end_program = end_program
        self._steps: list[tuple[float, signal.Signals]] = []
        """What is sent, and when, should the engine still be there by then."""

    def communicate(self) -> tuple[str, str]:
        try:
            while True:
                try:
                    stdout, stderr = self._process.communicate(timeout=_LOOK_SECONDS)
                except KeyboardInterrupt:
                    self._interrupt()
                except subprocess.TimeoutExpired:
                    self._look()
                else:
                    return stdout.decode("utf-8", "replace"), stderr.decode("utf-8", "replace")
        finally:
            # Policy packs and dynamic providers would print a KeyboardInterrupt of their own, or stay.
            end_group(self._process.pid)

    def _interrupt(self) -> None:
        if self.interrupted:
            end_group(self._process.pid)
        self.interrupted = True
        self._process.send_signal(signal.SIGINT)
        self._steps = [(time.monotonic() + _PATIENCE_SECONDS, signal.SIGKILL)]

    def _look(self) -> None:
        now = time.monotonic()
        if not self.hung and not self.interrupted and self._hangs():
            self.hung = True
            self._end_program()
            interrupt = now + _ENDING_SECONDS
            self._steps = [(interrupt, signal.SIGINT), (interrupt + _PATIENCE_SECONDS, signal.SIGKILL)]
        if self._steps and now > self._steps[0][0]:
            _, number = self._steps.pop(0)
            if number is signal.SIGINT:
                self._process.send_signal(number)
            else:
                end_group(self._process.pid)


def _end_with_parent() -> None:
    """In the child: have the kernel kill the CLI when Levee dies, whatever it dies of (Linux only).

    An interrupted one was seen to wait for ever for those that died with Levee; the next run clears what is left.
    """
    if os.uname().sysname == "Linux":
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
