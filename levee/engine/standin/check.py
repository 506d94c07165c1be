"""Check: are these inputs what the SDK says that the type takes?"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from levee.engine.standin.values import UNKNOWN, Secret, Value, is_asset
from levee.sdk import Property, Sdk, TypeRef

_NAMES: Final = {
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "a string",
    list: "a list",
    dict: "an object",
}
_WANTED: Final = {
    "string": "a string",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "a boolean",
    "array": "a list",
    "map": "an object",
    "object": "an object",
    "asset": "an asset or an archive",
}


@dataclass(frozen=True, slots=True)
class Failure:
    """One input that a real provider would refuse."""

    path: str
    reason: str


@dataclass
class Checker:
    """Checks inputs against the SDK's types.

    Attributes:
        sdk: Where nested types are looked up.
        strict: Whether a property that the type does not have is refused (bridged providers) or only counted.
        partial: Whether required properties may be missing, as in an answer that is completed later.
        open_values: What was given where an enum admits other values; ``path=value``.
        unchecked: Paths of properties that the type does not have, where ``strict`` is off.
    """

    sdk: Sdk
    strict: bool = True
    partial: bool = False
    open_values: list[str] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)

    def check(self, values: Mapping[str, Value], properties: Mapping[str, Property]) -> list[Failure]:
        """Every failure, in the order of the properties."""
        return list(self._object(values, properties, ""))

    def _object(self, values: Mapping[str, Value], properties: Mapping[str, Property], path: str) -> Iterator[Failure]:
        for name, property_ in properties.items():
            value = values.get(name)
            if value is None:
                if property_.required and not self.partial:
                    yield Failure(path or name, f"missing required property '{path}{'.' if path else ''}{name}'")
                continue
            yield from self._value(value, property_.type, f"{path}.{name}" if path else name)
        for name in values.keys() - properties.keys():
            if name.startswith("__") or values[name] is None:
                continue
            where = f"{path}.{name}" if path else name
            if self.strict:
                yield Failure(where, f"unknown property '{where}'{_nearest(name, properties)}")
            else:
                self.unchecked.append(where)

    def _secret(self, value: Value, wanted: TypeRef, path: str) -> Iterator[Failure]:
        """The failures of a secret, which must not tell what it holds."""
        inner = Checker(self.sdk, self.strict, self.partial)
        if list(inner._value(value, wanted, path)):
            yield Failure(path, f"'{path}' holds a secret that does not fit its type")
        if inner.open_values:
            self.open_values.append(f"{path}=[secret]")
        if inner.unchecked:
            self.unchecked.append(path)

    def _value(self, value: Value, wanted: TypeRef, path: str) -> Iterator[Failure]:
        if isinstance(value, Secret):
            yield from self._secret(value.value, wanted, path)
            return
        if value is UNKNOWN or value is None or wanted.kind in {"any", "resource"}:
            return
        if wanted.kind == "union":
            if not any(self.fits(value, member) for member in wanted.members):
                yield Failure(path, f"'{path}' is {_name(value)}, which fits none of its types")
        elif wanted.kind == "enum":
            yield from self._enum(value, wanted, path)
        elif not _is(value, wanted.kind):
            yield Failure(path, f"'{path}' must be {_WANTED[wanted.kind]}, got {_name(value)}")
        else:
            yield from self._inside(value, wanted, path)

    def _inside(self, value: Value, wanted: TypeRef, path: str) -> Iterator[Failure]:
        if wanted.kind == "array" and wanted.item is not None:
            for index, item in enumerate(value):
                yield from self._value(item, wanted.item, f"{path}[{index}]")
        elif wanted.kind == "map" and wanted.item is not None:
            for key, item in value.items():
                yield from self._value(item, wanted.item, f"{path}.{key}")
        elif wanted.kind == "object":
            properties = self.sdk.object(wanted.ref)
            if properties:
                yield from self._object(value, properties, path)

    def _enum(self, value: Value, wanted: TypeRef, path: str) -> Iterator[Failure]:
        if value in wanted.values:
            return
        if wanted.open and isinstance(value, str | int | float):
            self.open_values.append(f"{path}={value}")
        else:
            choices = ", ".join(repr(v) for v in wanted.values)
            yield Failure(path, f"'{path}' must be one of {choices}; got {value!r}")

    def fits(self, value: Value, wanted: TypeRef) -> bool:
        """Whether a value is of a type."""
        return not list(self._value(value, wanted, ""))


def _is(value: Value, kind: str) -> bool:
    if kind == "string":
        return isinstance(
            value, str | int | float
        )  # the wire coerces numbers and booleans to strings, as the bridge does
    if kind == "boolean":
        return isinstance(value, bool) or (isinstance(value, str) and value in {"true", "false"})
    if kind in {"integer", "number"}:
        return _is_number(value, whole=kind == "integer")
    if kind == "asset":
        return is_asset(value) or isinstance(value, str)
    if kind == "array":
        return isinstance(value, list)
    return isinstance(value, dict)


def _is_number(value: Value, *, whole: bool) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return False
    if not isinstance(value, int | float):
        return False
    return not whole or float(value).is_integer()


def _name(value: Value) -> str:
    return (
        f"{_NAMES.get(type(value), type(value).__name__)} ({value!r})"
        if not isinstance(value, list | dict)
        else _NAMES[type(value)]
    )


def _nearest(name: str, known: Iterable[str]) -> str:
    return near(name, known, "; did you mean ", "?")


def near(name: str, known: Iterable[str], before: str = "", after: str = "") -> str:
    """The nearest of ``known`` by spelling, between ``before`` and ``after``; empty where none is near."""
    found = difflib.get_close_matches(name, list(known), n=3, cutoff=0.6)
    return f"{before}{', '.join(repr(f) for f in found)}{after}" if found else ""
