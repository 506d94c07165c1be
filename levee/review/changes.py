"""What the head would do to the resources of the base, and to which of their properties."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any, Final

from levee.plan import STACK_TYPE, UNKNOWN, Op, Plan, Resource, Source
from levee.report.naming import OPS
from levee.review.model import Change, PropertyChange
from levee.review.stateful import stateful

_ABSENT: Final = object()
_SHOWN: Final = frozenset({Op.CREATE, Op.UPDATE, Op.REPLACE, Op.DELETE, Op.IMPORT})
_ORDER: Final = {op: place for place, op in enumerate(OPS)}


def changes(base: Plan | None, head: Plan, folder: PurePosixPath | None = None) -> tuple[tuple[Change, ...], int]:
    """The changes that are the head's doing.

    Args:
        base: A preview of the base on its own state; ``None`` where there is no base.
        head: A preview of the head on that state.
        folder: The project's folder in the repository, which the files of their sources then begin with; ``None``
            where it is the top one.

    Returns:
        The changes, replacements and deletions of stateful resources first; and how many were left out because the
        base shows the very same against its own state (a program that asks the clock, say).
    """
    before = base.by_urn if base else {}
    found: list[Change] = []
    unsettled = 0
    for resource in head.resources:
        if not _counts(resource):
            continue
        old = before.get(resource.urn)
        if old is not None and _same_doing(old, resource):
            unsettled += 1
            continue
        placed = replace(resource, source=in_repository(resource.source, folder))
        found.append(Change(resource.op, placed, stateful(resource), tuple(_properties(old, resource))))
    return tuple(sorted(found, key=dangerous)), unsettled


def dangerous(change: Change) -> tuple[bool, int, bool, str, str]:
    """Sort key of a change: what loses data first, then by operation."""
    return (not change.endangers, _ORDER[change.op], not change.stateful, change.resource.type, change.resource.name)


def in_repository(source: Source | None, folder: PurePosixPath | None) -> Source | None:
    """A place in the project as a place in the repository."""
    if folder is None or source is None or PurePosixPath(source.file).is_absolute():
        return source
    return Source(str(folder / source.file), source.line)


def _counts(resource: Resource) -> bool:
    return resource.op in _SHOWN and not resource.is_provider and resource.type != STACK_TYPE


def _same_doing(old: Resource, new: Resource) -> bool:
    """Whether base and head do the same to the resource, to the same properties; the values are the program's whim."""
    if old.op is not new.op or new.op is Op.CREATE:
        return False
    return old.diff == new.diff and old.replace_keys == new.replace_keys


def _properties(old: Resource | None, new: Resource) -> Iterator[PropertyChange]:
    if new.op is Op.DELETE:
        return
    before = dict(flat(old.inputs)) if old is not None and new.op is not Op.CREATE else {}
    after = dict(flat(new.inputs))
    for path in sorted({*before, *after}):
        one, other = before.get(path, _ABSENT), after.get(path, _ABSENT)
        if one != other:
            yield PropertyChange(path, _text(one), _text(other))


def flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of a property value by path: ``ingress[0].cidrBlocks[1]``; the engine's own keys left out.

    A text that is JSON, as policy documents are, counts as what it holds.
    """
    if isinstance(value, str) and value[:1] in ("{", "["):
        value = _parsed(value)
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            if not key.startswith("__"):
                yield from flat(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from flat(item, f"{path}[{index}]")
    elif path:
        yield path, value


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _text(value: Any) -> str | None:
    if value is _ABSENT:
        return None
    return "(known after the update)" if value == UNKNOWN else json.dumps(value, ensure_ascii=False)
