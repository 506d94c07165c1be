"""The price catalogue: which types are known, how each is priced, and what a unit costs.

Its data are files beside this module (``data/``), one pair a cloud: ``<cloud>.toml`` says per type which inputs choose
a component and its quantity, ``<cloud>.csv`` what a unit of it costs, with the source. They are read when first needed.
"""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatchcase
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

from levee.cost.expression import usage_keys
from levee.errors import UsageError

DATA: Final = Path(__file__).parent / "data"
"""The catalogue that Levee ships."""

CLOUDS: Final[Mapping[str, str]] = {
    "aws": "aws",
    "azure-native": "azure",
    "gcp": "gcp",
    "databricks": "databricks",
}
"""Provider package to the name of its files."""

BASE_REGIONS: Final[Mapping[str, str]] = {"aws": "us-east-1", "azure": "eastus", "gcp": "us-central1"}
"""The region that every price without a region is of."""

PRICE_COLUMNS: Final = ("key", "from", "unit", "usd", "label", "fact", "source")
_VERSION: Final = re.compile(r"/v\d{8}\w*:")
"""The API version in a token of azure-native; a type is priced alike in every version."""

ANY_USAGE: Final = ("hours", "schedule")
"""Usage that every type takes: how long it runs."""


@dataclass(frozen=True, slots=True)
class LineRule:
    """One component of a type's price.

    Attributes:
        name: Its name, with expressions in braces.
        price: Key of its price, likewise.
        quantity: Expression for the units a month.
        when: Expression for whether the resource has it at all; empty where it always does.
        each: Path of a list of inputs: the rule holds once for each ``item``.
    """

    name: str
    price: str
    quantity: str
    when: str = ""
    each: str = ""

    @property
    def usage(self) -> tuple[str, ...]:
        """The usage that it reads."""
        return usage_keys(f"{self.quantity} {self.when}")


@dataclass(frozen=True, slots=True)
class Relation:
    """Another resource whose inputs a rule reads: the one of ``type`` that the input ``property`` came from."""

    property: str
    type: str


@dataclass(frozen=True, slots=True)
class TypeRule:
    """How a type is priced.

    Attributes:
        lines: Its components.
        facts: Terraform's name of the type, under which public price lists know it; may be empty.
        related: Other resources by the name that expressions use.
        nodes: Expressions for ``nodes`` at the least, as expected and at the most; may be empty.
        regional: Whether prices differ by region.
    """

    lines: tuple[LineRule, ...]
    facts: str = ""
    related: Mapping[str, Relation] = field(default_factory=dict)
    nodes: tuple[str, ...] = ()
    regional: bool = True

    @property
    def usage(self) -> tuple[str, ...]:
        """The usage that it reads, besides ``ANY_USAGE``."""
        of_nodes = (key for text in self.nodes for key in usage_keys(text))
        return tuple(dict.fromkeys([*(key for line in self.lines for key in line.usage), *of_nodes]))


@dataclass(frozen=True, slots=True)
class Tier:
    """What a unit costs from a quantity on."""

    start: Decimal
    usd: Decimal
    label: str


@dataclass(frozen=True, slots=True)
class Price:
    """What a unit of a component costs.

    Attributes:
        key: Its key.
        unit: What is counted.
        tiers: At least one, the first from zero.
        fact: Terraform type and component under which public price lists have it, ``type: component``; may be empty.
        source: Id in ``sources.toml``, perhaps with ``@`` and a date.
    """

    key: str
    unit: str
    tiers: tuple[Tier, ...]
    fact: str
    source: str


@dataclass(frozen=True, slots=True)
class Source:
    """Where prices come from, and the ISO date on which they were read."""

    title: str
    url: str
    as_of: str


@dataclass(frozen=True, slots=True)
class Multiplier:
    """How prices of a region compare with the base region's: the median over that many prices."""

    factor: Decimal
    prices_compared: int


