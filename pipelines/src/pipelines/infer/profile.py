"""What was seen of each field: its type, nulls, different values, range, and whether it probably is personal."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations
from typing import Final

from pipelines.infer.personal import Suspicion, suspicion
from pipelines.infer.sample import Sample
from pipelines.infer.types import CERTAIN_NULLS, NULL_TEXTS, STRING, Guess, guess

ENOUGH: Final = 100
"""Records from which it is believed that a field without nulls has none."""
_KEYED: Final = 8
"""Fields among which pairs are tried as keys."""
_RANGED: Final = frozenset({"integer", "number", "date", "timestamp"})


@dataclass(frozen=True, slots=True)
class Profile:
    """One field.

    Attributes:
        field: Its name at the source.
        column: Its name in the contract.
        guess: Its type.
        rows: Records that were read.
        nulls: Records without a value.
        distinct: Different values.
        range: Least and greatest value, as they are written; empty for texts, and for what may be personal.
        suspicion: What of a person it probably holds.
        required: Whether the contract asks for a value.
    """

    field: str
    column: str
    guess: Guess
    rows: int
    nulls: int
    distinct: int
    range: str
    suspicion: Suspicion | None
    required: bool

    @property
    def unique(self) -> bool:
        """Whether no value came twice, and none was missing."""
        return self.nulls == 0 and self.distinct == self.rows > 1


def null_texts(sample: Sample) -> tuple[str, ...]:
    """Texts that mean null: certain ones, and others that stand only where they keep a field from having a type."""
    columns = {name: {value for value in values if value} for name, values in sample.fields.items()}
    found = []
    for text in NULL_TEXTS:
        inside = [values for values in columns.values() if text in values]
        others = [values - set(NULL_TEXTS) for values in inside]
        if inside and (text in CERTAIN_NULLS or all(values and guess(values) != STRING for values in others)):
            found.append(text)
    return ("", *found)


def profiles(sample: Sample, nulls: Collection[str]) -> tuple[Profile, ...]:
    """Look at every field of a sample."""
    names = column_names(sample.fields)
    return tuple(_profile(sample, field, names[field], nulls) for field in sample.fields)


def _profile(sample: Sample, field: str, column: str, nulls: Collection[str]) -> Profile:
    present = [value for value in sample.fields[field] if value is not None and value not in nulls]
    distinct = sorted(set(present))
    missing = sample.rows - len(present)
    found = Guess(sample.types[field]) if field in sample.types else guess(distinct)
    suspected = suspicion(column, distinct)
    seen = missing == 0 and sample.rows >= ENOUGH
    return Profile(
        field=field,
        column=column,
        guess=found,
        rows=sample.rows,
        nulls=missing,
        distinct=len(distinct),
        range="" if suspected else _range(distinct, found),
        suspicion=suspected,
        required=field in sample.required or (seen and not sample.required),
    )


def _range(values: Sequence[str], found: Guess) -> str:
    if not values or found.logical not in _RANGED:
        return ""
    if found.logical in ("integer", "number"):
        ordered = sorted(values, key=_number)
        return f"{ordered[0].strip()} to {ordered[-1].strip()}"
    return f"{values[0]} to {values[-1]}" if found.format is None else ""


def _number(text: str) -> Decimal:
    return Decimal(text.strip())


def candidate_keys(sample: Sample, found: Sequence[Profile]) -> tuple[tuple[str, ...], ...]:
    """Columns, or else pairs of columns, whose values never came twice; none where records were few."""
    if sample.rows < 2:
        return ()
    single = tuple((profile.column,) for profile in found if profile.unique)
    if single:
        return single
    whole = [profile for profile in found if profile.nulls == 0 and profile.guess.type != "double"]
    likely = sorted(whole, key=lambda profile: -profile.distinct)[:_KEYED]
    return tuple(
        (one.column, other.column)
        for one, other in combinations(likely, 2)
        if one.distinct * other.distinct >= sample.rows and _pairs(sample, one, other) == sample.rows
    )


def _pairs(sample: Sample, one: Profile, other: Profile) -> int:
    return len(set(zip(sample.fields[one.field], sample.fields[other.field], strict=True)))


def column_names(fields: Iterable[str]) -> Mapping[str, str]:
    """The contract's name of each field: lower snake_case, different from each other."""
    found: dict[str, str] = {}
    for field in fields:
        plain = unicodedata.normalize("NFKD", field).encode("ascii", "ignore").decode()
        parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", plain)
        name = re.sub(r"[^a-z0-9]+", "_", parted.lower()).strip("_")
        name = name if name[:1].isalpha() else f"column_{name}".rstrip("_")
        name, number = name[:60], 2
        base = name
        while name in found.values():
            name, number = f"{base}_{number}", number + 1
        found[field] = name
    return found
