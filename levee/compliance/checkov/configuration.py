"""From the resources of a graph to what Checkov reads: Terraform blocks, ARM resources and Kubernetes manifests.

References stay references (``aws_kms_key.k.arn``), so that Checkov's connected checks see the edges, and what is not
known yet is marked as such; tools/checkov/worker.py says how. Secrets that this process was given are unsealed here, on
their way to the worker, whose answers hold no values; of others it is only known that they are there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Final

from levee import terraform
from levee.compliance.checkov.arm_types import CHILD_TOP_LEVEL, TOP_LEVEL, TYPES, ArmType
from levee.plan import SECRET, UNKNOWN, Resource, Sealed
from levee.terraform.hcl import Leaf, to_hcl
from levee.terraform.types import RAW, snake

_AZURE: Final = re.compile(r"azure-native:(?P<module>[^/:]+)(?:/v(?P<date>\d{8})\w*)?:(?P<type>\w+)$")
_API_VERSION: Final = "2024-01-01"
"""That of an undated type; the checks look at it only to know the APIs of before 2020."""
_NOT_A_NAME: Final = re.compile(r"\W")


@dataclass(frozen=True, slots=True)
class Identity:
    """What Checkov calls a resource.

    Attributes:
        framework: ``terraform``, ``arm`` or ``kubernetes``.
        type: The type in its words.
    """

    framework: str
    type: str


@dataclass(frozen=True)
class Configuration:
    """Everything that Checkov is asked to judge together.

    Attributes:
        resources: Framework to its resources, as the worker takes them; the key of each is its URN.
        unmapped: Resources of types that have no counterpart there, by type token.
    """

    resources: Mapping[str, Sequence[Mapping[str, Any]]]
    unmapped: Mapping[str, int] = field(default_factory=dict)


@cache
def identity(token: str) -> Identity | None:
    """What Checkov calls a type, or ``None`` where it has no word for it."""
    if token.startswith(RAW):
        return Identity("terraform", token.removeprefix(RAW))
    if known := terraform.of_token(token):
        return Identity("terraform", known.terraform)
    if arm := arm_type(token):
        return Identity("arm", arm.type)
    if token.startswith("kubernetes:") and token.count("/") == 1:
        return Identity("kubernetes", token.rsplit(":", 1)[-1])
    return None


def arm_type(token: str) -> ArmType | None:
    """The ARM type of an azure-native token of any date."""
    found = _AZURE.match(token)
    return TYPES.get(f"{found['module']}:{found['type']}") if found else None


def translate(resources: Iterable[Resource]) -> Configuration:
    """The resources in Checkov's words; components, providers and what is only read are left out."""
    judged = [
        replace(r, inputs=_unsealed(r.inputs))
        for r in resources
        if r.custom and not r.is_provider and not r.type.startswith("pulumi:")
    ]
    names = _Names(judged)
    given: dict[str, list[Mapping[str, Any]]] = {"terraform": [], "arm": [], "kubernetes": []}
    unmapped: Counter[str] = Counter()
    for resource in judged:
        found = identity(resource.type)
        if found is None:
            unmapped[resource.type] += 1
            continue
        config = _CONFIGS[found.framework](resource, names)
        name = names.local[resource.urn]
        given[found.framework].append({"key": resource.urn, "type": found.type, "name": name, "config": config})
    _nest(given["arm"])
    return Configuration({k: v for k, v in given.items() if v}, unmapped)


def _unsealed(value: Any) -> Any:
    """The value with every secret in it that this process knows."""
    if isinstance(value, Sealed):
        return _unsealed(value.unseal())
    if isinstance(value, Mapping):
        return {name: _unsealed(inner) for name, inner in value.items()}
    return [_unsealed(inner) for inner in value] if isinstance(value, list) else value


class _Names:
    """The names of the resources in Checkov's configuration, each unique, and the values that mean another resource."""

    def __init__(self, resources: Sequence[Resource]) -> None:
        self.by_urn = {r.urn: r for r in resources}
        self.local: dict[str, str] = {}
        taken: Counter[tuple[str, str]] = Counter()
        for resource in resources:
            plain = _NOT_A_NAME.sub("_", resource.name)
            taken[resource.type, plain] += 1
            again = taken[resource.type, plain]
            self.local[resource.urn] = plain if again == 1 else f"{plain}__{again}"

    def leaf(self, resource: Resource, prop: str) -> Leaf:
        """What becomes of the scalars below one property of a resource."""
        urns = resource.property_dependencies.get(prop, ())
        sources = [s for urn in urns if (s := self.by_urn.get(urn)) and self._address(s)]

        def resolve(name: str, value: Any) -> Any:
            if value == UNKNOWN and sources:
                source = max(sources, key=lambda s: _likeness(name, s))
                return {"$reference": f"{self._address(source)}.{_output(name, source)}"}
            if value in (UNKNOWN, SECRET):
                return {"$unknown": True}
            for source in sources:
                if attribute := _attribute_with(source, value):
                    return {"$reference": f"{self._address(source)}.{attribute}", "value": value}
            return value

        return resolve

    def _address(self, resource: Resource) -> str:
        found = identity(resource.type)
        return f"{found.type}.{self.local[resource.urn]}" if found and found.framework == "terraform" else ""


