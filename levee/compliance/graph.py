"""The finished graph as the rules ask it: who refers to whom, and through which property."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

from levee.plan import SECRET, UNKNOWN, Resource

_VERSION: Final = re.compile(r"/v\d{8}\w*(?=:)")
_IDENTITY: Final = (
    "id",
    "arn",
    "name",
    "bucket",
    "identifier",
    "selfLink",
    "accountName",
    "vaultName",
    "metadata.name",
)
"""Properties by whose value another resource may name this one."""


def base_type(token: str) -> str:
    """The type token without azure-native's date: a rule holds for every version of a type."""
    return _VERSION.sub("", token)


class Graph:
    """The resources of one stack and the references between them. Every question costs what its answer is long.

    Args:
        resources: All of the stack's resources.
    """

    def __init__(self, resources: Sequence[Resource] = ()) -> None:
        self._resources = resources
        self._literals: dict[tuple[str, str], Mapping[Any, Sequence[Resource]]] = {}

    @cached_property
    def by_urn(self) -> Mapping[str, Resource]:
        """URN to resource."""
        return {resource.urn: resource for resource in self._resources}

    @cached_property
    def by_type(self) -> Mapping[str, Sequence[Resource]]:
        """Base type token to its resources."""
        found: dict[str, list[Resource]] = defaultdict(list)
        for resource in self._resources:
            found[base_type(resource.type)].append(resource)
        return found

    @cached_property
    def _referrers(self) -> Mapping[tuple[str, str], Sequence[Resource]]:
        """URN and property name to the resources in which that property takes a value from the URN."""
        found: dict[tuple[str, str], list[Resource]] = defaultdict(list)
        for resource in self._resources:
            for name, urns in resource.property_dependencies.items():
                for urn in urns:
                    found[urn, name].append(resource)
        return found

    def references(self, resource: Resource, name: str) -> tuple[Resource, ...]:
        """The resources from which a property takes its value.

        Args:
            resource: Who refers.
            name: A property at the top level of its inputs.
        """
        urns = resource.property_dependencies.get(name, ())
        return tuple(self.by_urn[urn] for urn in urns if urn in self.by_urn)

    def attached(self, resource: Resource, types: Iterable[str], by: str) -> tuple[list[Resource], bool]:
        """The resources of the given types that name ``resource`` in their property ``by``.

        Args:
            resource: What is named.
            types: Base type tokens of those that may name it.
            by: Dotted path of the property that does; the engine knows references by its first step.

        Returns:
            Those that do, by reference or by a literal that is the resource's own name, id or ARN; and whether there
            are others of which nobody can say, since what they name is not known yet.
        """
        names = _names(resource)
        found: dict[str, Resource] = {}
        unsure = False
        wanted = tuple(types)
        for referrer in self._referrers.get((resource.urn, _first(by)), ()):
            if base_type(referrer.type) in wanted:
                found[referrer.urn] = referrer
        for token in wanted:
            literals = self._by_literal(token, by)
            for name in names:
                found.update({r.urn: r for r in literals.get(name, ())})
            unsure = unsure or UNKNOWN in literals
        return list(found.values()), unsure

    def _by_literal(self, token: str, by: str) -> Mapping[Any, Sequence[Resource]]:
        """What resources of that type name without a reference; the unknown and the secret under ``UNKNOWN``."""
        if (token, by) not in self._literals:
            found: dict[Any, list[Resource]] = defaultdict(list)
            for resource in self.by_type.get(token, ()):
                value = _at(resource.inputs, by)
                if isinstance(value, str) and not resource.property_dependencies.get(_first(by)):
                    found[UNKNOWN if value == SECRET else value].append(resource)
            self._literals[token, by] = found
        return self._literals[token, by]


def _first(path: str) -> str:
    return path.partition(".")[0]


def _at(value: Any, path: str) -> Any:
    for step in path.split("."):
        if not isinstance(value, Mapping):
            return value  # absent, or unknown as a whole
        value = value.get(step)
    return value


def _names(resource: Resource) -> set[str]:
    given = (_at(values, path) for values in (resource.inputs, resource.outputs) for path in _IDENTITY)
    found = {value for value in (resource.id, *given) if isinstance(value, str) and value}
    return found - {UNKNOWN, SECRET}
