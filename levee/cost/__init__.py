"""What a plan costs in a month, component by component, from a catalogue of public list prices."""

from levee.cost.catalogue import Catalogue, shipped
from levee.cost.model import HOURS_PER_MONTH, Basis, CostReport, Line, Range, ResourceCost, usd
from levee.cost.node_hour import NodeHour, node_hour
from levee.cost.price import price, price_resources, spending
from levee.cost.usage import Usage

__all__ = [
    "HOURS_PER_MONTH",
    "Basis",
    "Catalogue",
    "CostReport",
    "Line",
    "NodeHour",
    "Range",
    "ResourceCost",
    "Usage",
    "node_hour",
    "price",
    "price_resources",
    "shipped",
    "spending",
    "usd",
]
