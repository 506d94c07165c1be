"""Properties from Pulumi's words to Terraform's, in the nesting that an HCL parser gives, and from a plan's back.

In the parsed form every argument's value is in a list of one, and a nested block is a list of objects, one for each
time that it occurs: ``versioning { enabled = true }`` is ``{"versioning": [{"enabled": [True]}]}``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from levee.terraform.types import Attribute, Kind, attribute, camel

Leaf: TypeAlias = Callable[[str, Any], Any]
"""What becomes of a scalar: called with the name of the innermost argument that holds it, and the value."""


def to_hcl(properties: Mapping[str, Any], of: Mapping[str, Attribute], leaf: Leaf) -> dict[str, Any]:
    """One block's properties.

    Args:
        properties: Pulumi's names to values.
        of: The block's table.
        leaf: What becomes of each scalar.
    """
    block: dict[str, Any] = {}
    for name, value in properties.items():
        if value is not None and not name.startswith("__"):
            known = attribute(of, name)
            block[known.name] = _argument(value, known, leaf)
    return block


def _argument(value: Any, known: Attribute, leaf: Leaf) -> list[Any]:
    match known.kind:
        case Kind.BLOCK | Kind.BLOCKS:
            items = value if isinstance(value, list) else [value]
            return [to_hcl(i, known.of, leaf) if isinstance(i, dict) else leaf(known.name, i) for i in items]
        case Kind.ONLY:
            return [[_plain(value, known.name, leaf)]]
        case Kind.JSON if isinstance(value, dict):
            return [json.dumps(value)]
        case _:
            return [_plain(value, known.name, leaf)]


def _plain(value: Any, name: str, leaf: Leaf) -> Any:
    """A value whose keys, where it has any, are the user's."""
    if isinstance(value, dict):
        return {key: _plain(inner, name, leaf) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner, name, leaf) for inner in value]
    return leaf(name, int(value) if isinstance(value, float) and value.is_integer() else value)


def from_values(values: Mapping[str, Any], of: Mapping[str, Attribute]) -> dict[str, Any]:
    """One block of a Terraform plan or state, in Pulumi's words; what is null is left out.

    Args:
        values: Terraform's names to JSON values, with every nested block as a list of objects.
        of: The block's table.
    """
    names = {known.name: (name, known) for name, known in of.items()}
    properties: dict[str, Any] = {}
    for terraform, value in values.items():
        name, known = names.get(terraform, (camel(terraform), Attribute(terraform)))
        given = _value(value, known)
        if given is not None:
            properties[name] = given
    return properties


def _value(value: Any, known: Attribute) -> Any:
    match known.kind:
        case Kind.BLOCK if isinstance(value, list):
            return _value(value[0], known) if value else None
        case Kind.BLOCK | Kind.BLOCKS if isinstance(value, dict):
            return from_values(value, known.of)
        case Kind.BLOCKS if isinstance(value, list):
            return [_value(item, known) for item in value] or None
        case Kind.ONLY if isinstance(value, list):
            return value[0] if value else None
        case _:
            return value
