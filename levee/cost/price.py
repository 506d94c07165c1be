"""Prices a plan: pure functions from a graph, a catalogue and usage to a report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from levee.cost.catalogue import BASE_REGIONS, Catalogue, LineRule, Price, TypeRule, cloud_of, shipped
from levee.cost.expression import (
    PriceMissing,
    Undetermined,
    UsageMissing,
    ValueUnknown,
    compiled,
    number,
    template,
)
from levee.cost.model import HOURS_PER_MONTH, Basis, CostReport, Line, Range, ResourceCost
from levee.cost.place import Places
from levee.cost.usage import Given, Usage, assumed, parse
from levee.plan import UNKNOWN, Op, Plan, Resource

_NOT_PAID_FOR: Final = frozenset({Op.DELETE, Op.READ})
"""What is about to go, and what another stack owns."""

_SCENARIOS: Final = (0, 1, 2)
"""Low, expected, high."""


def price(plan: Plan, catalogue: Catalogue | None = None, usage: Usage | None = None) -> CostReport:
    """What a plan costs in a month, once it is carried out.

    Args:
        plan: A preview, or a deployed stack.
        catalogue: Prices; by default those that Levee ships.
        usage: What is said of usage; the defaults of the environment that is called as the stack fill the rest.
    """
    return price_resources(plan.resources, catalogue, usage, project=plan.project, stack=plan.stack)


def spending(resources: Sequence[Resource], stack: str, usage: Mapping[str, Any]) -> CostReport:
    """What a graph costs, as the budgets pack asks for it.

    Args:
        resources: The finished graph.
        stack: The stack's name, which chooses what is assumed of usage.
        usage: What the environment says of usage, as its file has it.

    Raises:
        UsageError: It says something that nothing reads.
    """
    catalogue = shipped()
    where = f"environments/Pulumi.{stack}.yaml"
    said = parse(usage, catalogue, lambda path: f"{where}: usage.{'.'.join(map(str, path))}")
    return price_resources(resources, catalogue, said, stack=stack)


def price_resources(
    resources: Sequence[Resource],
    catalogue: Catalogue | None = None,
    usage: Usage | None = None,
    *,
    project: str = "",
    stack: str = "",
) -> CostReport:
    """What a graph of resources costs in a month; see ``price``."""
    catalogue, usage = catalogue or shipped(), usage or Usage()
    places = Places(resources)
    defaults = assumed(catalogue, stack)
    costs: list[ResourceCost] = []
    unpriced: dict[str, list[str]] = {}
    free: dict[str, int] = {}
    by_urn = {resource.urn: resource for resource in resources}
    paid = [r for r in resources if r.custom and not r.is_provider and r.op not in _NOT_PAID_FOR]
    for resource in paid:
        rule = catalogue.rule(resource.type)
        if rule is not None:
            given = usage.of(resource.type, resource.name, defaults.get(resource.type, {}))
            costs.append(_cost(_Subject(resource, rule, catalogue, places, given, by_urn)))
        elif catalogue.is_free(resource.type):
            free[resource.type] = free.get(resource.type, 0) + 1
        else:
            unpriced.setdefault(resource.type, []).append(resource.urn)
    return CostReport(
        project=project,
        stack=stack,
        resources=tuple(sorted(costs, key=lambda cost: (-cost.monthly_usd.expected, cost.urn))),
        unpriced={token: tuple(urns) for token, urns in sorted(unpriced.items())},
        free=dict(sorted(free.items())),
        notes=tuple(_notes(usage, paid)),
    )


@dataclass(frozen=True, eq=False)
class _Subject:
    """A resource with everything that its price depends on."""

    resource: Resource
    rule: TypeRule
    catalogue: Catalogue
    places: Places
    given: Given
    by_urn: Mapping[str, Resource]
    cloud: str = field(init=False)
    region: str = field(init=False)

    def __post_init__(self) -> None:
        cloud = self.places.cloud(self.resource)
        object.__setattr__(self, "cloud", cloud)
        object.__setattr__(self, "region", self.places.region(self.resource, cloud))

    def related(self, name: str) -> Mapping[str, Any] | None:
        """Inputs of the other resource that a rule calls by that name; ``None`` where the plan has none.

        Of several (a pool for workers, one for the driver) what they do not agree on is unknown.
        """
        relation = self.rule.related[name]
        urns = self.resource.property_dependencies.get(relation.property, ())
        found = [
            other for urn in dict.fromkeys(urns) if (other := self.by_urn.get(urn)) and other.type == relation.type
        ]
        if not found:
            return None
        first, *others = (each.inputs for each in found)
        return {k: v if all(other.get(k) == v for other in others) else UNKNOWN for k, v in first.items()}

    def price(self, key: str) -> Price:
        """The price of a key, the region's own before the base region's.

        Raises:
            PriceMissing: There is neither.
        """
        homes = dict.fromkeys((cloud_of(self.resource.type) or "", self.cloud))
        for wanted in (f"{key}@{self.region}", key):
            for home in homes:
                if home and (found := self.catalogue.prices(home).get(wanted)):
                    return found
        raise PriceMissing(f"no list price of `{key}`")


class _Scope:
    """What an expression sees of a subject: its inputs, and one of three scenarios."""

    def __init__(self, subject: _Subject, item: Any = None) -> None:
        self.subject = subject
        self.item = item
        self.scenario = 1
        self.used: set[str] = set()

    def name(self, name: str) -> Any:
        """Inputs by name, and ``hours``, ``nodes``, ``item``, ``cloud`` and the rule's related resources."""
        match name:
            case "hours":
                return self.usage("hours") if "hours" in self.subject.given.amounts else Decimal(HOURS_PER_MONTH)
            case "item":
                return self.item
            case "nodes" if self.subject.rule.nodes:
                return number(compiled(self.subject.rule.nodes[self.scenario])(self))
            case "cloud":
                if not self.subject.cloud:
                    raise ValueUnknown("nothing says which cloud the workspace runs on")
                return self.subject.cloud
        if name in self.subject.rule.related:
            return self.subject.related(name)
        return self.subject.resource.inputs.get(name)

    def usage(self, key: str) -> Decimal:
        """The amount in this scenario."""
        amount = self.subject.given.amounts.get(key)
        if amount is None:
            raise UsageMissing(f"usage: {key} is not given")
        self.used.add(key)
        return (amount.low, amount.expected, amount.high)[self.scenario]

    def span(self, low: Any, expected: Any, high: Any) -> Any:
        """The scenario's own."""
        return (low, expected, high)[self.scenario]

    def rating(self, group: str, name: str) -> Decimal:
        """DBU an hour."""
        plain = "".join(c for c in name.lower() if c.isalnum()) if group == "azure" else name.lower()
        found = self.subject.catalogue.ratings.get(f"{group}/{plain}")
        if found is None:
            raise PriceMissing(f"no DBU rating of `{name or '?'}`: give usage dbu_per_node_hour")
        return found

    def quantity(self, text: str) -> Range:
        """An expression's value in the three scenarios."""
        values: list[Decimal] = []
        for self.scenario in _SCENARIOS:
            values.append(number(compiled(text)(self)))
        self.scenario = 1
        return Range.ordered(*values)


