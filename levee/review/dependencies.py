"""What a change asks to be installed, of which a review installs nothing."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Final

_FILES: Final = (
    "pyproject.toml",
    "uv.lock",
    "poetry.lock",
    "Pipfile*",
    "requirements*.txt",
    "setup.cfg",
    "setup.py",
    "package*.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "go.mod",
    "go.sum",
)
"""Shell-style patterns of the names of files that say what a program needs."""


def remarks(changed: Iterable[str], folder: PurePosixPath) -> tuple[str, ...]:
    """What a reader must know of a change to a program's dependencies; nothing where there is none.

    Args:
        changed: Files that differ, relative to the repository.
        folder: The project's folder there: its files and those above it count.
    """
    above = {folder, *folder.parents}
    asking = sorted(
        file
        for file in map(PurePosixPath, changed)
        if file.parent in above and any(fnmatchcase(file.name, pattern) for pattern in _FILES)
    )
    if not asking:
        return ()
    named = ", ".join(map(str, asking))
    said = "the head's dependencies are not installed by a review: both sides ran with the packages of the checkout"
    return (f"{named}: {said}",)
