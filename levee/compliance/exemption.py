"""Exemptions: which findings an environment accepts, why, on whose word, and until when."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fnmatch import translate
from typing import Any, Final

from levee.errors import UsageError

FIELDS: Final = ("policy", "urn_glob", "reason", "owner", "expires")
"""What every exemption has."""


@dataclass(frozen=True)
class Exemption:
    """A rule that certain resources may break until a date.

    Attributes:
        policy: Rule id, or a pack's name for all its rules.
        urn_glob: Shell-style pattern; matched against the whole URN, case-sensitively.
        reason: Why, for the auditor.
        owner: Who answers for it.
        expires: Last day on which it holds (UTC).
    """

    policy: str
    urn_glob: str
    reason: str
    owner: str
    expires: date
    _pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_pattern", re.compile(translate(self.urn_glob)))

    def covers(self, urn: str) -> bool:
        """Whether the pattern matches that URN."""
        return self._pattern.match(urn) is not None

    def names(self, rule_id: str, pack: str) -> bool:
        """Whether it is about that rule."""
        return self.policy in (rule_id, pack)

    def expired(self, today: date) -> bool:
        """Whether its last day has passed."""
        return today > self.expires

    def __str__(self) -> str:
        return f"{self.policy} on {self.urn_glob}"


def parse_exemptions(entries: Iterable[Mapping[str, Any]]) -> Sequence[Exemption]:
    """Exemptions from JSON.

    Args:
        entries: Objects with ``policy``, ``urn_glob``, ``reason``, ``owner`` and ``expires`` (ISO date).

    Raises:
        UsageError: A field is missing or empty, or the date is none.
    """
    return tuple(_parse(index, entry) for index, entry in enumerate(entries))


def _parse(index: int, entry: Mapping[str, Any]) -> Exemption:
    where = f"exemptions[{index}]"
    missing = [name for name in FIELDS if not entry.get(name)]
    if missing:
        raise UsageError(f"the exemption lacks {', '.join(missing)}", where=where, fix=f"give {', '.join(FIELDS)}")
    try:
        expires = date.fromisoformat(str(entry["expires"]))
    except ValueError:
        raise UsageError(
            f"{entry['expires']!r} is not a date", where=f"{where}.expires", fix="write the last day as YYYY-MM-DD"
        ) from None
    policy, urn_glob, reason, owner = (str(entry[name]) for name in FIELDS[:4])
    return Exemption(policy, urn_glob, reason, owner, expires)
