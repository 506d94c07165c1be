"""How what would be applied departs from what was approved; nothing is applied where it does."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from levee.errors import GateError
from levee.plan import UNKNOWN, Urn, Verdict
from levee.review.approval import Approval, Code, Registration
from levee.review.changes import flat

_SHOWN: Final = 12
_ABSENT: Final = object()


def of_code(approved: Code, now: Code) -> tuple[str, ...]:
    """What runs, or judges, other than what was approved: a sentence each."""
    return (
        *_by_name("file", approved.files, now.files),
        *_by_name("provider SDK", approved.packages, now.packages),
        *(() if approved.levee == now.levee else ("the rules are those of another Levee",)),
    )


def of_plan(approved: Approval, now: Approval) -> tuple[str, ...]:
    """What the program asks for, would destroy, or is told by the rules, other than what was approved.

    A rule departs where it fails on what it passed. One that could not be decided when it was approved may fail now
    that the cloud's values are known: that was open, it is shown, and a mandatory one blocks by itself. A broken rule
    that is kept now, or a deletion that is not due any more, departs in nothing.
    """
    destroys = sorted({*now.destroys} - {*approved.destroys})
    said = {(j.policy, j.urn) for j in approved.judgements}
    against = [j for j in now.judgements if j.verdict is not Verdict.NOT_EVALUATED]
    new = [j for j in against if (j.policy, j.urn) not in said]
    return (
        *_resources(approved.resources, now.resources),
        *(f"{_short(urn)}: would be deleted or replaced" for urn in destroys),
        *(f"rule {j.policy}: {j.verdict} on {_short(j.urn) if j.urn else 'the stack'}" for j in new),
    )


def refuse(departures: Iterable[str], file: Path, stack: str) -> None:
    """Go on only where nothing departs.

    Raises:
        GateError: Something does; the first dozen are named.
    """
    found = list(departures)
    if not found:
        return
    more = [f"and {len(found) - _SHOWN:,} more"] if len(found) > _SHOWN else []
    raise GateError(
        "not what was approved, so nothing was applied:\n  " + "\n  ".join([*found[:_SHOWN], *more]),
        where=str(file),
        fix=f"levee preview {stack} --approve {file}, and have that approved",
    )


def _by_name(what: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for name in sorted({*before, *after}):
        if name not in before:
            yield f"{what} {name}: was not there"
        elif name not in after:
            yield f"{what} {name}: is gone"
        elif before[name] != after[name]:
            yield f"{what} {name}: is another"


def _resources(before: Mapping[str, Registration], after: Mapping[str, Registration]) -> Iterator[str]:
    for urn in sorted({*before, *after}):
        if urn not in before:
            yield f"{_short(urn)}: was not asked for"
        elif urn not in after:
            yield f"{_short(urn)}: is not asked for any more"
        else:
            yield from (f"{_short(urn)} {said}" for said in _registration(before[urn], after[urn]))


def _registration(before: Registration, after: Registration) -> Iterator[str]:
    if before.provider != after.provider:
        yield f"provider: {_name(before.provider)}, now {_name(after.provider)}"
    for name in sorted({*before.made_of, *after.made_of}):
        one, other = before.made_of.get(name), after.made_of.get(name)
        if one != other:
            yield f"{name}: made of {_names(one)}, now of {_names(other)}"
    old = dict(flat(_compared(before, after)))
    new = dict(flat(_compared(after, before)))
    for path in sorted({*old, *new}):
        one, other = old.get(path, _ABSENT), new.get(path, _ABSENT)
        if one != other:
            yield f"{path}: {_text(one)}, now {_text(other)}"


def _compared(side: Registration, other: Registration) -> Mapping[str, Any]:
    """The values that both sides have as such; of the rest it is told what they are made of."""
    return {name: value for name, value in side.inputs.items() if name not in other.made_of}


def _text(value: Any) -> str:
    if value is _ABSENT:
        return "absent"
    return "unknown" if value == UNKNOWN else json.dumps(value, ensure_ascii=False)


def _short(urn: str) -> str:
    """The resource as a person calls it."""
    parsed = Urn.parse(urn)
    return f"{parsed.type} {parsed.name}"


def _name(urn: str) -> str:
    return Urn.parse(urn).name if urn else "none"


def _names(urns: Iterable[str] | None) -> str:
    return ", ".join(_short(urn) for urn in urns) if urns else "no resource"
