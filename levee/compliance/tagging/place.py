"""Where each resource type carries its tags: derived from the provider SDKs' own types, never from a list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, Self

from levee import places
from levee.compliance.rule import Undecidable
from levee.compliance.tagging.dialect import DIALECTS, Dialect, dialect_of
from levee.sdk import Sdk

if TYPE_CHECKING:
    from levee.sdk import Package, Property, ResourceType, TypeRef

Shape = Literal["map", "pairs"]


class TypeSource(Protocol):
    """What is needed of ``levee.sdk.Sdk``."""

    @property
    def packages(self) -> Mapping[str, Package]:
        """Installed packages by name."""
        ...

    def resource(self, token: str) -> ResourceType | None:
        """The type, or ``None`` where the package has none of that name."""
        ...

    def object(self, ref: str) -> Mapping[str, Property]:
        """The properties of a nested object."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where a type keeps its tags.

    Attributes:
        path: The property, or the object and the property in it: ``("metadata", "labels")``.
        shape: ``map`` of key to value, or ``pairs``: a list of objects with ``key`` and ``value``.
    """

    path: tuple[str, ...]
    shape: Shape = "map"

    def __str__(self) -> str:
        return ".".join(self.path)


class UnknownType(Undecidable):
    """The SDK that is installed has no such type, or the type's package has no SDK here: nobody can say."""

    def __init__(self, reason: str) -> None:
        super().__init__("", reason)


class Places:
    """Looks places up, each type once.

    Args:
        sdk: The SDK types of the program's interpreter; it keeps its own cache on disk, so a type costs half a
            millisecond.
    """

    def __init__(self, sdk: TypeSource) -> None:
        self._sdk = sdk
        self._known: dict[str, Place | None] = {}

    @classmethod
    def installed(cls, site_packages: Path) -> Self:
        """Of the SDKs that are installed in a folder; what is derived of them is kept in Levee's cache."""
        return cls(Sdk(site_packages, places.cache() / "sdk"))

    def of(self, token: str) -> Place | None:
        """Where resources of that type carry tags; ``None`` where the type cannot carry any.

        Raises:
            UnknownType: The package should be able to say, but its SDK is missing or does not know the type.
        """
        if token not in self._known:
            dialect = dialect_of(token.partition(":")[0])
            self._known[token] = self._derived(token, dialect)
        return self._known[token]

    def _derived(self, token: str, dialect: Dialect) -> Place | None:
        package = self._sdk.packages.get(dialect.package)
        if package is None and dialect.package not in DIALECTS:
            return None  # a component of the program's own, or a package without an SDK in Python
        if package is None:
            raise UnknownType(f"the SDK of {dialect.package} is not installed, so nobody can say whether it has tags")
        resource = self._sdk.resource(token)
        if resource is None:
            raise UnknownType(f"the SDK of {dialect.package} {package.version} has no type {token}")
        return derive(resource, dialect, self._sdk)


def derive(resource: ResourceType, dialect: Dialect, sdk: TypeSource) -> Place | None:
    """Where that type keeps its tags, from its inputs.

    Args:
        resource: The type as its SDK declares it.
        dialect: The names its provider uses.
        sdk: Resolves nested objects.
    """
    for name in dialect.properties:
        declared = resource.inputs.get(name)
        if declared is not None and (shape := _shape(declared.type, sdk)) is not None:
            return Place((name,), shape)
    for name, declared in resource.inputs.items():
        if dialect.nested and declared.type.kind == "object":
            inner = sdk.object(declared.type.ref)
            for nested in dialect.nested:
                if nested in inner and (shape := _shape(inner[nested].type, sdk)) is not None:
                    return Place((name, nested), shape)
    return None


def _shape(declared: TypeRef, sdk: TypeSource) -> Shape | None:
    if declared.kind == "map" and declared.item is not None and declared.item.kind in ("string", "any"):
        return "map"
    if declared.kind == "array" and declared.item is not None and declared.item.kind == "object":
        return "pairs" if {"key", "value"} <= sdk.object(declared.item.ref).keys() else None
    return None
