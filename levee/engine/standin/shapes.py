"""One resource's values in the shapes that the SDK's output types have: inputs completed, the rest invented."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, Final

from levee.engine.standin.clouds import SKIP, Cloud, common
from levee.engine.standin.subject import NotYetError, Subject
from levee.engine.standin.values import UNKNOWN, Secret, Value, Values, is_asset
from levee.sdk import Property, Sdk, TypeRef

_MAX_DEPTH: Final = 4


@dataclass(frozen=True)
class Shaper:
    """Shapes the outputs of one resource.

    Attributes:
        sdk: Where nested types are looked up.
        cloud: The rules of the resource's package.
        subject: The resource.
        id: Its id; empty before it exists.
        preview: Whether what only the cloud can give is unknown yet.
    """

    sdk: Sdk
    cloud: Cloud
    subject: Subject
    id: str = ""
    preview: bool = False

    def computed(self, output: Property) -> Value:
        """A top-level output that no input gives: by the cloud's rule, else by its type, or :data:`SKIP`."""
        if self.preview and output.name not in self.cloud.planned:
            return UNKNOWN if output.required else SKIP
        return self._known_or_unknown(output, output.name, 0)

    def completed(self, given: Value, wanted: TypeRef, path: str, depth: int = 0) -> Value:
        """An input as it comes back: nested objects get what their output type says is always there."""
        if isinstance(given, Secret):
            return Secret(self.completed(given.value, wanted, path, depth))
        if depth >= _MAX_DEPTH or is_asset(given):
            return given
        if isinstance(given, dict) and wanted.kind == "object":
            return self._completed_object(given, wanted, path, depth)
        if isinstance(given, list) and wanted.kind == "array" and wanted.item is not None:
            return [self.completed(v, wanted.item, f"{path}[{i}]", depth + 1) for i, v in enumerate(given)]
        if isinstance(given, list) and wanted.kind == "map":
            return self._keyed(given, wanted, path, depth)
        if isinstance(given, dict) and wanted.kind == "map" and wanted.item is not None:
            return {k: self.completed(v, wanted.item, f"{path}.{k}", depth + 1) for k, v in given.items()}
        return given

    def _completed_object(self, given: Values, wanted: TypeRef, path: str, depth: int) -> Values:
        properties = self.sdk.object(wanted.ref)
        value = {
            k: self.completed(v, properties[k].type, f"{path}.{k}", depth + 1) if k in properties else v
            for k, v in given.items()
        }
        for name, nested in properties.items():
            if value.get(name) is not None:
                continue
            if self.preview and nested.required:
                value[name] = UNKNOWN
                continue
            made = self._known_or_unknown(nested, f"{path}.{name}", depth + 1)
            if made is not SKIP:
                value[name] = UNKNOWN if self.preview else made
        return value

    def _keyed(self, ids: list[Value], wanted: TypeRef, path: str, depth: int) -> Value:
        """Ids given as a list that come back as a map of objects by id: ARM's user-assigned identities."""
        if wanted.item is None or self.preview or not all(isinstance(key, str) for key in ids):
            return UNKNOWN
        item = Property("item", "item", wanted.item, required=True)
        return {str(key): self._invented(item, f"{path}.{key}", depth + 1) for key in ids}

    def _known_or_unknown(self, output: Property, path: str, depth: int) -> Value:
        """The cloud's value, an invented one where there must be one, or :data:`SKIP`."""
        try:
            value = self._ruled(output, path)
            return self._invented(output, path, depth) if value is SKIP and output.required else value
        except NotYetError:
            return UNKNOWN

    def _ruled(self, output: Property, path: str) -> Any:
        return self.cloud.compute(self.subject, self.id, output, path)

    def _invented(self, output: Property, path: str, depth: int) -> Any:
        """A value of the output's type."""
        if depth:
            value = self._ruled(output, path)
            if value is not SKIP:
                return value
        kind = output.type.kind
        if kind == "object" and depth < _MAX_DEPTH:
            return self._invented_object(output, path, depth)
        if kind == "array":
            return self._items(output, path, depth)
        if kind in {"map", "object", "any", "resource", "asset"}:
            return {}
        if kind == "union":
            return self._invented(replace(output, type=output.type.members[0]), path, depth)
        return common.scalar(self.subject, self.id, output, path)

    def _invented_object(self, output: Property, path: str, depth: int) -> Values:
        left_out = self._left_out(path)
        made = {
            name: self._invented(nested, f"{path}.{name}", depth + 1)
            if nested.required
            else self._ruled(nested, f"{path}.{name}")
            for name, nested in self.sdk.object(output.type.ref).items()
            if name not in left_out
        }
        return {name: value for name, value in made.items() if value is not SKIP}

    def _left_out(self, path: str) -> Collection[str]:
        """What the program could have set in an object that it did not give: it must not look as if it were set."""
        given = self.subject.type.inputs.get(path)
        return self.sdk.object(given.type.ref) if given is not None and given.type.kind == "object" else ()

    def _items(self, output: Property, path: str, depth: int) -> list[Any]:
        """One item where only the cloud can give the list, none where the program could have."""
        item = output.type.item
        inputs = self.subject.type.inputs
        if item is None or output.name in inputs or depth >= _MAX_DEPTH or item.kind in {"any", "map"}:
            return []
        element = Property(output.name, output.python_name, item, required=True)
        return [self._invented(element, f"{path}[0]", depth + 1)]
