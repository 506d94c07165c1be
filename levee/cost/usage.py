"""How much of a thing is used in a month: what a usage file says, and what is assumed where it says nothing.

The file is YAML::

    types:
      aws:s3/bucket:Bucket: {storage_gb: 500}
    names:
      "*-gold": {storage_gb: {low: 100, expected: 400, high: 2000}}
      "build-*": {schedule: "Mon-Fri 08:00-18:00"}

``names`` are shell patterns over the resource's name; the last that matches wins over ``types``, and both over what is
assumed for the environment.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatchcase
from typing import Any, Final

from levee.cost.catalogue import ANY_USAGE, Catalogue, cloud_of
from levee.cost.model import HOURS_PER_MONTH, Basis, Range
from levee.errors import UsageError

Where = Callable[[Sequence[int | str]], str]
"""``file:line`` of a path into the document."""

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SCHEDULE: Final = re.compile(r"(?P<from>\w{3})(-(?P<to>\w{3}))? (?P<on>\d\d:\d\d)-(?P<off>\d\d:\d\d)")
_HOURS_PER_WEEK: Final = 168
_SECTIONS: Final = ("types", "names")
_LISTED: Final = 12
_RANGE: Final = ("low", "expected", "high")


@dataclass(frozen=True, slots=True)
class Given:
    """Usage of one resource: key to amount, and whether somebody said so or it is assumed."""

    amounts: Mapping[str, Range] = field(default_factory=dict)
    assumed: frozenset[str] = frozenset()

    def basis(self, keys: Iterable[str]) -> Basis:
        """What a quantity rests on that was computed from those keys."""
        read = set(keys)
        if not read:
            return Basis.CONFIGURED
        return Basis.ASSUMED if read & self.assumed else Basis.USAGE


@dataclass(frozen=True)
class Usage:
    """What is said of usage.

    Attributes:
        types: Type token to its usage.
        names: Shell pattern over names, and its usage, in order.
    """

    types: Mapping[str, Mapping[str, Range]] = field(default_factory=dict)
    names: Sequence[tuple[str, Mapping[str, Range]]] = ()

    def of(self, token: str, name: str, assumed: Mapping[str, Range]) -> Given:
        """The usage of one resource.

        Args:
            token: Its type.
            name: Its logical name.
            assumed: What is assumed of its type in the environment.
        """
        said = dict(self.types.get(token, {}))
        for pattern, amounts in self.names:
            if fnmatchcase(name, pattern):
                said.update(amounts)
        return Given({**assumed, **said}, frozenset(assumed) - frozenset(said))

    def overlaid(self, other: Usage) -> Usage:
        """This usage, and where both speak of the same, the other's."""
        types = {
            token: {**self.types.get(token, {}), **other.types.get(token, {})}
            for token in {**self.types, **other.types}
        }
        return Usage(types, (*self.names, *other.names))

    def unmatched(self, resources: Iterable[tuple[str, str]]) -> tuple[str, ...]:
        """The types and patterns that no resource took up.

        Args:
            resources: Type and name of every resource.
        """
        there = list(resources)
        types = {token for token, _ in there}
        names = [pattern for pattern, _ in self.names if not any(fnmatchcase(name, pattern) for _, name in there)]
        return (*(token for token in self.types if token not in types), *names)


def assumed(catalogue: Catalogue, environment: str) -> Mapping[str, Mapping[str, Range]]:
    """What is assumed in an environment, by type; nothing in one that the catalogue does not name."""
    chosen = catalogue.defaults.get(environment, {})

    def where(path: Sequence[int | str]) -> str:
        return f"{catalogue.folder / 'defaults.toml'} ({environment}: {'.'.join(map(str, path))})"

    return parse({"types": chosen}, catalogue, where).types


