"""Folders of a run's own for rows that it needs for a while, and the removal of those that killed runs have left.

A folder is its run's own, also where two runs work on one batch. Its process has locked a file beside it; the system
gives that back when the process dies, so whoever can lock it knows that the folder is nobody's.
"""

from __future__ import annotations

import contextlib
import fcntl
import secrets
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Final

LOCK: Final = ".lock"
"""Ending of the file beside a folder that its process has locked."""


@contextlib.contextmanager
def own(folder: str, name: str = "") -> Generator[str]:
    """A place for a folder that no other run writes or takes away; what is there is removed when the block ends.

    Args:
        folder: Under it, and on this machine: where it is a bucket's, in the system's folder for such things.
        name: How the place's name begins.
    """
    parent = _parent(folder)
    parent.mkdir(parents=True, exist_ok=True)
    place = parent / f"{name}{secrets.token_hex(8)}"
    lock, unlocked = (parent / f"{place.name}{ending}" for ending in (LOCK, ".new"))
    with unlocked.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        unlocked.rename(lock)  # nobody sees the lock before it is locked
        try:
            yield str(place)
        finally:
            shutil.rmtree(place, ignore_errors=True)
            lock.unlink(missing_ok=True)


def sweep(folder: str) -> int:
    """Remove what killed runs have left under a folder, and return how many there were."""
    gone = 0
    for lock in sorted(_parent(folder).glob(f"*{LOCK}")):
        with contextlib.suppress(FileNotFoundError, BlockingIOError), lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
            lock.unlink()
            gone += 1
    return gone


def _parent(folder: str) -> Path:
    return Path(tempfile.gettempdir(), "levee-staged") if "://" in folder else Path(folder)


__all__ = ["LOCK", "own", "sweep"]
