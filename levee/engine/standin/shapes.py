"""One resource's values in the shapes that the SDK's output types have: inputs completed, the rest invented."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from levee.engine.standin.clouds import SKIP, Cloud, common
from levee.engine.standin.subject import NotYetError, Subject
from levee.engine.standin.values import UNKNOWN, Secret, Value, Values, is_asset
from levee.sdk import Property, Sdk, TypeRef

_MAX_DEPTH: Final = 4
"""How deep lists and what an input left out are filled."""
_DEEPEST: Final = 12
"""How deep objects that the SDK calls always set may nest; only a type that holds itself comes here."""
_OFF: Final = re.compile(r"(?i)^(none|off|disabled?|default|unspecified|\w*_unspecified|basic|notset)$")
_SHAPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int, float),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "map": (dict,),
    "object": (dict,),
}


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
        if self.cloud.echoes and output.name != "status":
            return SKIP
        if self.cloud.echoes and not self.preview:
            return self._neutral(output, 1)
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

    @staticmethod
    def differs(given: Value, wanted: TypeRef) -> bool:
        """Whether an input cannot come back as it is: a text for an object, or the other way round."""
        opened = given.value if isinstance(given, Secret) else given
        if isinstance(opened, dict) and not is_asset(opened):
            return wanted.kind in {"string", "integer", "number", "boolean"}
        return isinstance(opened, str | int | float) and wanted.kind == "object"

    def _completed_object(self, given: Values, wanted: TypeRef, path: str, depth: int) -> Values:
        properties = self.sdk.object(wanted.ref)
        value = {
            k: self.completed(v, properties[k].type, f"{path}.{k}", depth + 1) if k in properties else v
            for k, v in given.items()
        }
        for name, nested in properties.items():
            if value.get(name) is not None or self.cloud.echoes:
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
        """The cloud's own value, where it has one of the output's type."""
        value = self.cloud.compute(self.subject, self.id, output, path)
        if value is common.NEUTRAL:
            return self._neutral(output, 1)
        shapes = _SHAPES.get(output.type.kind)
        opened = value.value if isinstance(value, Secret) else value
        if output.type.kind == "enum" and output.type.values and not output.type.open:
            return value if opened in output.type.values else SKIP
        return SKIP if shapes and opened is not SKIP and not isinstance(opened, shapes) else value

    def _invented(self, output: Property, path: str, depth: int) -> Any:
        """A value of the output's type."""
        if depth:
            value = self._ruled(output, path)
            if value is not SKIP:
                return value
        kind = output.type.kind
        if kind == "object" and depth < _DEEPEST:
            return self._invented_object(output, path, depth)
        if kind == "array":
            return self._items(output, path, depth)
        if kind == "map":
            return self._named_keys(output, path, depth)
        if kind in {"object", "any", "resource", "asset"}:
            return {}
        if kind == "union":
            return self._invented(replace(output, type=output.type.members[0]), path, depth)
        return common.scalar(self.subject, self.id, output, path)

    def _invented_object(self, output: Property, path: str, depth: int) -> Values:
        left_out = self._left_out(path)
        properties = self.sdk.object(output.type.ref)
        # Bridged SDKs call every nested field optional, so in what only the cloud can give all of them are there.
        all_of_them = self._is_cloud_only(path) and not any(nested.required for nested in properties.values())
        made = {}
        for name, nested in properties.items():
            inner = f"{path}.{name}"
            if name in left_out:
                # A flag says that the setting is off; a text or a list would look as if somebody had set it.
                is_off = nested.required and nested.type.kind in {"boolean", "integer", "number"}
                made[name] = self._neutral(nested, depth + 1) if is_off else SKIP
            else:
                wanted = nested.required or (all_of_them and depth < _MAX_DEPTH)
                made[name] = self._invented(nested, inner, depth + 1) if wanted else self._ruled(nested, inner)
        return {name: value for name, value in made.items() if value is not SKIP}

    def _is_cloud_only(self, path: str) -> bool:
        """Whether the program could not have given anything of this."""
        return re.split(r"[.\[]", path, maxsplit=1)[0] not in self.subject.type.inputs

    def _left_out(self, path: str) -> Mapping[str, Property]:
        """What the program could have set in an object that it did not give: it must not look as if it were set."""
        given = self.subject.type.inputs.get(path)
        return self.sdk.object(given.type.ref) if given is not None and given.type.kind == "object" else {}

    def _neutral(self, output: Property, depth: int) -> Any:
        """What stands for a setting that nobody made: its documented default, off, nothing, or empty."""
        kind, values = output.type.kind, output.type.values
        default = common.default_of(output)
        if default is not None and (kind != "enum" or default in values):
            return default
        if kind == "enum":
            return next((v for v in values if _OFF.match(str(v))), values[0] if values else "")
        if kind == "union":
            return self._neutral(replace(output, type=output.type.members[0]), depth)
        if kind == "object" and depth < _DEEPEST:
            nested = self.sdk.object(output.type.ref).items()
            return {name: self._neutral(inner, depth + 1) for name, inner in nested if inner.required}
        nothing: dict[str, Any] = {"string": "", "integer": 0, "number": 0, "boolean": False, "array": []}
        return nothing.get(kind, {})

    def _named_keys(self, output: Property, path: str, depth: int) -> Values:
        """A map with the keys that its docstring names: ``uris["GRAPHQL"] = ...``."""
        if output.type.item is None or not self._is_cloud_only(path):
            return {}
        keys = re.findall(rf"""\b(?:{output.name}|{output.python_name})\[["'](\w+)["']\]""", output.doc)
        one = replace(output, name=_singular(output.name))
        return {
            key: self._invented(replace(one, type=output.type.item, doc=""), f"{path}.{key}", depth + 1)
            for key in dict.fromkeys(keys)
        }

    def _items(self, output: Property, path: str, depth: int) -> list[Any]:
        """One item where only the cloud can give the list, none where the program could have."""
        item = output.type.item
        inputs = self.subject.type.inputs
        if item is None or output.name in inputs or depth + 1 >= _MAX_DEPTH or item.kind in {"any", "map"}:
            return []
        element = Property(_singular(output.name), output.python_name, item, required=True, doc=output.doc)
        return [self._invented(element, f"{path}[0]", depth + 1)]


def _singular(name: str) -> str:
    """``urls`` to ``url``, ``ipAddresses`` to ``ipAddress``: what is made of a list's name is made of one of it."""
    return name.removesuffix("es") if name.endswith("sses") else name.removesuffix("s")