class Catalogue:
    """Prices and rules.

    Args:
        folder: Where its files are.

    Raises:
        UsageError: From any method, where a file is malformed; with file and line.
    """

    def __init__(self, folder: Path = DATA) -> None:
        self.folder = folder
        self._rules: dict[str, Mapping[str, TypeRule]] = {}
        self._prices: dict[str, Mapping[str, Price]] = {}

    def rule(self, token: str) -> TypeRule | None:
        """How a type is priced; ``None`` where the catalogue does not know it."""
        cloud = cloud_of(token)
        return self.rules(cloud).get(_VERSION.sub(":", token)) if cloud else None

    def rules(self, cloud: str) -> Mapping[str, TypeRule]:
        """Every type of a cloud's file."""
        if cloud not in self._rules:
            path = self.folder / f"{cloud}.toml"
            self._rules[cloud] = {token: _type_rule(entry, token, path) for token, entry in _toml(path).items()}
        return self._rules[cloud]

    @cached_property
    def types(self) -> Mapping[str, TypeRule]:
        """Every priced type of every cloud."""
        return {token: rule for cloud in dict.fromkeys(CLOUDS.values()) for token, rule in self.rules(cloud).items()}

    def prices(self, cloud: str) -> Mapping[str, Price]:
        """Every price of a cloud's file by key."""
        if cloud not in self._prices:
            self._prices[cloud] = read_prices(self.folder / f"{cloud}.csv")
        return self._prices[cloud]

    @cached_property
    def ratings(self) -> Mapping[str, Decimal]:
        """DBU an hour by ``<cloud>/<machine>`` and by ``warehouse/<size>``, in lower case."""
        path = self.folder / "ratings.csv"
        return {row["key"]: _decimal(row["dbu_per_hour"], path, line) for line, row in _rows(path)}

    @cached_property
    def multipliers(self) -> Mapping[tuple[str, str], Multiplier]:
        """By cloud and region."""
        path = self.folder / "regions.csv"
        return {
            (row["cloud"], row["region"]): Multiplier(
                _decimal(row["multiplier"], path, line), int(row["prices_compared"])
            )
            for line, row in _rows(path)
        }

    def source(self, id_: str) -> Source:
        """The source of a price; one that was refreshed has the date of its own behind an ``@``."""
        plain, _, as_of = id_.partition("@")
        source = self.sources[plain]
        return replace(source, as_of=as_of) if as_of else source

    @cached_property
    def sources(self) -> Mapping[str, Source]:
        """By id."""
        return {id_: Source(**entry) for id_, entry in _toml(self.folder / "sources.toml").items()}

    @cached_property
    def defaults(self) -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
        """Usage assumed by environment and type, as the file has it."""
        return _toml(self.folder / "defaults.toml")

    @cached_property
    def _free(self) -> Mapping[str, list[str]]:
        return _toml(self.folder / "free.toml")

    def is_free(self, token: str) -> bool:
        """Whether a type is known to cost nothing itself."""
        plain = _VERSION.sub(":", token)
        if any(fnmatchcase(plain, pattern) for pattern in self._free["except"]):
            return False
        return any(fnmatchcase(plain, pattern) for pattern in self._free["types"])


def cloud_of(token: str) -> str | None:
    """Name of the files that price a type's package; ``None`` where none does."""
    return CLOUDS.get(token.partition(":")[0])


@cache
def shipped() -> Catalogue:
    """The catalogue that Levee ships, read once in a process."""
    return Catalogue()


def read_prices(path: Path) -> Mapping[str, Price]:
    """Read a price file: ``key,from,unit,usd,label,fact,source``, one tier a line.

    Raises:
        UsageError: It cannot be read, or a line is wrong; with file and line.
    """
    tiers: dict[str, list[Tier]] = {}
    heads: dict[str, Mapping[str, str]] = {}
    for line, row in _rows(path, PRICE_COLUMNS):
        tier = Tier(_decimal(row["from"], path, line), _decimal(row["usd"], path, line), row["label"])
        known = tiers.setdefault(row["key"], [])
        rises = tier.start > known[-1].start if known else tier.start == 0
        if tier.usd < 0 or not rises:
            raise UsageError(
                f"the tiers of {row['key']!r} do not begin at 0 and rise, or a price is negative",
                where=f"{path}:{line}",
                fix="order the lines of a key by `from`, the first from 0",
            )
        known.append(tier)
        heads.setdefault(row["key"], row)
    return {key: Price(key, row["unit"], tuple(tiers[key]), row["fact"], row["source"]) for key, row in heads.items()}


def _rows(path: Path, columns: tuple[str, ...] = ()) -> Iterator[tuple[int, Mapping[str, str]]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if columns and tuple(reader.fieldnames or ()) != columns:
                raise UsageError("not a price file", where=f"{path}:1", fix=f"begin it with {','.join(columns)}")
            for row in reader:
                if None in row or None in row.values():
                    fix = f"give it {len(reader.fieldnames or ())} fields"
                    raise UsageError("not a line of the file", where=f"{path}:{reader.line_num}", fix=fix)
                yield reader.line_num, row
    except OSError as wrong:
        fix = "name a folder that holds a catalogue"
        raise UsageError(f"cannot be read: {wrong.strerror or wrong}", where=str(path), fix=fix) from None
    except (UnicodeDecodeError, csv.Error) as wrong:
        raise UsageError(f"not CSV in UTF-8: {wrong}", where=str(path), fix="mend the file") from None


def _decimal(text: str, path: Path, line: int) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise UsageError(f"{text!r} is no number", where=f"{path}:{line}", fix="write it as 0.0416") from None


def _toml(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as wrong:
        raise UsageError(f"not TOML: {wrong}", where=str(path), fix="correct the line it names") from None


def _type_rule(entry: Mapping[str, Any], token: str, path: Path) -> TypeRule:
    try:
        return TypeRule(
            lines=tuple(LineRule(**line) for line in entry["lines"]),
            facts=entry.get("facts", ""),
            related={name: Relation(**relation) for name, relation in entry.get("related", {}).items()},
            nodes=tuple(entry.get("nodes", ())),
            regional=entry.get("regional", True),
        )
    except (KeyError, TypeError) as wrong:
        fix = "a type has lines, each with name, price and quantity, and perhaps when and each"
        raise UsageError(f"{token}: {wrong}", where=str(path), fix=fix) from None
