"""From a resource's inputs to its outputs: echo what was given, compute what the SDK says is always there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from levee.engine.standin.clouds import SKIP, Cloud, cloud_of, common
from levee.engine.standin.subject import NotYetError, Subject
from levee.engine.standin.values import UNKNOWN, Secret, Value, Values, is_asset, plain, same
from levee.sdk import Property, ResourceType, Sdk, TypeRef

_MAX_DEPTH: Final = 4

_ALWAYS_GIVEN: Final = frozenset({"awsIamRole.externalId", "databricksGcpServiceAccount.email"})
"""Nested outputs that an SDK calls optional, because they could be inputs, and that the cloud gives every time."""


@dataclass(frozen=True)
class Outputs:
    """Builds outputs.

    Attributes:
        sdk: Where nested types are looked up.
    """

    sdk: Sdk

    def preview(self, subject: Subject) -> Values:
        """The outputs that a preview can know of a resource to be created; what is computed is unknown."""
        type_, cloud = subject.type, cloud_of(subject.type.package)
        values = _beyond_the_type(subject)
        for name, output in type_.outputs.items():
            given = subject.inputs.get(name)
            if given is not None:
                values[name] = self._complete(given, output.type, None, name, 0)
            elif output.required:
                values[name] = UNKNOWN
                if name in cloud.planned:
                    values[name] = self._compute(cloud, subject, "", output)
        return _mark_secrets(type_, {k: v for k, v in values.items() if v is not SKIP})

    def create(self, subject: Subject) -> tuple[str, Values]:
        """The id and the outputs of a new resource."""
        cloud = cloud_of(subject.type.package)
        if cloud.draw is not None:
            id_, made = cloud.draw(subject.type.class_name, plain(dict(subject.inputs)))
        else:
            id_, made = cloud.identify(subject) or subject.hex("id", 16), {}
        return id_, _mark_secrets(subject.type, {**self.compute(subject, id_), **made})

    def compute(self, subject: Subject, id_: str) -> Values:
        """The outputs of a resource of that id; an output that depends on an unknown input is unknown."""
        cloud = cloud_of(subject.type.package)
        values = _beyond_the_type(subject)
        for name, output in subject.type.outputs.items():
            given = subject.inputs.get(name)
            if given is not None:
                values[name] = self._complete(given, output.type, subject, name, 0)
                continue
            value = self._compute(cloud, subject, id_, output)
            if value is not SKIP:
                values[name] = value
        if cloud.finish is not None:
            try:
                values = cloud.finish(subject, id_, values)
            except NotYetError as missing:
                values[str(missing).split(".", 1)[0]] = UNKNOWN
        return _mark_secrets(subject.type, values)

    def _compute(self, cloud: Cloud, subject: Subject, id_: str, output: Property) -> Value:
        try:
            value = cloud.compute(subject, id_, output, output.name)
            if value is SKIP and output.required:
                value = self._invent(subject, id_, output, output.name, 0)
        except NotYetError:
            return UNKNOWN
        return value

    def update(self, old: Subject, new: Subject, id_: str, state: Mapping[str, Value]) -> Values:
        """The outputs after an update: a computed value stays unless it follows from inputs that changed.

        Args:
            old: The resource with its old inputs.
            new: The resource with its new inputs.
            id_: Its id.
            state: Its old outputs.
        """
        before, after = self.compute(old, id_), self.compute(new, id_)
        values: Values = {}
        for name in after.keys() | (state.keys() & new.type.outputs.keys()):
            computed = new.inputs.get(name) is None
            if (
                computed
                and name in state
                and old.inputs.get(name) is None
                and not (name in before and name in after and same(before[name], state[name]))
            ):
                values[name] = state[name]
            elif name in after:
                values[name] = after[name]
        return _mark_secrets(new.type, values)

    def _complete(self, given: Value, wanted: TypeRef, subject: Subject | None, path: str, depth: int) -> Value:
        """An input as it comes back: nested objects get what their output type says is always there."""
        if isinstance(given, Secret):
            return Secret(self._complete(given.value, wanted, subject, path, depth))
        if depth >= _MAX_DEPTH or is_asset(given):
            return given
        if isinstance(given, dict) and wanted.kind == "object":
            properties = self.sdk.object(wanted.ref)
            value = {
                k: self._complete(v, properties[k].type, subject, f"{path}.{k}", depth + 1) if k in properties else v
                for k, v in given.items()
            }
            for name, nested in properties.items():
                if value.get(name) is None:
                    made = self._nested(subject, nested, f"{path}.{name}", depth + 1)
                    if made is not SKIP:
                        value[name] = made
            return value
        if isinstance(given, list) and wanted.kind == "array" and wanted.item is not None:
            return [self._complete(v, wanted.item, subject, f"{path}[{i}]", depth + 1) for i, v in enumerate(given)]
        if isinstance(given, list) and wanted.kind == "map":
            return self._keyed(given, wanted, subject, path, depth)
        if isinstance(given, dict) and wanted.kind == "map" and wanted.item is not None:
            return {k: self._complete(v, wanted.item, subject, f"{path}.{k}", depth + 1) for k, v in given.items()}
        return given

    def _keyed(self, ids: list[Value], wanted: TypeRef, subject: Subject | None, path: str, depth: int) -> Value:
        """Ids given as a list that come back as a map of objects by id: ARM's user-assigned identities."""
        if wanted.item is None or subject is None or not all(isinstance(key, str) for key in ids):
            return UNKNOWN
        item = Property("item", "item", wanted.item, required=True)
        return {str(key): self._invent(subject, "", item, f"{path}.{key}", depth + 1) for key in ids}

    def _nested(self, subject: Subject | None, output: Property, path: str, depth: int) -> Value:
        """A nested output that the input lacks, or :data:`SKIP` where it may stay away."""
        if subject is None:
            return UNKNOWN if output.required or path in _ALWAYS_GIVEN else SKIP
        try:
            value = cloud_of(subject.type.package).compute(subject, "", output, path)
            return self._invent(subject, "", output, path, depth) if value is SKIP and output.required else value
        except NotYetError:
            return UNKNOWN

    def _invent(self, subject: Subject, id_: str, output: Property, path: str, depth: int) -> Any:
        """A value of the output's type."""
        if depth:
            value = cloud_of(subject.type.package).compute(subject, id_, output, path)
            if value is not SKIP:
                return value
        kind = output.type.kind
        if kind == "object" and depth < _MAX_DEPTH:
            left_out = self._left_out(subject, path)
            made = {
                name: self._invent(subject, id_, nested, f"{path}.{name}", depth + 1)
                if nested.required
                else cloud_of(subject.type.package).compute(subject, id_, nested, f"{path}.{name}")
                for name, nested in self.sdk.object(output.type.ref).items()
                if name not in left_out
            }
            return {name: value for name, value in made.items() if value is not SKIP}
        if kind == "array":
            return self._items(subject, id_, output, path, depth)
        if kind in {"map", "object", "any", "resource", "asset"}:
            return {}
        if kind == "union":
            member = output.type.members[0]
            output = Property(output.name, output.python_name, member, required=True, doc=output.doc)
            return self._invent(subject, id_, output, path, depth)
        return common.scalar(subject, id_, output, path)

    def _left_out(self, subject: Subject, path: str) -> Collection[str]:
        """What the program could have set in an object that it did not give: it must not look as if it were set."""
        given = subject.type.inputs.get(path)
        return self.sdk.object(given.type.ref) if given is not None and given.type.kind == "object" else ()

    def _items(self, subject: Subject, id_: str, output: Property, path: str, depth: int) -> list[Any]:
        """One item where only the cloud can give the list, none where the program could have."""
        item = output.type.item
        if item is None or output.name in subject.type.inputs or depth >= _MAX_DEPTH or item.kind in {"any", "map"}:
            return []
        element = Property(output.name, output.python_name, item, required=True)
        return [self._invent(subject, id_, element, f"{path}[0]", depth + 1)]


def _beyond_the_type(subject: Subject) -> Values:
    """What a manifest holds besides the properties of its type: a custom resource may hold anything."""
    if subject.type.package != "kubernetes":
        return {}
    return {k: v for k, v in subject.inputs.items() if k not in subject.type.outputs and v is not None}


def _mark_secrets(type_: ResourceType, values: Values) -> Values:
    for name in type_.secret_outputs:
        value = values.get(name)
        if value is not None and not isinstance(value, Secret):
            values[name] = Secret(value)
    return values
