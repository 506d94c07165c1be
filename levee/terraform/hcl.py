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
"""What becomes of a scalar: called with the name of the innermost argument or key that holds it, and the value."""


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
        return {key: _plain(inner, key, leaf) for key, inner in value.items()}
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


def values_of(block: Mapping[str, Any]) -> dict[str, Any]:
    """A parsed block as a plan has it: arguments bare, nested blocks as lists of objects, the parser's marks gone."""
    return {name: _bare(given) for name, given in block.items() if not name.startswith("__")}


def _bare(given: Any) -> Any:
    if not isinstance(given, list):
        return given
    if given and all(isinstance(item, dict) and _is_block(item) for item in given):
        return [values_of(item) for item in given]
    return given[0] if len(given) == 1 else given


def _is_block(item: Mapping[str, Any]) -> bool:
    """Whether an object is a nested block rather than a map: in a block every argument is in a list of its own."""
    return bool(item) and all(isinstance(value, list) for name, value in item.items() if not name.startswith("__"))
