"""Which published price is which key of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Selector:
    """A kind of published price that the catalogue keeps.

    Attributes:
        offer: The service, in the vendor's word for it (``AmazonEC2``, ``Virtual Machines``).
        where: Attributes that a published price must have.
        key: The catalogue's key; an attribute's name in braces stands for its value.
        unit: The catalogue's unit.
        published_unit: The vendor's unit for the same; any other is left out.
    """

    offer: str
    where: Mapping[str, str]
    key: str
    unit: str
    published_unit: str

    def matches(self, attributes: Mapping[str, str], unit: str) -> bool:
        """Whether a published price is of this kind."""
        return unit == self.published_unit and self.fits(attributes)

    def fits(self, attributes: Mapping[str, str]) -> bool:
        """Whether a product, whose price is not at hand, is of this kind."""
        return all(attributes.get(name) == value for name, value in self.where.items())


@dataclass(frozen=True, slots=True)
class Published:
    """One tier of a price as a vendor publishes it now: key with its region, unit, first unit, US dollars, ISO date."""

    key: str
    unit: str
    start: Decimal
    usd: Decimal
    as_of: str
