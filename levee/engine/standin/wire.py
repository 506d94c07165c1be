"""Between protobuf's ``Struct`` and :mod:`values`: the sentinels of Pulumi's wire format.

Source: ``pulumi/pulumi``, ``sdk/go/common/resource/plugin/rpc.go``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf.struct_pb2 import NULL_VALUE, Struct

from levee.engine.standin.values import UNKNOWN, Secret, Value, Values
from levee.wire import OUTPUT_SIGNATURE, SECRET_SIGNATURE, SIGNATURE, UNKNOWN_STRING, UNKNOWNS


def decode(struct: Struct) -> Values:
    """The properties of a message, by wire name."""
    return {key: _decode(value) for key, value in struct.fields.items()}


def _decode(value: Any) -> Value:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        text = value.string_value
        return UNKNOWN if text in UNKNOWNS else text
    if kind == "struct_value":
        fields = {k: _decode(v) for k, v in value.struct_value.fields.items()}
        signature = fields.get(SIGNATURE)
        return fields if signature is None else _special(signature, fields)
    if kind == "list_value":
        return [_decode(v) for v in value.list_value.values]
    if kind == "bool_value":
        return value.bool_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    return None


def _special(signature: Value, fields: Values) -> Value:
    if signature == SECRET_SIGNATURE:
        return Secret(fields.get("value"))
    if signature == OUTPUT_SIGNATURE:
        value = fields.get("value", UNKNOWN)
        return Secret(value) if fields.get("secret") else value
    return fields


def encode(values: Mapping[str, Value]) -> Struct:
    """A message of those properties."""
    struct = Struct()
    _encode_fields(struct.fields, values)
    return struct


def _encode_fields(fields: Any, values: Mapping[str, Value]) -> None:
    for key, value in values.items():
        _encode(fields[key], value)


def _encode(target: Any, value: Value) -> None:
    if isinstance(value, str):
        target.string_value = value
    elif isinstance(value, bool):
        target.bool_value = value
    elif value is None:
        target.null_value = NULL_VALUE
    elif isinstance(value, int | float):
        target.number_value = value
    elif isinstance(value, dict):
        target.struct_value.SetInParent()
        _encode_fields(target.struct_value.fields, value)
    elif isinstance(value, list | tuple):
        items = target.list_value
        items.SetInParent()
        for item in value:
            _encode(items.values.add(), item)
    elif isinstance(value, Secret):
        fields = target.struct_value.fields
        fields[SIGNATURE].string_value = SECRET_SIGNATURE
        _encode(fields["value"], value.value)
    elif value is UNKNOWN:
        target.string_value = UNKNOWN_STRING
    else:
        raise TypeError(f"not a property value: {type(value).__name__}")
