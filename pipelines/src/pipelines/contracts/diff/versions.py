"""Which part of a version must rise for a change, and which did (Semantic Versioning 2.0.0, sections 4 to 8)."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable
from typing import Final

from pipelines.contracts.diff.rules import Impact

SEMVER: Final = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:[-+].*)?")
"""A version of three numbers; what follows a hyphen or a plus is not compared."""


class Bump(enum.IntEnum):
    """How far a version rises."""

    NONE = 0
    PATCH = 1
    MINOR = 2
    MAJOR = 3


_OF: Final = {Impact.BREAKING: Bump.MAJOR, Impact.NON_BREAKING: Bump.MINOR, Impact.DOCUMENTATION: Bump.PATCH}


def needed(impacts: Iterable[Impact], old: str) -> Bump:
    """How far the version must rise for changes of these impacts; below 1.0.0 the minor number stands for the major."""
    wanted = max((_OF[impact] for impact in impacts), default=Bump.NONE)
    return Bump.MINOR if wanted is Bump.MAJOR and _numbers(old)[:1] == (0,) else wanted


def risen(old: str, new: str) -> Bump:
    """How far a version rose; ``NONE`` where it stayed, fell, or is no version of three numbers."""
    before, after = _numbers(old), _numbers(new)
    if not before or not after or after <= before:
        return Bump.NONE
    return next(bump for bump, a, b in zip((Bump.MAJOR, Bump.MINOR, Bump.PATCH), before, after, strict=True) if a != b)


def _numbers(version: str) -> tuple[int, ...]:
    found = SEMVER.fullmatch(version)
    return tuple(map(int, found.groups())) if found else ()
