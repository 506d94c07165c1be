"""Locks between processes that die with their holder: no lock file ever has to be removed by hand."""

from __future__ import annotations

import fcntl
import math
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from levee.errors import EngineError

_POLL_SECONDS: Final = 0.05


@contextmanager
def exclusive(path: Path, *, doing: str, patience: float = 0.0) -> Generator[int]:
    """Hold ``path`` for one process at a time.

    The kernel's ``flock`` keeps it, so that an exit, a crash and ``kill -9`` all release it at once.

    Args:
        path: The lock's file, made where it is absent; it stays behind and means nothing by itself.
        doing: What the holder does, for the message that another one gets.
        patience: Seconds to wait for another holder before refusing; ``math.inf`` for ever.

    Yields:
        The descriptor that holds it; a child process that inherits it holds it too.

    Raises:
        EngineError: Another process still holds it after ``patience``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if not _take(handle, patience):
            holder = os.pread(handle, 200, 0).decode(errors="replace").strip() or "another process"
            raise EngineError(
                f"{doing} cannot start: {holder} is at work",
                where=str(path),
                fix="wait until it ends, or end that process; the lock goes with it",
            )
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{doing} (process {os.getpid()})".encode(), 0)
        yield handle
    finally:
        os.close(handle)


def _take(handle: int, patience: float) -> bool:
    """Lock an open file within ``patience`` seconds; whether that was possible."""
    if patience == math.inf:
        fcntl.flock(handle, fcntl.LOCK_EX)
        return True
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(_POLL_SECONDS)
        else:
            return True
