"""What a wheel holds, in one short digest: its version says what its authors meant, this says what is in it.

A deployed job bears the digest of the wheel that it was made with, and whoever runs the job compares.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path, PurePosixPath

CHARACTERS = 16
"""Hexadecimal characters kept: 64 bits, to tell releases apart and not to prove anything."""

_PACKAGE = "pipelines"
_SUFFIXES = frozenset({".py", ".sql", ".yaml"})


@cache
def installed_content() -> str:
    """Digest of the code, contracts and SQL of the package that this interpreter imports."""
    root = Path(str(files(_PACKAGE)))
    return _digest((path.relative_to(root).as_posix(), path.read_bytes()) for path in root.rglob("*") if path.is_file())


def wheel_content(wheel: Path) -> str:
    """Digest of the code, contracts and SQL of a built wheel; equal to `installed_content` where it is installed."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.startswith(f"{_PACKAGE}/")]
        return _digest((name.removeprefix(f"{_PACKAGE}/"), archive.read(name)) for name in names)


def _digest(content: Iterable[tuple[str, bytes]]) -> str:
    lines = (
        f"{hashlib.sha256(data).hexdigest()} {name}"
        for name, data in content
        if PurePosixPath(name).suffix in _SUFFIXES and "__pycache__" not in name
    )
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:CHARACTERS]
