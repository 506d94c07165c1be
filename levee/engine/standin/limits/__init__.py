"""Limits that clouds set beyond types: names, address ranges, and what a reference may point to.

Unknown values are not judged, and secrets only as far as an error need not tell them: not at all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

from levee.engine.standin import coverage
from levee.engine.standin.check import Failure
from levee.engine.standin.cloud import SimulatedCloud
from levee.engine.standin.limits import cidr, names, neighbours, references
from levee.engine.standin.limits.paths import text_at
from levee.engine.standin.values import Values
from levee.sdk import ResourceType

_REFERENCE: Final = "docs/reference/naming.md"


def failures(type_: ResourceType, urn: str, old: Values, given: Values, cloud: SimulatedCloud) -> Iterator[Failure]:
    """What a real cloud would refuse of a resource's inputs.

    Args:
        type_: The type.
        urn: The resource.
        old: The inputs that the state holds; empty where it is new.
        given: The program's inputs, without automatic names.
        cloud: What exists already.
    """
    problems = (
        *_name(type_, given),
        *cidr.wrong(type_, given),
        *references.wrong(type_, given),
        *neighbours.wrong(cloud, type_, urn, old, given),
    )
    yield from _told(type_, problems)


def conflicts(type_: ResourceType, urn: str, inputs: Values, cloud: SimulatedCloud) -> Iterator[Failure]:
    """What a real cloud would refuse when a resource is made, for what was made since its inputs were checked."""
    yield from _told(type_, neighbours.wrong(cloud, type_, urn, {}, inputs))


def _told(type_: ResourceType, problems: Iterable[tuple[str, str]]) -> Iterator[Failure]:
    for path, reason in dict.fromkeys(problems):
        yield Failure(path, f"'{path}' of {type_.token} {reason}")


def _name(type_: ResourceType, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    rule = names.rule_of(type_)
    name = text_at(given, rule.property) if rule is not None else ""
    if rule is not None and name:
        broken = rule.broken_by(name)
        if broken:
            yield rule.property, f"is {rule.shown(name)}, which {broken} ({rule.source})"


def taken_everywhere(type_: ResourceType) -> bool:
    """Whether a name of that type is taken once for all accounts."""
    rule = names.rule_of(type_)
    return rule is not None and rule.everywhere


def _limited(type_: ResourceType, _: coverage.Context) -> Collection[str]:
    rule = names.rule_of(type_)
    named = {rule.property.split(".")[0]} if rule is not None else set()
    ranges = {r.path.split(".")[0].removesuffix("[*]") for r in cidr.rules_of(type_.token)}
    return [name for name in type_.inputs if name in named | ranges]


def _referring(type_: ResourceType, _: coverage.Context) -> Collection[str]:
    return [name for name in type_.inputs if references.asks(type_, name)]


coverage.register(
    coverage.Check(
        "names and limits",
        "Length and characters of names, sizes and places of address ranges, as the clouds document them "
        f"({_REFERENCE}); quotas and every other limit only the real provider knows.",
        decides=_limited,
        concerns=_limited,
    )
)
coverage.register(
    coverage.Check(
        "reference targets",
        "That an id, an ARN or a resource path is of the kind that the property asks for, by its form; whether the "
        "thing exists, only the real provider knows.",
        decides=_referring,
        concerns=_referring,
    )
)
