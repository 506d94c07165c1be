"""Edits to what judges: a pull request is judged by its base's rules, so an edit to those must be seen by a person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

from levee.review import accepted
from levee.review.model import GovernedEdit

_FILES: Final[Mapping[str, str]] = {
    "policy_packs/*": "which rules run",
    "levee/*": "Levee itself: the engine, the rules, this review",
    f"*{accepted.FILE}": "which findings are accepted",
    "*lookups.yaml": "what stands in for a cloud's answers",
    ".github/*": "what runs in a pull request and in a deployment",
    ".ci/*": "what runs in a pull request",
    "action.yml": "what runs in a pull request",
}
"""Shell-style pattern of a path in the repository to what it decides."""

_SETTINGS: Final[Mapping[str, str]] = {
    "policies": "how strictly rules hold",
    "exemptions": "which resources may break a rule",
    "budgets": "what may be spent",
    "usage": "how much use costs are estimated with",
}
"""Key of an environment to what it decides."""


def edits(
    changed: Iterable[str], base: Mapping[str, Mapping[str, Any]], head: Mapping[str, Mapping[str, Any]]
) -> tuple[GovernedEdit, ...]:
    """The edits that decide what a review says.

    Args:
        changed: Files that differ, relative to the repository.
        base: The value of ``levee:environment`` at the base, by the environment's file.
        head: The same at the head.
    """
    return (*_settings(base, head), *_files(changed))


def _settings(base: Mapping[str, Mapping[str, Any]], head: Mapping[str, Mapping[str, Any]]) -> Iterator[GovernedEdit]:
    for file in sorted({*base, *head}):
        before, after = base.get(file, {}), head.get(file, {})
        for key, decides in _SETTINGS.items():
            # A new environment has no base that decides: whatever it brings of these is to be looked at.
            if before.get(key) != after.get(key):
                yield GovernedEdit(file, f"`{key}`, {decides}")


def _files(changed: Iterable[str]) -> Iterator[GovernedEdit]:
    """One edit a pattern and place of the file: the first of them, with how many there are."""
    found: dict[tuple[str, str], list[str]] = {}
    for file in sorted(changed):
        pattern = next((pattern for pattern in _FILES if fnmatchcase(file, pattern)), None)
        if pattern is not None:
            where = file if pattern.startswith("*") else ""
            found.setdefault((pattern, where), []).append(file)
    for (pattern, _), files in found.items():
        many = f" ({len(files):,} files)" if len(files) > 1 else ""
        yield GovernedEdit(files[0], f"{_FILES[pattern]}{many}")
