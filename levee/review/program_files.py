"""Which program it is, to the byte: the files of its project, and the Levee whose rules judge it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Final

import levee
from levee import places
from levee.files import digest_of
from levee.review.trees import listed

_NOT_THE_PROGRAMS: Final = frozenset({".git", ".levee", "__pycache__", "node_modules"})
"""Folders that are made of the program, or by it."""


_OF_A_REVIEW: Final = ("comment.md", "review.json", "review.sarif", "review.junit.xml", "approved.*.json")
"""What ``levee review --output`` writes into one folder."""


def beside(approval: Path) -> tuple[Path, ...]:
    """The approval's own file, and what a review wrote into its folder: no part of the program."""
    return (approval, *(path for pattern in _OF_A_REVIEW for path in approval.parent.glob(pattern)))


def of_folder(root: Path, besides: Collection[Path] = ()) -> Mapping[str, str]:
    """The SHA-256 of every file below a folder, by its path in it.

    Args:
        root: The project's folder; the environment that the program runs in is no part of it.
        besides: Files that do not count.
    """
    return _digests(root, _walk(root), besides)


def of_checkout(root: Path, besides: Collection[Path] = ()) -> Mapping[str, str]:
    """The same of the files that git does not ignore, committed or not; of every file where there is no repository.

    Args:
        root: The project's folder.
        besides: Files that do not count.
    """
    return _digests(root, listed(root) or _walk(root), besides)


@cache
def levee_digest() -> str:
    """Which Levee this is, to the byte, its tables and prices too: a checkout changes without its version."""
    roots = (Path(levee.__file__).parent, places.shipped("policy_packs"))
    return hashlib.sha256("".join(map(digest_of, roots)).encode()).hexdigest()


def _digests(root: Path, names: Collection[str], besides: Collection[Path]) -> dict[str, str]:
    left_out = {path.absolute() for path in besides}
    counted = (name for name in names if _NOT_THE_PROGRAMS.isdisjoint(PurePosixPath(name).parts))
    found = {name: root / name for name in sorted(counted) if (root / name).absolute() not in left_out}
    return {name: _digest(path) for name, path in found.items() if path.is_file() or path.is_symlink()}


def _digest(path: Path) -> str:
    if path.is_symlink():
        return hashlib.sha256(b"link " + os.fsencode(path.readlink())).hexdigest()
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _walk(root: Path) -> tuple[str, ...]:
    return tuple(path.relative_to(root).as_posix() for path in _below(root))


def _below(folder: Path) -> Iterator[Path]:
    for entry in folder.iterdir():
        if entry.name in _NOT_THE_PROGRAMS or (entry / "pyvenv.cfg").exists():
            continue
        if entry.is_dir() and not entry.is_symlink():
            yield from _below(entry)
        else:
            yield entry
