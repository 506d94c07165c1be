"""What a file has against what its contract says: columns that went, came, or are of another type."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from pipelines.bronze.formats.form import Form, Look

if TYPE_CHECKING:
    from pipelines.contracts.model import Contract

FITTING: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "integer": frozenset({"integer"}),
        "number": frozenset({"integer", "number"}),
        "boolean": frozenset({"boolean"}),
        "date": frozenset({"date"}),
        "timestamp": frozenset({"timestamp", "date"}),
        "text": frozenset({"string"}),
    }
)
"""Types of a file's column that fit what the contract expects; ``text`` is a date or time that has a pattern."""
MOST_NAMED = 30
"""Columns of a file that a message names."""
CLOSE = 0.6
"""Likeness above which a column that came may be one that went, by difflib's ratio."""


@dataclass(frozen=True, slots=True)
class Drift:
    """How a file's columns differ from its contract's.

    Attributes:
        columns: Columns of the file.
        removed: Fields of the contract that the file lacks.
        added: Columns of the file that the contract does not know, each with its type where the format has types.
        changed: Fields of another type, each with the contract's and the file's.
        renamed: By fields that were removed, the file's column that each may have become.
    """

    columns: tuple[str, ...]
    removed: tuple[str, ...]
    added: Mapping[str, str]
    changed: Mapping[str, tuple[str, str]]
    renamed: Mapping[str, str]

    def violation(self, form: Form) -> str | None:
        """Say why the contract refuses the file, with the difference column by column; ``None`` where it does not."""
        told = [self._removed()] if self.removed else []
        told += [f"{name!r} has another type: {old} -> {new}" for name, (old, new) in self.changed.items()]
        if self.added and (form.drift == "fail" or told):
            named = ", ".join(f"{name!r}{f' ({kind})' if kind else ''}" for name, kind in self.added.items())
            told.append(f"it has {'columns' if len(self.added) > 1 else 'a column'} more: {named}")
        refused = self.removed or self.changed or (self.added and form.drift == "fail")
        return f"schema: {'; '.join(told)}" if refused else None

    def _removed(self) -> str:
        text = f"it has no column {', '.join(map(repr, self.removed))}"
        alike = [
            f"{old!r} may be {new!r} now" + (", of another case" if old.lower() == new.lower() else "")
            for old, new in self.renamed.items()
        ]
        has = ", ".join(map(repr, self.columns[:MOST_NAMED])) + (", ..." if len(self.columns) > MOST_NAMED else "")
        return f"{text} ({'; '.join([*alike, f'its columns are {has}'])})"


def expected_types(contract: Contract) -> Mapping[str, str]:
    """Return the type that a source field must have in files that have types, a key of `FITTING`.

    Fields that an expression reads may be of any type, as may those of texts; what an extraction lands is text.
    """
    if contract.extraction is not None:
        return {}
    types: dict[str, set[str | None]] = {}
    for column in contract.columns:
        direct = column.expression is None and column.logical_type in FITTING
        kind = ("text" if column.format else column.logical_type) if direct else None
        for name in column.sources:
            types.setdefault(name, set()).add(kind)
    return {name: kind for name, kinds in types.items() if len(kinds) == 1 and (kind := next(iter(kinds))) is not None}


def compare(look: Look, form: Form, types: Mapping[str, str], told: Iterable[str] = ()) -> Drift:
    """Compare what a file has with what its contract says.

    Args:
        look: What the file has.
        form: How it is read.
        types: Expected types, by field.
        told: Fields that the names of the file's folders tell.
    """
    elsewhere = {*told}
    paths = {name.split(".", 1)[0] for name in form.fields if name not in look.columns}
    added = {name: kind.text if kind else "" for name, kind in look.columns.items() if name not in form.fields}
    added = {name: kind for name, kind in added.items() if name not in paths and name not in elsewhere}
    removed: tuple[str, ...] = ()
    if look.whole or (form.drift == "fail" and look.columns):
        removed = tuple(name for name in form.fields if name not in elsewhere and not _has(look, name))
    changed = {}
    for name, expected in types.items():
        kind = look.columns.get(name)
        if kind is not None and kind.logical not in FITTING[expected]:
            changed[name] = (expected, kind.text)
    return Drift(tuple(look.columns), removed, added, changed, _renamed(removed, tuple(added)))


def _has(look: Look, name: str) -> bool:
    """Whether a file has a field; what lies within a record without a schema may be there."""
    top = name.split(".", 1)[0]
    return name in look.columns or (top in look.columns and not look.whole)


def _renamed(removed: Sequence[str], added: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in removed:
        by_case = {other.lower(): other for other in added}
        near = by_case.get(name.lower()) or next(iter(difflib.get_close_matches(name, added, 1, CLOSE)), None)
        if near is None and len(removed) == len(added) == 1:
            near = added[0]
        if near is not None:
            found[name] = near
    return found


def edits_of(names: Iterable[str]) -> dict[str, str]:
    """Return for each column that bronze has and the contract lacks what puts it into the contract."""
    return {
        name: f"add `- {{name: {_snake_case(name)}, logicalType: string, classification: ..., "
        f"transformSourceObjects: [{json.dumps(name, ensure_ascii=False)}]}}` to the contract's properties"
        for name in names
    }


def _snake_case(name: str) -> str:
    """A source field's name as a column of silver may have it."""
    words = re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()).strip("_")
    return words if words[:1].isalpha() else f"field_{words}".rstrip("_")
