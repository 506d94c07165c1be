"""Starts ``pipelines.jobhost`` in the data environment and follows its events; nothing of it outlives the caller."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

POLL_SECONDS: Final = 0.1
GRACE_SECONDS: Final = 5.0
"""Between the polite and the certain end of a process group."""


@contextmanager
def host(
    python: Path, arguments: list[str], *, environment: Mapping[str, str], folder: Path, log: Path, keep: int
) -> Generator[subprocess.Popen[bytes]]:
    """A job host in a process group of its own, which is gone when the block is left, however that happens.

    Its standard input is a pipe from this process: when this process dies, even by ``kill -9``, the pipe closes and
    the host ends its group.

    Args:
        python: The data environment's interpreter.
        arguments: After ``python -m pipelines.jobhost --die-with-stdin``.
        environment: All of its environment variables.
        folder: Its working folder.
        log: Where its standard output and error go, appended.
        keep: A descriptor that it holds open too: the run's lock, which is free only when both are gone.
    """
    command = [str(python), "-P", "-m", "pipelines.jobhost", "--die-with-stdin", *arguments]
    with log.open("ab") as out:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=(keep,),
        )
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process group: SIGTERM, and SIGKILL for what is left after ``GRACE_SECONDS``."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            continue
    process.wait()
    if process.stdin:
        process.stdin.close()


def events(process: subprocess.Popen[bytes], file: Path) -> Iterator[Mapping[str, Any] | None]:
    """Every event of ``file`` as it is written, ``None`` at each pause, until the process has ended and all is read."""
    rest = b""
    with file.open("rb") as lines:
        while True:
            over = process.poll() is not None
            content = rest + lines.read()
            *whole, rest = content.split(b"\n")
            for line in whole:
                if (event := _parsed(line)) is not None:
                    yield event
            if over and not whole:
                return
            if not whole:
                yield None
                time.sleep(POLL_SECONDS)


def _parsed(line: bytes) -> Mapping[str, Any] | None:
    """One event; ``None`` for a line that a full disk cut short, which no event's meaning rests on."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None
