"""From the engine's protobuf structs to JSON values as a ``Plan`` holds them: unknown and secret stand in place.

Constants: ``sdk/go/common/resource/properties.go`` and ``pkg/resource/plugin/rpc.go`` of pulumi/pulumi 3.250.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from google.protobuf import struct_pb2

from levee.plan import SECRET, UNKNOWN

Struct: TypeAlias = struct_pb2.Struct
Value: TypeAlias = struct_pb2.Value

_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"
_UNKNOWNS: Final = frozenset(
    {
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # boolean
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
        UNKNOWN,  # string
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # array
        "030794c1-ac77-496b-92df-f27374a8bd58",  # asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    }
)


def from_struct(struct: Struct) -> dict[str, Any]:
    """The struct as JSON; every unknown as ``UNKNOWN``, every secret as ``SECRET``, whatever is inside it."""
    return {key: _value(value) for key, value in struct.fields.items()}


def _value(value: Value) -> Any:
    match value.WhichOneof("kind"):
        case "string_value":
            text = value.string_value
            return UNKNOWN if text in _UNKNOWNS else text
        case "struct_value":
            fields = value.struct_value.fields
            if _SIGNATURE in fields and fields[_SIGNATURE].string_value == _SECRET:
                return SECRET
            return {key: _value(inner) for key, inner in fields.items()}
        case "list_value":
            return [_value(inner) for inner in value.list_value.values]
        case "bool_value":
            return value.bool_value
        case "number_value":
            number = value.number_value
            return int(number) if float(number).is_integer() else number
    return None