def _likeness(name: str, source: Resource) -> int:
    """How many words an argument's name shares with a resource's type: ``kms_key_id`` is a key rather than a bucket."""
    return len(set(name.lower().split("_")) & set(snake(source.type.rsplit(":", 1)[-1]).split("_")))


def _output(name: str, source: Resource) -> str:
    """The attribute that an argument of that name takes of another resource: what identifies it, or its namesake."""
    words = name.split("_")
    identity = next((kind for kind in ("arn", "name", "id") if words[-1] in (kind, f"{kind}s")), "")
    return identity or ("id" if _likeness(name, source) else name)


def _attribute_with(source: Resource, value: Any) -> str:
    """The attribute of another resource that has that value; empty where none has."""
    if not isinstance(value, str) or not value:
        return ""
    if source.id == value:
        return "id"
    given = {**source.inputs, **source.outputs}
    return next((snake(name) for name, held in given.items() if held == value and not name.startswith("__")), "")


def _terraform(resource: Resource, names: _Names) -> dict[str, Any]:
    known = terraform.of_token(resource.type)
    if known is None:
        return {name: _parsed(value, names.leaf(resource, name)) for name, value in resource.inputs.items()}
    block: dict[str, Any] = {}
    for name, value in resource.inputs.items():
        block.update(to_hcl({name: value}, known.attributes, names.leaf(resource, name)))
    if resource.protect:
        block["lifecycle"] = [{"prevent_destroy": [True]}]
    return block


def _parsed(value: Any, leaf: Leaf) -> list[Any]:
    """A raw Terraform value in parsed form: where no table tells, objects in a list are blocks."""
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return [{name: _parsed(inner, leaf) for name, inner in item.items() if inner is not None} for item in value]
    return [_leaves(value, leaf)]


def _leaves(value: Any, leaf: Leaf, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _leaves(inner, leaf, key) for key, inner in value.items()}
    return [_leaves(inner, leaf, name) for inner in value] if isinstance(value, list) else leaf(name, value)


def _arm(resource: Resource, names: _Names) -> dict[str, Any]:
    known, dated = arm_type(resource.type), _AZURE.match(resource.type)
    if known is None or dated is None:
        raise ValueError(f"{resource.type} has no ARM type")
    date = dated["date"]
    version = f"{date[:4]}-{date[4:6]}-{date[6:]}" if date else _API_VERSION
    config: dict[str, Any] = {"type": known.type, "apiVersion": version, "name": _arm_name(resource, known)}
    inside: dict[str, Any] = {}
    for name, value in resource.inputs.items():
        if name in known.names or name == "resourceGroupName" or name.startswith("__"):
            continue
        beside = name in TOP_LEVEL and not (name == "sku" and known.sku_inside)
        given = _leaves(value, names.leaf(resource, name))
        if name == "tags":
            config[name] = given  # whose keys are the user's
            continue
        if name in known.children and isinstance(given, list):
            given = [_enveloped(child) for child in given]
        (config if beside else inside)[known.renamed.get(name, name)] = _renamed(given, known.renamed)
    if inside:
        config["properties"] = {**config.get("properties", {}), **inside}
    return config


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {names.get(name, name): _renamed(inner, names) for name, inner in value.items()}
    return [_renamed(inner, names) for inner in value] if isinstance(value, list) else value


def _enveloped(child: Any) -> Any:
    """A sub-resource with what the SDK took out of its ``properties`` back in there."""
    if not isinstance(child, dict):
        return child
    beside = {name: value for name, value in child.items() if name in CHILD_TOP_LEVEL}
    return {**beside, "properties": {name: value for name, value in child.items() if name not in beside}}


def _arm_name(resource: Resource, known: ArmType) -> str:
    parts = [resource.inputs.get(name) for name in known.names]
    return "/".join(p if isinstance(p, str) and p not in (UNKNOWN, SECRET) else resource.name for p in parts)


def _nest(resources: Sequence[Mapping[str, Any]]) -> None:
    """Put children into their parents' ``resources`` too, where checks of the parent look for them."""
    by_id = {(r["type"].lower(), r["config"]["name"]): r["config"] for r in resources}
    for resource in resources:
        config = resource["config"]
        parent = by_id.get((config["type"].rpartition("/")[0].lower(), config["name"].rpartition("/")[0]))
        if parent is not None:
            parent.setdefault("resources", []).append({k: v for k, v in config.items() if k != "resources"})


def _kubernetes(resource: Resource, names: _Names) -> dict[str, Any]:
    manifest = {name: _leaves(value, names.leaf(resource, name)) for name, value in resource.inputs.items()}
    group, _, kind = resource.type.removeprefix("kubernetes:").partition(":")
    metadata = manifest.get("metadata")
    named = metadata if isinstance(metadata, dict) else {}
    return {
        "apiVersion": group.removeprefix("core/"),
        "kind": kind,
        **{name: value for name, value in manifest.items() if not name.startswith("__")},
        "metadata": {"name": names.local[resource.urn], **named},
    }


_CONFIGS: Final[Mapping[str, Callable[[Resource, _Names], dict[str, Any]]]] = {
    "terraform": _terraform,
    "arm": _arm,
    "kubernetes": _kubernetes,
}
