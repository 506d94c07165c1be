"""A package's schema, as its provider would give it, from what its Python SDK says.

Programs in YAML have no SDK: their language host asks the provider for the schema and finds tokens, types and required
properties in it. The generator wrote the SDK from that schema, so most of it can be read back. What an SDK does not
carry is not in it: descriptions and default values are left out, and a function's required arguments are unknown.

Source: ``PackageSpec`` of ``pulumi/pulumi``, ``pkg/codegen/schema/schema.go``; its metaschema is ``pulumi.json`` there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from levee.files import write_whole
from levee.sdk.catalogue import Sdk
from levee.sdk.model import FunctionType, Properties, Property, ResourceType, TypeRef
from levee.sdk.package import Package

_ANY: Final = {"$ref": "pulumi.json#/Any"}
_ASSET: Final = {"$ref": "pulumi.json#/Asset"}
"""An asset or an archive."""
_BRIDGED: Final = {"moduleFormat": "(.*)(?:/[^/]*)"}
"""What bridged packages say of their tokens: ``aws:index/getRegion:getRegion`` lies in ``index``, not below it."""
_PRIMITIVES: Final = frozenset({"string", "integer", "number", "boolean"})

Json = dict[str, Any]


def package_schema(sdk: Sdk, name: str) -> str:
    """The schema of an installed package; kept on disk, for a big package takes seconds to read whole.

    Args:
        sdk: Where the package is installed.
        name: The package, as tokens spell it.

    Returns:
        A ``PackageSpec`` as the text of one JSON document; that of a big package has 13 MB.

    Raises:
        KeyError: It is not installed.
    """
    package = sdk.packages[name]
    kept = sdk.cache_path(package, "schema", name)
    if kept and kept.is_file():
        return kept.read_text(encoding="utf-8")
    # A reader of its own: all types of a package would fill the shared one's cache with a file for each.
    text = json.dumps(_Writer(Sdk(sdk.site_packages), package).schema(), separators=(",", ":"))
    if kept:
        write_whole(kept, text)
    return text


class _Writer:
    """Writes one package, collecting the nested types that it meets."""

    def __init__(self, sdk: Sdk, package: Package) -> None:
        self._sdk = sdk
        self._package = package
        self._types: dict[str, Json] = {}

    def schema(self) -> Json:
        resources = {
            token: self._resource(type_) for token in self._package.tokens if (type_ := self._sdk.resource(token))
        }
        provider = self._sdk.resource(f"pulumi:providers:{self._package.name}")
        functions = {
            token: self._function(function)
            for token in self._package.function_tokens
            if (function := self._sdk.function(token))
        }
        return {
            "name": self._package.name,
            **({"version": self._package.version} if self._package.version else {}),
            **({"meta": _BRIDGED} if any(":index/" in token for token in (*resources, *functions)) else {}),
            "types": self._types,
            "provider": self._resource(provider) if provider else {},
            "resources": resources,
            "functions": functions,
        }

    def _resource(self, type_: ResourceType) -> Json:
        return {
            "inputProperties": self._properties(type_.inputs.values(), type_),
            "requiredInputs": _required(type_.inputs),
            "properties": self._properties(type_.outputs.values(), type_),
            "required": _required(type_.outputs),
            "aliases": [{"type": alias} for alias in type_.aliases],
            "isComponent": type_.remote_component,
        }

    def _function(self, function: FunctionType) -> Json:
        return {
            "inputs": {"type": "object", "properties": self._properties(function.inputs.values())},
            "outputs": self._object(function.outputs),
        }

    def _properties(self, properties: Iterable[Property], owner: ResourceType | None = None) -> Json:
        return {p.name: self._property(p, owner) for p in properties}

    def _property(self, property_: Property, owner: ResourceType | None) -> Json:
        written = dict(self._type(property_.type))
        if owner and property_.name in owner.secret_outputs:
            written["secret"] = True
        if owner and property_.name in owner.constants and written.get("type") in _PRIMITIVES:
            written["const"] = owner.constants[property_.name]
        return written

    def _object(self, properties: Properties) -> Json:
        return {
            "type": "object",
            "properties": self._properties(properties.values()),
            "required": _required(properties),
        }

    def _type(self, type_: TypeRef) -> Json:
        item = type_.item or TypeRef("any")
        match type_.kind:
            case "array":
                return {"type": "array", "items": self._type(item)}
            case "map":
                return {"type": "object", "additionalProperties": self._type(item)}
            case "object":
                return self._nested(type_.ref)
            case "enum":
                return self._enum(type_)
            case "union":
                return self._union(type_.members)
            case "resource":
                return self._reference(type_.ref)
            case "asset":
                return _ASSET
            case "any":
                return _ANY
            case primitive:
                return {"type": primitive}

    def _nested(self, ref: str) -> Json:
        token = self._token(ref)
        if token not in self._types:
            properties = self._sdk.object(ref)
            if not properties:  # not to be found, or open
                return _ANY
            self._types[token] = {}  # a type may hold itself
            self._types[token] = self._object(properties)
        return {"$ref": f"#/types/{token}"}

    def _enum(self, type_: TypeRef) -> Json:
        primitive = {"type": _primitive(type_.values)}
        if not (type_.ref and type_.values):
            return primitive
        token = self._token(type_.ref)
        self._types[token] = {**primitive, "enum": [{"value": value} for value in type_.values]}
        named = {"$ref": f"#/types/{token}"}
        return {"oneOf": [primitive, named]} if type_.open else named

    def _union(self, members: Iterable[TypeRef]) -> Json:
        written = [self._type(member) for member in members]
        return _ANY if _ANY in written else {"oneOf": written}

    def _reference(self, ref: str) -> Json:
        """A resource as a value; one of another package is not checked."""
        token = self._sdk.token(ref)
        return {"$ref": f"#/resources/{token}"} if token in self._package.places else _ANY

    def _token(self, ref: str) -> str:
        """``pulumi_aws.ec2/inputs/FilterArgs`` as ``aws:ec2:FilterArgs``."""
        module, _, class_name = ref.split("/")
        path = module.removeprefix(self._package.import_name).lstrip(".").replace(".", "/")
        return f"{self._package.name}:{path or 'index'}:{class_name}"


def _required(properties: Properties) -> list[str]:
    return [p.name for p in properties.values() if p.required]


def _primitive(values: Iterable[str | float]) -> str:
    """The schema's type of an enum's values."""
    kinds = {type(value) for value in values}
    if kinds == {int}:
        return "integer"
    return "number" if kinds and kinds <= {int, float} else "string"
