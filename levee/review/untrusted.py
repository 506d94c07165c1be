"""Reviews a program that nobody has read: it gets no secret, no network, no file beyond its own, and limits.

Two walls, both of Linux namespaces:

1. the whole of Levee runs with an environment of named variables only, in a network namespace that has nothing but the
   loopback address, over which engine and program speak (``levee.review.alone``);
2. the program's process, and that of its dynamic providers, runs in a root, a PID and an IPC namespace of its own,
   without any capability (``levee.review.hold``): it sees neither the engine's processes nor its files.

Where the kernel refuses either, the review is refused: nothing runs half held.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import levee
from levee.engine import Project, Workspace
from levee.errors import EngineError, UsageError
from levee.review.alone import MARK

KEPT: Final = frozenset(
    {"PATH", "HOME", "LANG", "LC_ALL", "TZ", "TERM", "COLUMNS", "NO_COLOR", "TMPDIR", "LEVEE_HOME", "LEVEE_CACHE"}
    | {"XDG_CACHE_HOME", "GITHUB_ACTIONS", "GITHUB_WORKSPACE"}
)
"""Variables that the review keeps; every other one may be a secret."""

_OWN: Final = frozenset({MARK, "GRPC_ENABLE_FORK_SUPPORT", "LC_CTYPE"})
"""What Levee and the interpreter set themselves."""

_ALONE: Final = ("--user", "--map-root-user", "--net", "--mount")
_HELD: Final = ("--user", "--map-root-user", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child")
_SYSTEM: Final = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/opt/hostedtoolcache"),
    *("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime", "/etc/nsswitch.conf"),
    *("/etc/passwd", "/etc/group", "/etc/hosts", "/etc/ssl/certs", "/etc/alternatives"),
)
"""What an interpreter needs of a machine."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a program may use.

    Attributes:
        seconds: Wall time of each of its runs, and processor time of each of its processes.
        memory: Bytes, of each process and of all together.
        processes: Processes at once.
    """

    seconds: float = 600.0
    memory: int = 4 << 30
    processes: int = 128


def refusal() -> str:
    """Why this machine cannot hold a program; empty where it can."""
    if sys.platform != "linux":
        return f"namespaces are Linux's, this is {sys.platform}"
    unshare = shutil.which("unshare")
    if unshare is None:
        return "unshare (util-linux) is not on PATH"
    tried = subprocess.run(
        [unshare, *_ALONE, "--", unshare, *_HELD, "--mount-proc", "--", "true"],
        capture_output=True,
        text=True,
        check=False,
    )
    if tried.returncode == 0:
        return ""
    return " ".join(tried.stderr.split()) or f"unshare ended with {tried.returncode}"


def alone() -> bool:
    """Whether this process has no network and none but harmless variables: the first wall stands."""
    return _interfaces() <= {"lo"} and set(os.environ) <= KEPT | _OWN


def _interfaces() -> set[str]:
    lines = Path("/proc/self/net/dev").read_text(encoding="ascii").splitlines()[2:]
    return {line.partition(":")[0].strip() for line in lines}


def go_alone(command: Sequence[str]) -> None:
    """Become the same command behind the first wall; returns only where it already stands.

    Args:
        command: The interpreter and its arguments.

    Raises:
        EngineError: The kernel refuses; nothing has run.
    """
    if alone():
        return
    if MARK in os.environ:
        odd = ", ".join(sorted({*_interfaces()} - {"lo"} | set(os.environ) - KEPT - _OWN))
        raise EngineError(f"an untrusted program cannot be held here, so it is not run: there still is {odd}")
    if why := refusal():
        raise EngineError(
            f"an untrusted program cannot be held here, so it is not run: {why}",
            fix="a Linux machine whose kernel allows user namespaces; on Ubuntu 24.04: "
            "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0",
        )
    environment = {name: value for name, value in os.environ.items() if name in KEPT}
    unshare = str(shutil.which("unshare"))
    # -P: nothing is imported from the folder that is reviewed.
    inside = [sys.executable, "-P", "-m", "levee.review.alone", *command]
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(unshare, [unshare, *_ALONE, "--", *inside], environment)  # noqa: S606 no shell is meant


@dataclass(frozen=True)
class Hold:
    """The second wall: makes the command that a program is started by.

    Attributes:
        project: The program as it is previewed.
        stack: Its stack.
        folder: The folder that is the program's own: the side under review.
        limits: What it may use.
    """

    project: Project
    stack: str
    folder: Path
    limits: Limits

    def __call__(self, files: Sequence[Path]) -> Sequence[str]:
        """The command.

        Args:
            files: What the program must write beside its folder; made empty where absent.

        Raises:
            UsageError: The program is none in Python, which is all that can be held.
        """
        if self.project.runtime != "python":
            raise UsageError(
                f"a program in {self.project.runtime} cannot be held; --untrusted is for Python",
                where=str(self.project.file),
                fix="review it without --untrusted, once you have read it",
            )
        for file in files:
            file.touch()
        placeholders = Workspace(self.project, self.stack).folder / "placeholders"
        placeholders.mkdir(parents=True, exist_ok=True)
        root = Path(tempfile.gettempdir()) / "levee-held"
        root.mkdir(exist_ok=True)
        spec = {
            "root": str(root),
            "read": [str(path) for path in self._read()],
            "own": str(self.folder),
            "hidden": str(self.project.root / ".levee"),
            "write": [str(path) for path in (*files, placeholders)],
            "seconds": self.limits.seconds,
            "memory": self.limits.memory,
            "processes": self.limits.processes,
        }
        unshare = str(shutil.which("unshare"))
        script = Path(__file__).with_name("hold.py")
        return (unshare, *_HELD, "--", sys.executable, "-I", str(script), json.dumps(spec))

    def _read(self) -> Sequence[Path]:
        interpreter = self.project.interpreter
        packages = self.project.site_packages.resolve()
        linked = {entry.resolve().parent for entry in packages.iterdir() if entry.is_symlink()}
        return (
            *map(Path, _SYSTEM),
            interpreter.parent.parent.resolve(),  # the virtual environment
            interpreter.resolve().parent.parent,  # what it was made of
            packages,
            *sorted(linked),  # as uv leaves them with --link-mode=symlink
            Path(levee.__file__).parent / "engine",
        )
