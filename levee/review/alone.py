"""``python -m levee.review.alone COMMAND``: run a command in a fresh network and mount namespace.

Started by ``unshare --user --map-root-user --net --mount``: brings up the loopback address, over which engine and
program speak, puts an empty folder over every place where credentials are kept, and becomes the command.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

MARK: Final = "LEVEE_ALONE"
"""Variable that says that a command was started by this module."""

CREDENTIALS: Final = (
    ".aws",
    ".azure",
    ".config/gcloud",
    ".config/gh",
    ".databricks",
    ".docker",
    ".gnupg",
    ".kube",
    ".pulumi",
    ".ssh",
    ".terraform.d",
)
"""Folders below the home folder in which tools keep credentials."""

_SIOCGIFFLAGS: Final = 0x8913
_SIOCSIFFLAGS: Final = 0x8914
_IFF_UP: Final = 0x1
_MS_NOSUID_NODEV: Final = 0x6


def main(argv: Sequence[str]) -> None:
    """Set the namespaces up and become the command.

    Args:
        argv: The command.
    """
    raise_loopback()
    for name in CREDENTIALS:
        folder = Path.home() / name
        if folder.is_dir():
            _cover(folder)
    os.execve(argv[0], list(argv), {**os.environ, MARK: "1"})  # noqa: S606 no shell is meant


def raise_loopback() -> None:
    """Bring up ``lo``: netdevice(7)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        asked = struct.pack("16sh22x", b"lo", 0)
        flags = struct.unpack("16sh22x", fcntl.ioctl(handle, _SIOCGIFFLAGS, asked))[1]
        fcntl.ioctl(handle, _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", flags | _IFF_UP))


def _cover(folder: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    flags = ctypes.c_ulong(_MS_NOSUID_NODEV)
    if libc.mount(b"tmpfs", os.fsencode(folder.resolve()), b"tmpfs", flags, b"size=4k,mode=555") != 0:
        raise OSError(ctypes.get_errno(), f"cannot hide {folder}")


if __name__ == "__main__":
    main(sys.argv[1:])
