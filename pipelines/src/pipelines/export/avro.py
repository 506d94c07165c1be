"""The published table's row as an Avro record (Apache Avro 1.12 specification, with its logical types)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from pipelines.contracts import Contract
from pipelines.contracts.model import Column
from pipelines.export.published import nullable

_DECIMAL: Final = re.compile(r"decimal\((\d+),(\d+)\)")
_TYPES: Final[Mapping[str, Any]] = {
    "string": "string",
    "boolean": "boolean",
    "tinyint": "int",
    "smallint": "int",
    "int": "int",
    "bigint": "long",
    "float": "float",
    "double": "double",
    "binary": "bytes",
    "date": {"type": "int", "logicalType": "date"},
    "timestamp": {"type": "long", "logicalType": "timestamp-micros"},
}


def avro_schema(contract: Contract) -> dict[str, Any]:
    """The record; a column that may be null is a union with null, and null by default."""
    return {
        "type": "record",
        "name": contract.dataset,
        "namespace": re.sub(r"[^A-Za-z0-9_]", "_", contract.domain),
        **({"doc": contract.description} if contract.description else {}),
        "fields": [_field(contract, column) for column in contract.columns],
    }


def _field(contract: Contract, column: Column) -> dict[str, Any]:
    kind = _type(column.type)
    return {
        "name": column.name,
        "type": ["null", kind] if nullable(contract, column) else kind,
        **({"default": None} if nullable(contract, column) else {}),
        **({"doc": column.description} if column.description else {}),
        "classification": column.classification.value,
    }


def _type(spark: str) -> Any:
    if match := _DECIMAL.fullmatch(spark):
        return {"type": "bytes", "logicalType": "decimal", "precision": int(match[1]), "scale": int(match[2])}
    return _TYPES[spark]
