"""What a cost report holds: frozen values, money in US dollars as ``Decimal``, a month of 730 hours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from typing import Final

HOURS_PER_MONTH: Final = 730
"""Hours that a month is billed as: 8,760 in a year over 12 (AWS Pricing Calculator, Azure retail prices)."""

CENT: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Range:
    """A quantity or an amount at the least, as expected and at the most; the three are equal where nothing varies."""

    low: Decimal
    expected: Decimal
    high: Decimal

    @classmethod
    def exactly(cls, value: Decimal | int) -> Range:
        """One value for all three."""
        exact = Decimal(value)
        return cls(exact, exact, exact)

    @classmethod
    def ordered(cls, low: Decimal, expected: Decimal, high: Decimal) -> Range:
        """The three with ``low <= expected <= high`` restored: an expectation outside its bounds widens them."""
        return cls(min(low, expected, high), expected, max(low, expected, high))

    @property
    def fixed(self) -> bool:
        """Whether nothing varies."""
        return self.low == self.high

    def __add__(self, other: Range) -> Range:
        return Range(self.low + other.low, self.expected + other.expected, self.high + other.high)

    def __sub__(self, other: Range) -> Range:
        """The change from ``other`` to this, scenario by scenario."""
        return Range(self.low - other.low, self.expected - other.expected, self.high - other.high)

    def __mul__(self, factor: Decimal) -> Range:
        return Range(self.low * factor, self.expected * factor, self.high * factor)


ZERO: Final = Range.exactly(0)


class Basis(StrEnum):
    """What a line's quantity, or the lack of its price, rests on. Only the first three have an amount."""

    CONFIGURED = "configured"
    USAGE = "usage"
    ASSUMED = "assumed"
    USAGE_MISSING = "usage missing"
    UNKNOWN = "unknown"
    UNPRICED = "unpriced"

    @property
    def priced(self) -> bool:
        """Whether a line on this basis has an amount."""
        return self in {Basis.CONFIGURED, Basis.USAGE, Basis.ASSUMED}


_UNDECIDED: Final = frozenset({Basis.UNKNOWN, Basis.UNPRICED})


@dataclass(frozen=True, slots=True)
class Line:
    """One component of a resource's price.

    Attributes:
        name: The component, in the vendor's words, such as ``Storage (gp3)``.
        unit: What is counted, such as ``hours``, ``GB`` (a month's mean) or ``1M requests``.
        basis: What the quantity rests on, or why there is no amount.
        quantity: Units a month; ``None`` without one.
        unit_price_usd: US dollars per unit in the region; ``None`` where the catalogue has no price.
        monthly_usd: The product; ``None``, never zero, where either is missing.
        source: Id of the price's source (``sources.toml``); empty without a price.
        as_of: ISO date on which the price was read.
        note: Why there is no amount, or what was estimated, such as the region.
    """

    name: str
    unit: str
    basis: Basis
    quantity: Range | None = None
    unit_price_usd: Decimal | None = None
    monthly_usd: Range | None = None
    source: str = ""
    as_of: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class ResourceCost:
    """One resource of a priced type.

    Attributes:
        urn: The resource.
        type: Its type token.
        name: Its logical name.
        component: URN of the outermost component it belongs to, or empty.
        capability: Name of that component's module, such as ``lake``; empty outside components.
        cost_centre: Value of its cost-centre tag, or empty.
        lines: Its price, component by component.
    """

    urn: str
    type: str
    name: str
    component: str
    capability: str
    cost_centre: str
    lines: tuple[Line, ...]

    @property
    def monthly_usd(self) -> Range:
        """The sum of the lines that have an amount."""
        return total(line.monthly_usd for line in self.lines if line.monthly_usd is not None)

    @property
    def unresolved(self) -> tuple[Line, ...]:
        """The lines without an amount."""
        return tuple(line for line in self.lines if not line.basis.priced)


@dataclass(frozen=True)
class CostReport:
    """What a plan costs in a month.

    Attributes:
        project: The Pulumi project's name.
        stack: The stack's name.
        resources: Every resource of a priced type, the dearest first.
        unpriced: Types that the catalogue does not know, with the URNs of their resources.
        free: Types known to cost nothing, with the number of their resources.
        notes: What was assumed, and usage that no resource took up; one sentence each.
    """

    project: str
    stack: str
    resources: tuple[ResourceCost, ...] = ()
    unpriced: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    free: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def monthly_usd(self) -> Range:
        """The total of what has an amount."""
        return total(resource.monthly_usd for resource in self.resources)

    @property
    def unresolved(self) -> tuple[tuple[ResourceCost, Line], ...]:
        """Every line without an amount, with its resource."""
        return tuple((resource, line) for resource in self.resources for line in resource.unresolved)

    @property
    def dearest(self) -> tuple[tuple[ResourceCost, Line], ...]:
        """Every line with an amount, the most expensive first."""
        lines = [(r, line) for r in self.resources for line in r.lines if line.monthly_usd is not None]
        return tuple(sorted(lines, key=lambda pair: (-_expected(pair[1]), pair[0].urn, pair[1].name)))

    @property
    def by_component(self) -> Mapping[str, Range]:
        """Amount by outermost component's URN; empty for what is in none."""
        return self._by(lambda resource: resource.component)

    @property
    def by_capability(self) -> Mapping[str, Range]:
        """Amount by capability; empty for what is in none."""
        return self._by(lambda resource: resource.capability)

    @property
    def by_cost_centre(self) -> Mapping[str, Range]:
        """Amount by cost centre; empty for what is tagged with none."""
        return self._by(lambda resource: resource.cost_centre)

    @property
    def expected_usd(self) -> Decimal:
        """The expected total of what has an amount."""
        return self.monthly_usd.expected

    @property
    def undecided(self) -> tuple[str, ...]:
        """What has no amount for want of a price or a value; usage that nobody gave is not among it."""
        lines = (f"{r.name}: {line.name} ({line.note})" for r, line in self.unresolved if line.basis in _UNDECIDED)
        types = (f"{token} is not in the catalogue ({len(urns)})" for token, urns in self.unpriced.items())
        return (*lines, *types)

    def only(self, kind: str, name: str) -> CostReport:
        """The part of one ``capability`` or ``cost_centre``; what is not in the catalogue stays whole."""
        kept = tuple(resource for resource in self.resources if getattr(resource, kind) == name)
        return replace(self, resources=kept)

    def dearest_lines(self) -> tuple[tuple[str, Decimal], ...]:
        """Each line with its expected amount, the dearest first."""
        return tuple((f"{resource.name}: {line.name}", _expected(line)) for resource, line in self.dearest)

    def _by(self, key: Callable[[ResourceCost], str]) -> Mapping[str, Range]:
        sums: dict[str, Range] = {}
        for resource in self.resources:
            sums[key(resource)] = sums.get(key(resource), ZERO) + resource.monthly_usd
        return dict(sorted(sums.items(), key=lambda pair: (-pair[1].expected, pair[0])))


def total(amounts: Iterable[Range]) -> Range:
    """The sum, scenario by scenario."""
    summed = ZERO
    for amount in amounts:
        summed += amount
    return summed


def usd(amount: Decimal) -> str:
    """An amount as people read it, to the cent: ``$1,234.50``."""
    rounded = amount.quantize(CENT)
    return f"-${-rounded:,}" if rounded < 0 else f"${rounded:,}"


def _expected(line: Line) -> Decimal:
    return line.monthly_usd.expected if line.monthly_usd is not None else Decimal(0)