def parse(document: Mapping[str, Any], catalogue: Catalogue, where: Where) -> Usage:
    """Check what a file or an environment says of usage.

    Args:
        document: ``{"types": {...}, "names": {...}}``.
        catalogue: Says which usage each type has.
        where: Tells the place of a path into the document.

    Raises:
        UsageError: An unknown section, type or key, or a value that is none; with the nearest name.
    """
    for section in document:
        _must_be(section, _SECTIONS, where([section]), "section")
    types: dict[str, Mapping[str, Range]] = {}
    for token, amounts in (document.get("types") or {}).items():
        rule = catalogue.rule(token)
        if rule is None:
            raise _unknown(token, catalogue.rules(cloud_of(token) or "aws"), where(["types", token]), "priced type")
        types[token] = _amounts(amounts, (*rule.usage, *ANY_USAGE), ["types", token], where)
    names: list[tuple[str, Mapping[str, Range]]] = []
    written = document.get("names") or {}
    every = sorted({key for rule in catalogue.types.values() for key in rule.usage}) if written else []
    for pattern, amounts in written.items():
        names.append((pattern, _amounts(amounts, (*every, *ANY_USAGE), ["names", pattern], where)))
    return Usage(types, tuple(names))


def hours_of(schedule: str) -> Decimal | None:
    """Hours a month that a weekly schedule runs, such as ``Mon-Fri 08:00-18:00``; ``None`` where it is none.

    ``off`` at or before ``on`` means the next day. A month has 730 / 168 weeks.
    """
    match = _SCHEDULE.fullmatch(schedule.strip())
    if match is None:
        return None
    first, last = match["from"].lower(), (match["to"] or match["from"]).lower()
    if first not in _DAYS or last not in _DAYS:
        return None
    days = (_DAYS.index(last) - _DAYS.index(first)) % len(_DAYS) + 1
    on, off = _minutes(match["on"]), _minutes(match["off"])
    if on is None or off is None:
        return None
    daily = Decimal((off - on) if off > on else (off - on) + 24 * 60) / 60
    return days * daily * HOURS_PER_MONTH / _HOURS_PER_WEEK


def _minutes(clock: str) -> int | None:
    hour, minute = (int(part) for part in clock.split(":"))
    return hour * 60 + minute if hour * 60 + minute <= 24 * 60 and minute < 60 else None


def _amounts(written: Any, valid: Sequence[str], path: list[int | str], where: Where) -> Mapping[str, Range]:
    if not isinstance(written, Mapping):
        raise UsageError("usage is written as keys and amounts", where=where(path), fix="such as {storage_gb: 500}")
    amounts: dict[str, Range] = {}
    for key, value in written.items():
        at = where([*path, key])
        _must_be(key, valid, at, "usage")
        if key == "schedule":
            hours = hours_of(str(value))
            if hours is None:
                raise UsageError(f"{value!r} is no schedule", where=at, fix='write it as "Mon-Fri 08:00-18:00"')
            amounts["hours"] = Range.exactly(hours)
        else:
            amounts[key] = _range(value, at)
    if "hours" in amounts and amounts["hours"].high > HOURS_PER_MONTH:
        raise UsageError(f"a month has {HOURS_PER_MONTH} hours", where=where([*path, "hours"]), fix="write fewer hours")
    return amounts


def _range(value: Any, at: str) -> Range:
    ranged = isinstance(value, Mapping) and set(value) == set(_RANGE)
    parts = [value[part] for part in _RANGE] if ranged else [value] * len(_RANGE)
    if any(isinstance(part, bool) or not isinstance(part, int | float | Decimal) for part in parts):
        raise UsageError(
            f"{value!r} is no amount", where=at, fix="write a number, or {low: 100, expected: 200, high: 500}"
        )
    try:
        low, expected, high = (Decimal(str(part)) for part in parts)
    except InvalidOperation:
        raise UsageError(f"{value!r} is no amount", where=at, fix="write a number") from None
    if not 0 <= low <= expected <= high or not high.is_finite():
        raise UsageError(f"{value!r}: amounts rise from low to high, none below 0", where=at, fix="put them in order")
    return Range(low, expected, high)


def _must_be(name: Any, valid: Iterable[str], where: str, what: str) -> None:
    if name not in valid:
        raise _unknown(name, valid, where, what)


def _unknown(name: Any, valid: Iterable[str], where: str, what: str) -> UsageError:
    names = list(valid)
    near = difflib.get_close_matches(str(name), names, n=1, cutoff=0.5)
    listed = ", ".join(names[:_LISTED]) + (", ..." if len(names) > _LISTED else "")
    fix = f"did you mean {near[0]!r}?" if near else f"there are: {listed}"
    return UsageError(f"no {what} is called {str(name)!r}", where=where, fix=fix)
