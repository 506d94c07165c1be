"""What a program leaves behind: processes in its group, and those that left it but still carry the run's mark."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MARK: Final = "LEVEE_RUN"
"""Environment variable by which every descendant of a program is known."""
_PROCESSES: Final = Path("/proc")


@dataclass(frozen=True)
class Process:
    """One process that is left.

    Attributes:
        pid: Its number.
        command: Its command line, cut at 60 characters.
    """

    pid: int
    command: str


def marked(mark: str) -> tuple[Process, ...]:
    """The processes that carry a mark; none where the system does not tell (other than Linux)."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for folder in _PROCESSES.glob("[0-9]*"):
        try:
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()
                if command:  # a zombie has none
                    found.append(Process(int(folder.name), command[:60]))
        except OSError:  # it has gone, or is another user's
            continue
    return tuple(found)


def end_family(leader: int, mark: str) -> tuple[Process, ...]:
    """Kill a session's whole group and whatever left it; what was found alive.

    Args:
        leader: Process id of the group's leader, which may have ended.
        mark: The run's mark.
    """
    found = marked(mark)
    end_group(leader)
    for process in found:
        try:
            os.kill(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    return tuple(process for process in found if process.pid != leader)


def end_group(leader: int) -> None:
    """Kill a process group, if there still is one."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # macOS refuses where only zombies are left
        return