def _cost(subject: _Subject) -> ResourceCost:
    resource, places = subject.resource, subject.places
    component = places.component(resource)
    return ResourceCost(
        urn=resource.urn,
        type=resource.type,
        name=resource.name,
        component=component.urn if component else "",
        capability=places.capability(resource),
        cost_centre=places.cost_centre(resource),
        lines=tuple(line for rule in subject.rule.lines for line in _lines(rule, subject)),
    )


def _lines(rule: LineRule, subject: _Subject) -> Iterator[Line]:
    try:
        items = compiled(rule.each)(_Scope(subject)) or () if rule.each else (None,)
    except Undetermined as why:
        yield Line(rule.name, "", Basis.UNKNOWN, note=why.reason)
        return
    for item in items:
        scope = _Scope(subject, item)
        try:
            if rule.when and not compiled(rule.when)(scope):
                continue
        except Undetermined as why:
            yield Line(_named(rule, scope), "", _basis(why), note=why.reason)
            continue
        yield from _priced(rule, scope)


def _priced(rule: LineRule, scope: _Scope) -> Iterator[Line]:
    name, subject = _named(rule, scope), scope.subject
    try:
        found = subject.price(template(rule.price).fill(scope).lower())
    except Undetermined as why:
        yield Line(name, "", _basis(why), note=why.reason)
        return
    factor, note = _regional(subject, found)
    source = subject.catalogue.source(found.source)
    try:
        quantity = scope.quantity(rule.quantity)
    except Undetermined as why:
        usd = found.tiers[0].usd * factor
        yield Line(name, found.unit, _basis(why), None, usd, None, found.source, source.as_of, why.reason)
        return
    basis = subject.given.basis(scope.used)
    for label, amount, usd in _tiers(found, quantity):
        unit_price = usd * factor
        full_name = f"{name} ({label})" if label else name
        monthly = amount * unit_price
        yield Line(full_name, found.unit, basis, amount, unit_price, monthly, found.source, source.as_of, note)


def _tiers(found: Price, quantity: Range) -> Iterator[tuple[str, Range, Decimal]]:
    """The part of a quantity that falls in each tier; the first tier always, a later one where anything does."""
    ends: list[Decimal | None] = [*(tier.start for tier in found.tiers[1:]), None]
    for tier, end in zip(found.tiers, ends, strict=True):

        def within(value: Decimal, start: Decimal = tier.start, end: Decimal | None = end) -> Decimal:
            return max(min(value, end) if end is not None else value, start) - start

        part = Range(within(quantity.low), within(quantity.expected), within(quantity.high))
        if part.high > 0 or not tier.start:
            yield tier.label, part, tier.usd


def _regional(subject: _Subject, found: Price) -> tuple[Decimal, str]:
    """What the base region's price is multiplied by, and what to say of it."""
    if not subject.rule.regional or "@" in found.key or found.source.startswith("dbu"):
        return Decimal(1), ""
    base = BASE_REGIONS.get(subject.cloud, "")
    if subject.region in (base, ""):
        return Decimal(1), "" if subject.region else f"region not known: {base}'s price"
    multiplier = subject.catalogue.multipliers.get((subject.cloud, subject.region))
    if multiplier is None:
        return Decimal(1), f"{subject.region} is not in the catalogue: {base}'s price"
    return multiplier.factor, f"estimated: {multiplier.factor} times {base}'s price"


def _named(rule: LineRule, scope: _Scope) -> str:
    try:
        return template(rule.name).fill(scope)
    except Undetermined:
        return rule.name.partition("{")[0].rstrip(" (,") or rule.price.partition("/")[0]


def _basis(why: Undetermined) -> Basis:
    match why:
        case UsageMissing():
            return Basis.USAGE_MISSING
        case PriceMissing():
            return Basis.UNPRICED
    return Basis.UNKNOWN


def _notes(usage: Usage, resources: Iterable[Resource]) -> Iterator[str]:
    for selector in usage.unmatched([(resource.type, resource.name) for resource in resources]):
        yield f"usage of {selector!r} was taken up by no resource"
