"""What an SDK says of its types: frozen values that go to JSON and come back equal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal[
    "string", "integer", "number", "boolean", "array", "map", "object", "enum", "asset", "any", "union", "resource"
]


@dataclass(frozen=True, slots=True)
class TypeRef:
    """The type of one property.

    Attributes:
        kind: The sort of value; ``asset`` is an asset or an archive, ``any`` is unchecked JSON.
        item: The element type of an ``array`` or a ``map``; ``None`` elsewhere.
        ref: ``<python module>/<inputs|outputs|enums>/<class>`` of an ``object`` or an ``enum``; pass it to
            :meth:`levee.sdk.Sdk.object`. ``<python module>/resources/<class>`` of a ``resource``; pass it to
            :meth:`levee.sdk.Sdk.token`. Empty elsewhere.
        values: The values of an ``enum``.
        open: Whether a value beyond ``values`` may be valid too (``Union[str, 'Enum']`` in the SDK).
        members: The alternatives of a ``union``.
    """

    kind: Kind
    item: TypeRef | None = None
    ref: str = ""
    values: tuple[str | int | float, ...] = ()
    open: bool = False
    members: tuple[TypeRef, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The fields that differ from their defaults, as JSON."""
        out: dict[str, Any] = {"kind": self.kind}
        if self.item is not None:
            out["item"] = self.item.to_json()
        if self.ref:
            out["ref"] = self.ref
        if self.values:
            out["values"] = list(self.values)
        if self.open:
            out["open"] = True
        if self.members:
            out["members"] = [m.to_json() for m in self.members]
        return out

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TypeRef:
        """The inverse of :meth:`to_json`."""
        return cls(
            kind=data["kind"],
            item=cls.from_json(data["item"]) if "item" in data else None,
            ref=data.get("ref", ""),
            values=tuple(data.get("values", ())),
            open=data.get("open", False),
            members=tuple(cls.from_json(m) for m in data.get("members", ())),
        )


ANY = TypeRef("any")


@dataclass(frozen=True, slots=True)
class Property:
    """One input or output property.

    Attributes:
        name: The wire's name (camelCase), as in state and in ``Plan``.
        python_name: The SDK's name (snake_case).
        type: Its type.
        required: Of an input, that it must be given; of an output, that it is always set.
        doc: The SDK's docstring, dedented at the edges only.
        forces_replacement: What the docstring says of a change: ``True`` when it says that it replaces the resource,
            ``None`` when it is silent.
    """

    name: str
    python_name: str
    type: TypeRef
    required: bool
    doc: str = ""
    forces_replacement: bool | None = None

    def to_json(self) -> dict[str, Any]:
        """The property as JSON."""
        return {
            "name": self.name,
            "python_name": self.python_name,
            "type": self.type.to_json(),
            "required": self.required,
            "doc": self.doc,
            "forces_replacement": self.forces_replacement,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Property:
        """The inverse of :meth:`to_json`."""
        return cls(
            name=data["name"],
            python_name=data["python_name"],
            type=TypeRef.from_json(data["type"]),
            required=data["required"],
            doc=data["doc"],
            forces_replacement=data["forces_replacement"],
        )


Properties = Mapping[str, Property]
"""Wire name to property, in the SDK's order."""


def properties_from_json(data: Sequence[Mapping[str, Any]]) -> dict[str, Property]:
    """Properties by wire name, from a list of :meth:`Property.to_json`."""
    return {p["name"]: Property.from_json(p) for p in data}


def properties_to_json(properties: Properties) -> list[dict[str, Any]]:
    """The inverse of :func:`properties_from_json`."""
    return [p.to_json() for p in properties.values()]


def _shared_to_json(type_: ResourceType | FunctionType) -> dict[str, Any]:
    """What a resource type and a function have both."""
    return {
        "token": type_.token,
        "package": type_.package,
        "version": type_.version,
        "module": type_.module,
        "inputs": properties_to_json(type_.inputs),
        "outputs": properties_to_json(type_.outputs),
    }


def _shared_from_json(data: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that :func:`_shared_to_json` was made of."""
    texts = {name: data[name] for name in ("token", "package", "version", "module")}
    return texts | {side: properties_from_json(data[side]) for side in ("inputs", "outputs")}


@dataclass(frozen=True)
class ResourceType:
    """One resource type of a package.

    Attributes:
        token: ``aws:s3/bucket:Bucket``.
        package: ``aws``, as in ``pulumi-plugin.json``.
        version: The SDK's version.
        module: The Python module that defines the class.
        class_name: The class.
        inputs: What a program may give.
        outputs: What the resource has; the ``id`` is not among them.
        secret_outputs: Wire names that the SDK marks secret.
        aliases: Tokens that this type was known by.
        replace_on_changes: Property paths whose change the SDK itself declares to replace.
        remote_component: Whether the provider constructs it (``remote=True``).
        constants: Wire name to the value that the SDK always sends (``apiVersion`` and ``kind`` of Kubernetes).
        import_ids: The ids in the docstring's ``pulumi import`` lines: templates (``projects/{{project}}/...``) or
            examples (``vpc-a01106c2``), the fullest first.
    """

    token: str
    package: str
    version: str
    module: str
    class_name: str
    inputs: Properties
    outputs: Properties
    secret_outputs: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    replace_on_changes: tuple[str, ...] = ()
    remote_component: bool = False
    constants: Mapping[str, Any] = field(default_factory=dict)
    import_ids: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The type as JSON."""
        return {
            **_shared_to_json(self),
            "class_name": self.class_name,
            "secret_outputs": list(self.secret_outputs),
            "aliases": list(self.aliases),
            "replace_on_changes": list(self.replace_on_changes),
            "remote_component": self.remote_component,
            "constants": dict(self.constants),
            "import_ids": list(self.import_ids),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ResourceType:
        """The inverse of :meth:`to_json`."""
        return cls(
            **_shared_from_json(data),
            class_name=data["class_name"],
            secret_outputs=tuple(data["secret_outputs"]),
            aliases=tuple(data["aliases"]),
            replace_on_changes=tuple(data["replace_on_changes"]),
            remote_component=data["remote_component"],
            constants=data["constants"],
            import_ids=tuple(data["import_ids"]),
        )


@dataclass(frozen=True)
class FunctionType:
    """One function (lookup) of a package: its arguments and its result, by wire name.

    The generator writes every argument as optional, so ``required`` says nothing of ``inputs``.
    """

    token: str
    package: str
    version: str
    module: str
    inputs: Properties
    outputs: Properties

    def to_json(self) -> dict[str, Any]:
        """The function as JSON."""
        return _shared_to_json(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> FunctionType:
        """The inverse of :meth:`to_json`."""
        return cls(**_shared_from_json(data))
