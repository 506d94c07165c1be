"""Automatic names, as the real providers give them in Check.

Sources: ``pulumi-terraform-bridge`` ``pkg/tfbridge/names.go`` (``name-1234567``, seven hexadecimal digits),
``pulumi-azure-native`` ``provider/pkg/resources`` (name and eight digits, no separator), ``pulumi-kubernetes``
``provider/pkg/metadata/naming.go`` (``metadata.name``, eight digits).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from levee.engine.standin.limits import names
from levee.engine.standin.name_property import name_property
from levee.engine.standin.values import UNKNOWN, Secret, Value, Values, plain
from levee.sdk import ResourceType

_LOWER: Final = {"bucket", "identifier", "clusterIdentifier", "accountName", "vaultName", "registryName"}
_BARE_SERVICES: Final = {"azure-native:storage:StorageAccount", "azure-native:containerregistry:Registry"}


@dataclass(frozen=True, slots=True)
class Creation:
    """Which creation of which resource: its automatic name is a function of this.

    Attributes:
        logical: The logical name.
        urn: The URN.
        number: How many resources of that URN were created before.
    """

    logical: str
    urn: str
    number: int

    @property
    def digits(self) -> str:
        """Hexadecimal digits, the same whenever they are asked for."""
        return hashlib.sha256(f"{self.urn}|{self.number}".encode()).hexdigest()


def automatic_name(type_: ResourceType, creation: Creation) -> str:
    """The name that a creation gets: in the provider's form, spelled and shortened to what the cloud allows."""
    name = name_property(type_) or "name"
    if type_.package == "azure-native":
        base, suffix = creation.logical, creation.digits[:8]
    else:
        base, suffix = creation.logical, f"-{creation.digits[:7]}"
    if type_.token in _BARE_SERVICES:
        base = "".join(c for c in base.lower() if c.isalnum())
    elif name in _LOWER or type_.package == "gcp":
        base = base.lower().replace("_", "-").replace(".", "-")
    rule = names.rule_of(type_)
    if rule is not None:
        return names.fitted(rule, base, suffix)
    limit = 255 if type_.package != "gcp" else 63
    return base[: limit - len(suffix)].rstrip("-") + suffix


def name_inputs(
    type_: ResourceType, creation: Creation, olds: Mapping[str, Value], news: Values, proposed: str = ""
) -> Values:
    """``news`` with its automatic name, where the type takes one and the program gave none.

    Args:
        type_: The type.
        creation: Which creation of which resource the name is for.
        olds: The inputs that the state holds; its name stays.
        news: The program's inputs.
        proposed: A name that the engine's own autonaming configuration proposes.
    """
    if type_.package == "kubernetes":
        return _name_manifest(creation, olds, news)
    name = name_property(type_)
    if name is None or news.get(name) is not None or f"{name}Prefix" in news:
        return news
    old = olds.get(name)
    if isinstance(old, str | Secret):
        return {**news, name: old}
    return {**news, name: proposed or automatic_name(type_, creation)}


def _name_manifest(creation: Creation, olds: Mapping[str, Value], news: Values) -> Values:
    metadata = news.get("metadata")
    if metadata is UNKNOWN or isinstance(metadata, Secret):
        return news
    metadata = dict(metadata or {})
    if metadata.get("name") is None and metadata.get("generateName") is None:
        before = olds.get("metadata")
        old = before.get("name") if isinstance(before, dict) else None
        metadata["name"] = old or f"{creation.logical.lower().replace('_', '-')}-{creation.digits[:8]}"
    return {**news, "metadata": metadata}


def keeps_name(type_: ResourceType, creation: Creation, old: Values, new: Values) -> bool:
    """Whether the program gives old and new the same name, so that they cannot exist together.

    Args:
        type_: The type.
        creation: The creation that would come next.
        old: The inputs that the state holds.
        new: The inputs of what is to replace it.
    """
    if type_.package == "kubernetes":
        return _manifest_name(old) == _manifest_name(new) is not None
    name = name_property(type_)
    if name is None or plain(old.get(name)) != plain(new.get(name)):
        return False
    automatic = {automatic_name(type_, replace(creation, number=number)) for number in range(creation.number)}
    return plain(old.get(name)) not in automatic


def _manifest_name(inputs: Values) -> Value:
    metadata = plain(inputs.get("metadata"))
    return metadata.get("name") if isinstance(metadata, dict) else None
