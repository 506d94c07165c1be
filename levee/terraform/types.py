"""Which Terraform type a Pulumi type is, and what becomes of the names and nesting of its properties.

A bridged provider renames on its way to Pulumi: names turn to camelCase, lists to their plural, a block that may occur
once to an object. ``types.json`` keeps what cannot be told from the names alone, a type a line. It was joined from the
providers' Pulumi SDKs (aws 7.51.1, gcp 10.2.0, databricks 1.118.0) and HashiCorp's CDKTF bindings of the same providers
(``cdktf-cdktf-provider-aws`` 21.22.1, ``-google`` 16.12.1, ``-databricks`` 15.16.1 on PyPI), whose classes carry
Terraform's own attribute names; type pairs are those of the providers' bridges. It holds the types that a check of
Checkov 3.3.30 names, those of Levee's own rules, and all of Databricks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Final

RAW: Final = "terraform:index:"
"""Prefix of the token of a Terraform resource whose type the table lacks; its inputs keep Terraform's names."""

_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class Kind(StrEnum):
    """What a property is in Terraform."""

    PLAIN = "plain"
    """An argument: a scalar or a list of scalars."""
    MAP = "map"
    """An argument whose keys are the user's, such as tags."""
    BLOCK = "block"
    """A nested block that Pulumi has as one object."""
    BLOCKS = "blocks"
    """A nested block that Pulumi has as a list."""
    ONLY = "only"
    """A list of at most one scalar, which Pulumi has as the scalar."""
    JSON = "json"
    """A JSON text, which Pulumi also takes as an object."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """One property of a type.

    Attributes:
        name: Terraform's name.
        kind: What it is there.
        of: Of a block, those of its properties that ``plain`` would not describe, by their Pulumi names.
    """

    name: str
    kind: Kind = Kind.PLAIN
    of: Mapping[str, Attribute] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ResourceType:
    """A type in both worlds.

    Attributes:
        token: ``aws:s3/bucket:Bucket``.
        terraform: ``aws_s3_bucket``.
        attributes: As in ``Attribute.of``.
    """

    token: str
    terraform: str
    attributes: Mapping[str, Attribute]


def of_token(token: str) -> ResourceType | None:
    """The type of that Pulumi token, or ``None`` where the table lacks it."""
    entry = _table().get(token)
    return _type(token) if entry else None


def of_terraform(name: str) -> ResourceType | None:
    """The type of that Terraform name, or ``None`` where the table lacks it."""
    token = _tokens().get(name)
    return _type(token) if token else None


def attribute(of: Mapping[str, Attribute], name: str) -> Attribute:
    """The property of that Pulumi name; one that the table does not single out is plain."""
    return of.get(name) or Attribute(snake(name))


def snake(name: str) -> str:
    """``ipv6CidrBlock`` to ``ipv6_cidr_block``, as the bridge does it backwards."""
    return _HUMP.sub("_", name).lower()


def camel(name: str) -> str:
    """``ipv6_cidr_block`` to ``ipv6CidrBlock``, as the bridge does it."""
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


@cache
def _table() -> Mapping[str, Mapping[str, Any]]:
    return json.loads(Path(__file__).with_name("types.json").read_text(encoding="utf-8"))


@cache
def _tokens() -> Mapping[str, str]:
    return {entry["terraform"]: token for token, entry in _table().items()}


@cache
def _type(token: str) -> ResourceType:
    entry = _table()[token]
    return ResourceType(token, entry["terraform"], _attributes(entry.get("attributes", {})))


def _attributes(entries: Mapping[str, Any]) -> Mapping[str, Attribute]:
    return {
        name: Attribute(
            entry.get("name") or snake(name), Kind(entry.get("kind", Kind.PLAIN)), _attributes(entry.get("of", {}))
        )
        for name, entry in entries.items()
    }
