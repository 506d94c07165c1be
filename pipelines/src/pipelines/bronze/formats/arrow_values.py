"""Canonical text of Arrow's columns, by the rules of :mod:`pipelines.bronze.formats.values`, a column at a time."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.bronze.formats.arrow_text import chosen, joined, matching, mended, substituted
from pipelines.bronze.formats.arrow_text import text as one
from pipelines.bronze.formats.form import Kind
from pipelines.bronze.formats.values import json_array, plain_double, plain_number, text_of


def readable(kind: pa.DataType) -> str | None:
    """Say why values of a type have no canonical text; ``None`` where they have."""
    if pa.types.is_dictionary(kind):
        return readable(kind.value_type)
    if isinstance(kind, pa.BaseExtensionType):
        return readable(kind.storage_type)
    if pa.types.is_nested(kind):
        return _nested_readable(kind)
    if any(matches(kind) for matches in _TEXTS) or pa.types.is_null(kind):
        return None
    return "such values have no text that other formats share"


def _nested_readable(kind: pa.DataType) -> str | None:
    for inner in (kind.field(number).type for number in range(kind.num_fields)):
        if pa.types.is_timestamp(inner) and inner.unit == "ns":
            return "nanoseconds within a nested value are not read"
        if (unreadable := readable(inner)) is not None:
            return unreadable
    return None


def kind_of(kind: pa.DataType) -> Kind:
    """The type as Arrow spells it, and the contract's word for it."""
    if pa.types.is_dictionary(kind):
        return kind_of(kind.value_type)
    return Kind(str(kind), next((logical for matches, logical in _LOGICAL if matches(kind)), None))


def text_and_json(array: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Return a column's values as text and as JSON, null where they are."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        return text_and_json(array.cast(kind.value_type))
    if isinstance(array, pa.ExtensionArray):
        return text_and_json(array.storage)
    if pa.types.is_nested(kind):
        values = array.to_pylist(maps_as_pydicts="strict")
        texts = pa.array([text_of(value) for value in values], pa.string())
        return texts, texts
    if pa.types.is_null(kind):
        return pa.nulls(len(array), pa.string()), pa.nulls(len(array), pa.string())
    text = next(make for matches, make in _TEXTS.items() if matches(kind))(array)
    bare = pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_decimal(kind)
    if pa.types.is_floating(kind):
        return text, chosen(matching(text, "^-?[0-9]"), text, json_array(text))
    return text, text if bare else json_array(text)


def _cast(array: pa.Array) -> pa.Array:
    return array.cast(pa.string())


def _double(array: pa.Array) -> pa.Array:
    return mended(array.cast(pa.float64()).cast(pa.string()), r"^[^.]*$|[en]", plain_double)


def _decimal(array: pa.Array) -> pa.Array:
    return mended(array.cast(pa.string()), "E", plain_number)


def _timestamp(array: pa.Array) -> pa.Array:
    zoned = array.type.tz is not None
    in_utc = array.cast(pa.timestamp(array.type.unit, "UTC" if zoned else None))
    texts = pc.call_function("strftime", [in_utc], pc.StrftimeOptions("%Y-%m-%dT%H:%M:%S"))
    texts = substituted(texts, r"\.0+$", "")
    if array.type.unit == "ns":
        texts = substituted(texts, r"(\.[0-9]{6})000$", r"\1")
    elif array.type.unit == "ms":
        texts = substituted(texts, r"(\.[0-9]{3})$", r"\1000")
    return joined(texts, one("Z")) if zoned else texts


def _python(array: pa.Array) -> pa.Array:
    return pa.array([text_of(value) for value in array.to_pylist()], pa.string())


_TEXTS: dict[Callable[[pa.DataType], bool], Callable[[pa.Array], pa.Array]] = {
    pa.types.is_string: _cast,
    pa.types.is_large_string: _cast,
    pa.types.is_string_view: _cast,
    pa.types.is_integer: _cast,
    pa.types.is_boolean: _cast,
    pa.types.is_floating: _double,
    pa.types.is_decimal: _decimal,
    pa.types.is_date: _cast,
    pa.types.is_timestamp: _timestamp,
    pa.types.is_time: _python,
    pa.types.is_binary: _python,
    pa.types.is_large_binary: _python,
    pa.types.is_binary_view: _python,
    pa.types.is_fixed_size_binary: _python,
}
"""What makes text of a column, by the test of its type."""


def _is_whole_decimal(kind: pa.DataType) -> bool:
    return pa.types.is_decimal(kind) and kind.scale <= 0


_LOGICAL: tuple[tuple[Callable[[pa.DataType], bool], str], ...] = (
    (pa.types.is_integer, "integer"),
    (_is_whole_decimal, "integer"),
    (pa.types.is_decimal, "number"),
    (pa.types.is_floating, "number"),
    (pa.types.is_boolean, "boolean"),
    (pa.types.is_date, "date"),
    (pa.types.is_timestamp, "timestamp"),
    (pa.types.is_string, "string"),
    (pa.types.is_large_string, "string"),
    (pa.types.is_string_view, "string"),
    (pa.types.is_list, "array"),
    (pa.types.is_nested, "object"),
)
"""The contract's word for a type, by its test; the first that holds."""


__all__ = ["kind_of", "readable", "text_and_json"]
