"""Processor seconds of this process and of those that it started: Spark's JVM and the workers of both engines."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def spent() -> float:
    """Processor seconds until now, user's and system's."""
    return time.process_time() + sum(_of(child) for child in _below(os.getpid()))


def _below(process: int) -> Iterator[int]:
    for listed in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            children = [int(child) for child in listed.read_text().split()]
        except OSError:
            continue  # the thread has just ended
        for child in children:
            yield child
            yield from _below(child)


def _of(process: int) -> float:
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0  # it has just ended
    return sum(map(int, fields[11:15])) / TICKS  # utime, stime, and those of its own children that have ended
