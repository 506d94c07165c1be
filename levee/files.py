"""Files that are written whole or not at all, and what a folder of them is known by."""

from __future__ import annotations

import hashlib
import os
import threading
from contextlib import suppress
from pathlib import Path


def write_whole(path: Path, content: str | bytes, *, mode: int = 0o644) -> None:
    """Write a file by rename: a reader, or a crash, sees the old file or the whole new one.

    Args:
        path: The file; its folder is made.
        content: Its content; text becomes UTF-8.
        mode: Its permissions, less the process's mask.

    Raises:
        OSError: It cannot be written; the error names the file itself, and nothing is left beside it.
    """
    whole = content.encode() if isinstance(content, str) else content
    if path.exists() and not path.is_file():  # a pipe or a device, such as /dev/stdout: nothing takes its place
        path.write_bytes(whole)
        return
    beside = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "wb") as out:
            out.write(whole)
        beside.replace(path)
    except OSError as failed:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        failed.filename, failed.filename2 = str(path), None
        raise


def digest_of(folder: Path) -> str:
    """SHA-256, hexadecimal, of the files below a folder by path and content; what Python compiled does not count."""
    whole = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            name = path.relative_to(folder).as_posix().encode()
            whole.update(name + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()
