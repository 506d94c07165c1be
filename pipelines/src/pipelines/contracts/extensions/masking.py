"""How personal columns are masked, whom rows are about, and how many must look alike before they are published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from pipelines.contracts.extensions.registry import Extension, Registry
from pipelines.contracts.odcs import Model

TEXT: Final = frozenset({"string"})
TIME: Final = frozenset({"date", "timestamp"})
NUMBER: Final = frozenset({"tinyint", "smallint", "int", "bigint", "decimal", "float", "double"})


@dataclass(frozen=True, slots=True)
class MethodSpec:
    """What a masking method needs of the contract.

    Attributes:
        types: Spark SQL types that it masks, without their precision.
        options: Keys that it reads beside ``method``.
        one_of: Keys of which exactly one is given.
        needs: Keys that are given.
        repeatable: Equal values become equal masks, so that a mask still tells who is the same.
    """

    types: frozenset[str]
    options: frozenset[str] = frozenset()
    one_of: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    repeatable: bool = False


METHODS: Final[Mapping[str, MethodSpec]] = {
    "hash": MethodSpec(TEXT, frozenset({"characters"}), repeatable=True),
    "token": MethodSpec(TEXT, repeatable=True),
    "redact": MethodSpec(TEXT | TIME | NUMBER | {"boolean"}, frozenset({"text"})),
    "generalise": MethodSpec(
        TEXT | TIME | NUMBER, frozenset({"to", "band", "ceiling", "prefix"}), frozenset({"to", "band", "prefix"})
    ),
    "shift": MethodSpec(TIME, frozenset({"by", "days"}), needs=frozenset({"by"})),
    "detect": MethodSpec(TEXT, frozenset({"entities"})),
}
"""The masking methods; each is a function of :mod:`pipelines.privacy.methods` under the same name."""

_OPTION_TYPES: Final = {"to": TIME, "band": NUMBER, "ceiling": NUMBER, "prefix": TEXT, "text": TEXT}
"""Types that an option speaks of, where a method takes more."""


class Masking(Model):
    """How a personal column is masked on its way to silver; a method refuses the keys of others.

    `hash`: keyed hash (HMAC-SHA256, RFC 2104), without whose key nothing can be tried out. `token`: digits become
    digits, letters letters of the same case, everything else and the length stay; one value has one token and one
    token one value. `redact`: a fixed text, or null. `generalise`: a date to its month or year, a number to its band, a
    text to its first characters. `shift`: a date moved by a number of days that is the subject's own. `detect`: what
    pattern recognisers find in free text becomes the name of its kind in angle brackets; they do not find names.
    """

    method: Literal["hash", "token", "redact", "generalise", "shift", "detect"] = Field(description="The method.")
    characters: Annotated[int, Field(ge=16, le=64)] = Field(
        default=32, description="`hash`: hexadecimal characters kept; 32 are 128 bits."
    )
    text: str | None = Field(default=None, description="`redact`: what stands in every row; `null` for null.")
    to: Literal["month", "year"] | None = Field(
        default=None, description="`generalise` of a date or time: to the first of its month or year."
    )
    band: Annotated[float, Field(gt=0, strict=False)] | None = Field(
        default=None, description="`generalise` of a number: to the lower bound of its band of this width."
    )
    ceiling: Annotated[float, Field(strict=False)] | None = Field(
        default=None,
        description="`generalise` with `band`: numbers above count as this one, e.g. ages over 89 "
        "(45 CFR 164.514(b)(2)(i)(C)).",
    )
    prefix: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="`generalise` of a text: characters kept, e.g. 3 of a postcode."
    )
    by: str | None = Field(
        default=None, description="`shift`: column that says whom the row is about; its raw value decides the days."
    )
    days: Annotated[int, Field(ge=1, le=3650)] = Field(
        default=182, description="`shift`: at most so many days to either side, never none."
    )
    entities: tuple[str, ...] = Field(
        default=(),
        strict=False,
        description="`detect`: kinds that are looked for, by presidio-analyzer's names; all that patterns find where "
        "none is given.",
    )

    @model_validator(mode="after")
    def _options_fit_the_method(self) -> Masking:
        spec = METHODS[self.method]
        given = self.model_fields_set - {"method"}
        if strange := sorted(given - spec.options):
            takes = ", ".join(sorted(spec.options)) or "no other key"
            raise ValueError(f"{self.method} does not take {strange[0]}; it takes {takes}")
        if spec.one_of and len(given & spec.one_of) != 1:
            raise ValueError(f"{self.method} wants exactly one of {', '.join(sorted(spec.one_of))}")
        if missing := sorted(spec.needs - given):
            raise ValueError(f"{self.method} wants {missing[0]}")
        if self.ceiling is not None and self.band is None:
            raise ValueError("ceiling goes with band")
        return self

    @property
    def types(self) -> frozenset[str]:
        """Spark SQL types that this masking can mask, without their precision."""
        types = METHODS[self.method].types
        for option in self.model_fields_set & _OPTION_TYPES.keys():
            if getattr(self, option) is not None:
                types &= _OPTION_TYPES[option]
        return types

    @property
    def repeatable(self) -> bool:
        """Whether equal values become equal masks, and different values different ones."""
        return METHODS[self.method].repeatable


class DataSubject(Model):
    """Whom the rows are about: what `levee erase` finds a person by, in every dataset of the same type."""

    type: Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")] = Field(
        description="Kind of subject, such as `customer`; datasets of one type are erased together."
    )
    columns: tuple[str, ...] = Field(
        min_length=1, strict=False, description="Columns of which each alone names the subject."
    )


class KAnonymity(Model):
    """How many rows must share what an outsider may know, before the table is published (Sweeney 2002).

    k-anonymity: L. Sweeney, Int. J. Uncertainty, Fuzziness and Knowledge-Based Systems 10(5), 557-570. l-diversity, in
    its distinct form: A. Machanavajjhala et al., ACM Trans. Knowledge Discovery from Data 1(1), 2007.
    """

    quasi_identifiers: tuple[str, ...] = Field(
        min_length=1, strict=False, description="Columns by which an outsider could find a person."
    )
    k: Annotated[int, Field(ge=2)] = Field(default=5, description="Rows that share every combination, at least.")
    sensitive: str | None = Field(default=None, description="Column that nobody may conclude from the others.")
    l: Annotated[int, Field(ge=2)] = Field(  # noqa: E741 - the literature's name
        default=2, description="Different values of `sensitive` in every combination, at least; where it is given."
    )
    on_failure: Literal["failBatch", "suppress"] = Field(
        default="failBatch",
        description="`failBatch`: nothing is published; `suppress`: the rows of small combinations are withheld.",
    )


CONTRACT_PROPERTIES: Registry = {
    "dataSubject": Extension.of(DataSubject),
    "kAnonymity": Extension.of(KAnonymity),
}

COLUMN_PROPERTIES: Registry = {
    "masking": Extension.of(Masking),
}
