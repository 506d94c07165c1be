"""The tags that a resource will really carry: its own, and those its provider adds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from levee.compliance.rule import Facts, Undecidable, known
from levee.compliance.tagging.dialect import Dialect, canonical_key, dialect_of
from levee.compliance.tagging.place import Place
from levee.plan import Resource


@dataclass(frozen=True)
class Tags:
    """Tags of one resource.

    Attributes:
        place: Where it carries its own.
        dialect: How its provider spells them.
        own: Its own, by the key as written; values as in the ``Plan``, unknown and secret ones included.
        inherited: Those that the provider adds, the same way.
    """

    place: Place
    dialect: Dialect
    own: Mapping[str, Any]
    inherited: Mapping[str, Any]

    def canonical(self) -> dict[str, Any]:
        """Canonical key to value; a resource's own tag wins over an inherited one."""
        return {canonical_key(k): v for k, v in (*self.inherited.items(), *self.own.items())}


def can_carry(token: str, facts: Facts) -> bool:
    """Whether resources of that type have a place for tags.

    Raises:
        UnknownType: Its SDK does not say.
    """
    return facts.places.of(token) is not None


def tags_of(resource: Resource, facts: Facts) -> Tags:
    """Read the tags.

    Raises:
        Undecidable: The whole property, or the provider's, is known only after the update.
        UnknownType: The SDK does not know the type.
    """
    place = facts.places.of(resource.type)
    if place is None:
        raise ValueError(f"{resource.type} carries no tags")
    dialect = dialect_of(resource.type.partition(":")[0])
    own = _own(resource.inputs, place)
    if dialect.package == "aws" and isinstance(resource.outputs.get("tagsAll"), Mapping):
        own = {**resource.outputs["tagsAll"], **own}
    return Tags(place, dialect, own, _inherited(facts.provider, dialect) if place.shape == "map" else {})


def _own(inputs: Mapping[str, Any], place: Place) -> Mapping[str, Any]:
    value: Any = inputs
    path = ""
    for name in place.path:
        path = f"{path}.{name}" if path else name
        value = known(value.get(name) if isinstance(value, Mapping) else None, path)
    if place.shape == "map":
        return value if isinstance(value, Mapping) else {}
    return _pairs(value, path)


def _pairs(value: Any, path: str) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for index, pair in enumerate(value if isinstance(value, Sequence) and not isinstance(value, str) else ()):
        pair = known(pair, f"{path}[{index}]")  # noqa: PLW2901 - the same pair, now certain
        if isinstance(pair, Mapping):
            found[str(known(pair.get("key"), f"{path}[{index}].key"))] = pair.get("value")
    return found


def _inherited(provider: Mapping[str, Any], dialect: Dialect) -> Mapping[str, Any]:
    """Default tags of the provider; the engine hands a provider's nested inputs over as JSON text."""
    if not dialect.provider_property:
        return {}
    path = f"provider.{dialect.provider_property}"
    value = known(provider.get(dialect.provider_property), path)
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except json.JSONDecodeError:
            raise Undecidable(path) from None
    if dialect.provider_key and isinstance(value, Mapping):
        value = known(value.get(dialect.provider_key), f"{path}.{dialect.provider_key}")
    return value if isinstance(value, Mapping) else {}
