"""Values inside a resource's inputs, with the path that an error names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from levee.engine.standin.values import Secret, is_asset

_DEPTH = 8


def strings(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every string that is known and no secret, with its path (``ingress[0].cidrBlocks[1]``)."""
    for name, value in values.items():
        yield from _strings(value, f"{prefix}.{name}" if prefix else name, 0)


def _strings(value: Any, path: str, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif depth < _DEPTH and isinstance(value, dict) and not is_asset(value):
        for name, item in value.items():
            yield from _strings(item, f"{path}.{name}", depth + 1)
    elif depth < _DEPTH and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strings(item, f"{path}[{index}]", depth + 1)


def at(values: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    """The known values at a path whose lists are written ``[*]``, with the path of each; secrets are left out."""
    name, _, rest = path.partition(".")
    many = name.endswith("[*]")
    value = values.get(name.removesuffix("[*]"))
    if isinstance(value, Secret) or value is None:
        return
    found = [(f"{name[:-3]}[{i}]", v) for i, v in enumerate(value)] if many and isinstance(value, list) else []
    for where, item in found if many else [(name, value)]:
        if not rest:
            yield where, item
        elif isinstance(item, dict):
            yield from ((f"{where}.{inner}", v) for inner, v in at(item, rest))


def text_at(values: Mapping[str, Any], path: str) -> str:
    """The known text at a path without lists; empty where there is none."""
    return next((v for _, v in at(values, path) if isinstance(v, str)), "")
