"""Holds one process of somebody else's: its own root, its own processes, no right that it could use, limits.

Started by ``unshare --user --map-root-user --mount --pid --ipc --uts --fork --kill-child`` (``levee.review.untrusted``)
as the first process of that PID namespace, so that whatever the program leaves behind ends with it. Standard library
only: it runs before anything of the program is reachable.

The new root holds only what the specification lists, read-only but for the program's own folder. The network namespace
is the caller's, which has nothing but the loopback address.

Sources: mount(2), mount_setattr(2), pivot_root(2), capset(2), prctl(2) of man-pages 6.7.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import resource
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

ENDED: Final = 97
"""Exit code of a program that a limit ended; the last line on standard error says which."""

_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_MS_BIND: Final = 0x1000
_MS_REC: Final = 0x4000
_MS_NOSUID: Final = 0x2
_MS_NODEV: Final = 0x4
_MNT_DETACH: Final = 0x2
_AT_FDCWD: Final = -100
_AT_RECURSIVE: Final = 0x8000
_ATTR_RDONLY: Final = 0x1
_ATTR_NOSUID: Final = 0x2
_SYS_MOUNT_SETATTR: Final = 442
_SYS_PIVOT_ROOT: Final = {"x86_64": 155, "aarch64": 41}
_PR_CAPBSET_DROP: Final = 24
_PR_SET_NO_NEW_PRIVS: Final = 38
_CAPABILITY_VERSION_3: Final = 0x20080522
_DEVICES: Final = ("null", "zero", "full", "random", "urandom")
_LOOK_SECONDS: Final = 0.1
_OPEN_FILES: Final = 4096
_FILE_BYTES: Final = 1 << 30


def main(argv: Sequence[str]) -> int:
    """Hold a command.

    Args:
        argv: The specification as JSON, then the command. ``{"root", "read", "own", "hidden", "write", "seconds",
            "memory", "processes"}``: a folder to mount on; what may be read; the program's folder; what is hidden in
            it; what else may be written; seconds of wall time; bytes; a number.

    Returns:
        The command's exit code, ``128 + n`` where signal ``n`` ended it, :data:`ENDED` where a limit did.
    """
    spec, command = json.loads(argv[0]), argv[1:]
    _enter(Path(spec["root"]), spec)
    child = os.fork()
    if child == 0:
        try:
            _limit(spec)
            _drop_rights()
            os.execv(command[0], list(command))  # noqa: S606 no shell is meant
        except OSError as refused:
            sys.stderr.write(f"levee: {command[0]} cannot be run: {refused.strerror}\n")
            os._exit(126)
    return _watch(child, spec)


def _enter(root: Path, spec: Mapping[str, Any]) -> None:
    """Make the new root and go there."""
    _mount("tmpfs", root, "tmpfs", _MS_NOSUID | _MS_NODEV, "size=16m,mode=755")
    for folder, size in (("dev/shm", "64m"), ("tmp", "256m")):
        (root / folder).mkdir(parents=True)
        _mount("tmpfs", root / folder, "tmpfs", _MS_NOSUID | _MS_NODEV, f"size={size},mode=1777")
    for path in spec["read"]:
        _bind(Path(path), root, read_only=True)
    _bind(Path(spec["own"]), root, read_only=False)
    _mount("tmpfs", _under(root, Path(spec["hidden"])), "tmpfs", _MS_NOSUID | _MS_NODEV, "size=64k,mode=555")
    for path in spec["write"]:
        _bind(Path(path), root, read_only=False)
    for device in _DEVICES:
        _bind(Path("/dev") / device, root, read_only=False)
    (root / "proc").mkdir(exist_ok=True)
    _mount("proc", root / "proc", "proc", _MS_NOSUID | _MS_NODEV, "")
    os.chdir(root)
    _called("pivot_root", _LIBC.syscall(_SYS_PIVOT_ROOT[platform.machine()], b".", b"."))
    _called("umount2", _LIBC.umount2(b".", _MNT_DETACH))
    os.chdir("/")
    _set_attributes(Path("/"), recursive=False)


def _bind(source: Path, root: Path, *, read_only: bool) -> None:
    """Show a path of the old root in the new one; a symbolic link is made again."""
    target = _under(root, source)
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_symlink():
        if not target.is_symlink():
            target.symlink_to(source.readlink())
        return
    if not source.exists() or target.is_mount():
        return
    if source.is_dir():
        target.mkdir(exist_ok=True)
    else:
        target.touch()
    _mount(str(source), target, None, _MS_BIND | _MS_REC, "")
    if read_only:
        _set_attributes(target, recursive=True)


def _under(root: Path, path: Path) -> Path:
    return root / path.relative_to("/")


def _mount(source: str, target: Path, kind: str | None, flags: int, data: str) -> None:
    code = _LIBC.mount(
        source.encode(), os.fsencode(target), kind.encode() if kind else None, ctypes.c_ulong(flags), data.encode()
    )
    _called(f"mount of {target}", code)


def _set_attributes(path: Path, *, recursive: bool) -> None:
    attributes = (ctypes.c_uint64 * 4)(_ATTR_RDONLY | _ATTR_NOSUID, 0, 0, 0)
    flags = _AT_RECURSIVE if recursive else 0
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    code = _LIBC.syscall(_SYS_MOUNT_SETATTR, _AT_FDCWD, os.fsencode(path), flags, ctypes.byref(attributes), size)
    _called(f"read-only mount of {path}", code)


def _called(what: str, code: int) -> None:
    if code != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _limit(spec: Mapping[str, Any]) -> None:
    """Limits of each process; those of all together are watched."""
    for kind, most in (
        (resource.RLIMIT_AS, spec["memory"]),
        (resource.RLIMIT_CPU, int(spec["seconds"])),
        (resource.RLIMIT_NPROC, spec["processes"]),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_FSIZE, _FILE_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (least, least))


def _drop_rights() -> None:
    """No capability now or after any exec, and no way to a new one."""
    capability = 0
    while _LIBC.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) == 0:
        capability += 1
    _called("no_new_privs", _LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    _called("capset", _LIBC.capset(ctypes.byref(header), ctypes.byref((ctypes.c_uint32 * 6)())))


def _watch(child: int, spec: Mapping[str, Any]) -> int:
    """Wait for the command, and end it with all it started when together they go too far.

    This process ends last: the kernel then kills whatever of the namespace is left.
    """
    until = time.monotonic() + spec["seconds"]
    while True:
        ended, status = os.waitpid(-1, os.WNOHANG)
        if ended == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code
        if why := _broken(spec, late=time.monotonic() > until):
            sys.stderr.write(f"levee: the program was ended: {why}\n")
            return ENDED
        if ended == 0:
            time.sleep(_LOOK_SECONDS)


def _broken(spec: Mapping[str, Any], *, late: bool) -> str:
    """Which limit is broken, or nothing."""
    if late:
        return f"it ran longer than {spec['seconds']:g} s"
    processes = [entry for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    if len(processes) - 1 > spec["processes"]:
        return f"more than {spec['processes']} processes"
    if sum(map(_resident, processes)) > spec["memory"]:
        return f"more than {spec['memory'] >> 20} MiB of memory"
    return ""


def _resident(process: Path) -> int:
    try:
        pages = (process / "statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return 0  # it has just ended
    return int(pages) * resource.getpagesize()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
