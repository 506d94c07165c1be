"""The columns of a contract: names, types that silver can hold, classification, masks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import cast

from pipelines.contracts.document import nearest
from pipelines.contracts.extensions import COLUMN_PROPERTIES, Masking, SurrogateKey
from pipelines.contracts.model import Classification, Column
from pipelines.contracts.odcs import Property
from pipelines.contracts.reading import Reading

_TYPE = re.compile(
    r"string|boolean|tinyint|smallint|int|bigint|float|double|date|timestamp|binary|decimal\((\d{1,2}),(\d{1,2})\)"
)
_DEFAULT_TYPES = {"string": "string", "boolean": "boolean", "date": "date", "timestamp": "timestamp"}
TYPES_OF: Mapping[str, frozenset[str]] = {
    "string": frozenset({"string"}),
    "boolean": frozenset({"boolean"}),
    "date": frozenset({"date"}),
    "timestamp": frozenset({"timestamp"}),
    "integer": frozenset({"tinyint", "smallint", "int", "bigint", "decimal"}),
    "number": frozenset({"decimal", "double", "float"}),
}
"""Spark SQL types that a logical type of the standard may have."""


def read_columns(reading: Reading, properties: Sequence[Property], *, derived: bool) -> tuple[Column, ...]:
    """The columns of a table, in the contract's order; what is wrong with one of them is kept by `reading`.

    Args:
        reading: The file.
        properties: The columns as the standard has them.
        derived: Whether SQL makes the table, so that its columns come from no source field and are masked above.

    Raises:
        ContractError: there are none.
    """
    if not properties:
        raise reading.document.error("the dataset has no columns", "schema", 0, fix="add `properties:`")
    columns: list[Column] = []
    seen: set[str] = set()
    for index, item in enumerate(properties):
        path = ("schema", 0, "properties", index)
        with reading.apart():
            column = _column(reading, item, path, derived=derived)
            if column.name in seen:
                raise reading.document.error(f"column {column.name} is there twice", *path, "name")
            seen.add(column.name)
            columns.append(column)
    return tuple(columns)


def _column(reading: Reading, item: Property, path: tuple[str | int, ...], *, derived: bool) -> Column:
    name = reading.name(item.name, "a column", *path, "name")
    custom = reading.custom(item.custom_properties, COLUMN_PROPERTIES, *path, "customProperties")
    classification = _classification(reading, item, path)
    masking = cast("Masking | None", custom.get("masking"))
    if classification is Classification.PERSONAL and masking is None and not derived:
        raise reading.document.error(
            f"column {name} is personal and nothing says how it is masked",
            *path,
            "classification",
            fix="add `customProperties: [{property: masking, value: {method: hash}}]`",
        )
    if item.partitioned:
        raise reading.document.error(
            f"column {name} is to partition its table, and tables are clustered instead",
            *path,
            "partitioned",
            fix=f"take `partitioned` away; `maintenance` with `clusterBy: [{name}]` clusters rows",
        )
    sources = item.transform_source_objects
    surrogate = cast("SurrogateKey | None", custom.get("surrogateKey"))
    if not sources and item.transform_logic is None and not derived and surrogate is None:
        sources = (item.name,)
    return Column(
        name=name,
        sources=() if derived else sources,
        type=_type(reading, item, path),
        logical_type=item.logical_type or "string",
        format=item.logical_type_options.get("format") if item.logical_type in ("date", "timestamp") else None,
        expression=item.transform_logic,
        required=item.required,
        unique=item.unique,
        key_position=_position(item.primary_key, item.primary_key_position),
        classification=classification,
        masking=masking,
        surrogate_key=surrogate,
        options=item.logical_type_options,
        quality=tuple(reading.checks(item.quality, name, *path, "quality")),
        description=" ".join((item.description or "").split()),
    )


def _type(reading: Reading, item: Property, path: tuple[str | int, ...]) -> str:
    logical = item.logical_type
    if logical is None or logical not in TYPES_OF:
        raise reading.document.error(
            f"column {item.name} has no logical type that silver can hold",
            *path,
            "logicalType" if logical else "name",
            fix=f"set logicalType to one of {', '.join(TYPES_OF)}",
        )
    physical = (item.physical_type or _DEFAULT_TYPES.get(logical, "")).lower().replace(" ", "")
    match = _TYPE.fullmatch(physical)
    if match is None or (match[1] and not 1 <= int(match[1]) <= 38) or (match[1] and int(match[2]) > int(match[1])):
        raise reading.document.error(
            f"column {item.name} has no Spark SQL type (physicalType {item.physical_type!r})",
            *path,
            "physicalType",
            fix="write e.g. `physicalType: decimal(18,3)` for money, `bigint` for counts",
        )
    if physical.split("(")[0] not in TYPES_OF[logical]:
        raise reading.document.error(
            f"column {item.name} is {logical} by logicalType and {physical} by physicalType", *path, "physicalType"
        )
    return physical


def _classification(reading: Reading, item: Property, path: tuple[str | int, ...]) -> Classification:
    if item.classification is None:
        raise reading.document.error(
            f"column {item.name} is not classified",
            *path,
            fix=f"add `classification:` with one of {', '.join(Classification)}",
        )
    try:
        return Classification(item.classification)
    except ValueError:
        raise reading.document.error(
            f"column {item.name} is classified as {item.classification!r}",
            *path,
            "classification",
            fix=nearest(item.classification, list(Classification)),
        ) from None


def _position(flag: bool, position: int) -> int | None:
    return None if not flag else max(position, 1)
