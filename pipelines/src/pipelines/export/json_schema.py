"""JSON Schema of one row of the published table, as JSON would have it (draft 2020-12, ``json-schema.org``)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from pipelines.contracts import Contract
from pipelines.contracts.model import Column
from pipelines.export.published import bounds, nullable, of_values, promises

_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
_BITS: Final = {"tinyint": 8, "smallint": 16, "int": 32, "bigint": 64}
_DECIMAL: Final = re.compile(r"decimal\((\d+),(\d+)\)")
_TYPES: Final[Mapping[str, Mapping[str, Any]]] = {
    "string": {"type": "string"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "timestamp": {"type": "string", "format": "date-time"},
    "float": {"type": "number"},
    "double": {"type": "number"},
    "binary": {"type": "string", "contentEncoding": "base64"},
}
_SAME: Final = ("minLength", "maxLength", "pattern", "multipleOf")
_BOUNDS: Final = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")


def json_schema(contract: Contract) -> dict[str, Any]:
    """The schema; what it cannot say of the contract's rules is named in ``$comment``.

    Raises:
        ContractError: a check cannot be compiled; with its line.
    """
    properties = {column.name: _property(contract, column) for column in contract.columns}
    unsaid = [*(f"{rule} ({reason})" for rule, reason in promises(contract).others), *_unsaid(contract)]
    return {
        "$schema": _DRAFT,
        "$id": f"urn:levee:{contract.domain}:{contract.dataset}:{contract.version}",
        "title": f"{contract.domain}.{contract.dataset}",
        "description": contract.description,
        **({"$comment": f"Not said here: {', '.join(unsaid)}."} if unsaid else {}),
        "type": "object",
        "properties": properties,
        "required": [column.name for column in contract.columns if not nullable(contract, column)],
        "patternProperties": {"^_": {}},
        "additionalProperties": False,
    }


def _property(contract: Contract, column: Column) -> dict[str, Any]:
    schema = {**_type(column.type), **_bounds(contract, column)}
    if nullable(contract, column):
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
    return {**({"description": column.description} if column.description else {}), **schema}


def _type(spark: str) -> dict[str, Any]:
    if match := _DECIMAL.fullmatch(spark):
        most = 10 ** (int(match[1]) - int(match[2]))
        return {"type": "number", "exclusiveMinimum": -most, "exclusiveMaximum": most}
    if bits := _BITS.get(spark):
        return {"type": "integer", "minimum": -(2 ** (bits - 1)), "maximum": 2 ** (bits - 1) - 1}
    return dict(_TYPES[spark])


def _bounds(contract: Contract, column: Column) -> dict[str, Any]:
    asked = bounds(contract, column)
    found = {option: asked[option] for option in _SAME if option in asked}
    numbers = column.logical_type in ("integer", "number")
    found |= {option: asked[option] for option in _BOUNDS if option in asked and numbers}
    if isinstance(valid := asked.get("validValues"), list):
        found["enum"] = valid
    return found


def _unsaid(contract: Contract) -> list[str]:
    """Rules that are kept and are SQL alone."""
    said = {check.id for column in contract.columns for check in column.quality if check.quality.arguments}
    return [
        f"{rule.id} (SQL)"
        for rule in promises(contract).kept
        if rule.kind == "check" and rule.id not in said and of_values(rule)
    ]
