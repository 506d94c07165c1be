"""From the engine's protobuf structs to JSON values as a ``Plan`` holds them: unknown and secret stand in place."""

from __future__ import annotations

from typing import Any, TypeAlias

from google.protobuf import struct_pb2

from levee.plan import UNKNOWN, Sealed
from levee.wire import SECRET_SIGNATURE, SIGNATURE, UNKNOWNS

Struct: TypeAlias = struct_pb2.Struct
Value: TypeAlias = struct_pb2.Value


def from_struct(struct: Struct) -> dict[str, Any]:
    """The struct as JSON; every unknown as ``UNKNOWN``, every secret sealed, whatever is inside it."""
    return {key: _value(value) for key, value in struct.fields.items()}


def _value(value: Value) -> Any:
    match value.WhichOneof("kind"):
        case "string_value":
            text = value.string_value
            return UNKNOWN if text in UNKNOWNS else text
        case "struct_value":
            fields = value.struct_value.fields
            if SIGNATURE in fields and fields[SIGNATURE].string_value == SECRET_SIGNATURE:
                return Sealed(_value(fields["value"]))
            return {key: _value(inner) for key, inner in fields.items()}
        case "list_value":
            return [_value(inner) for inner in value.list_value.values]
        case "bool_value":
            return value.bool_value
        case "number_value":
            number = value.number_value
            return int(number) if float(number).is_integer() else number
    return None
