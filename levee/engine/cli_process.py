"""One process of the Pulumi CLI: started, and ended with all it started."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PATIENCE_SECONDS: Final = 30.0
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


def run(
    command: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
) -> Finished:
    """Run the CLI to its end.

    An interrupt (Ctrl-C) is passed on once, so that the engine finishes the step in hand, writes its state and frees
    its lock; after 30 seconds, or on a second interrupt, the process group is killed. Should this process die, the
    kernel ends the CLI too.

    Args:
        command: Program and arguments.
        folder: Working directory.
        environment: The whole environment.
    """
    start = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=_end_with_parent,  # noqa: PLW1509 one prctl call, which takes no lock
    )
    stdout, stderr, interrupted = _communicate(process)
    return Finished(process.returncode, stdout, stderr, time.monotonic() - start, interrupted)


def _communicate(process: subprocess.Popen[bytes]) -> tuple[str, str, bool]:
    interrupted = False
    timeout: float | None = None
    try:
        while True:
            try:
                stdout, stderr = process.communicate(timeout=timeout)
            except KeyboardInterrupt:
                if interrupted:
                    _signal(process, signal.SIGKILL)
                interrupted, timeout = True, _PATIENCE_SECONDS
                process.send_signal(signal.SIGINT)
            except subprocess.TimeoutExpired:
                _signal(process, signal.SIGKILL)
                timeout = None
            else:
                return stdout.decode("utf-8", "replace"), stderr.decode("utf-8", "replace"), interrupted
    finally:
        # Policy packs and dynamic providers would print a KeyboardInterrupt of their own, or stay.
        _signal(process, signal.SIGKILL)


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return


def _end_with_parent() -> None:
    """In the child: have the kernel interrupt the CLI when Levee dies, whatever it dies of (Linux only)."""
    if os.uname().sysname == "Linux":
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
