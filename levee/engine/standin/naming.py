"""Automatic names, as the real providers give them in Check.

Sources: ``pulumi-terraform-bridge`` ``pkg/tfbridge/names.go`` (``name-1234567``, seven hexadecimal digits, property
``name`` unless overridden), ``pulumi-azure-native`` ``provider/pkg/resources`` (name and eight digits, no separator),
``pulumi-kubernetes`` ``provider/pkg/metadata/naming.go`` (``metadata.name``, eight digits).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from levee.engine.standin.values import UNKNOWN, Secret, Value, Values
from levee.sdk import ResourceType

_OVERRIDES: Final = {
    "aws:s3/bucket:Bucket": "bucket",
    "aws:s3/bucketV2:BucketV2": "bucket",
    "aws:rds/instance:Instance": "identifier",
    "aws:rds/cluster:Cluster": "clusterIdentifier",
    "aws:elasticache/cluster:Cluster": "clusterId",
    "aws:redshift/cluster:Cluster": "clusterIdentifier",
    "gcp:projects/project:Project": "projectId",
    "gcp:organizations/project:Project": "projectId",
    "gcp:serviceaccount/account:Account": "accountId",
    "gcp:bigquery/dataset:Dataset": "datasetId",
}
"""Types whose automatic name is not in ``name``. gcp's ids below are required and so are never made up."""
_LOWER: Final = {"bucket", "identifier", "clusterIdentifier", "accountName", "vaultName", "registryName"}
_BARE_SERVICES: Final = {"azure-native:storage:StorageAccount", "azure-native:containerregistry:Registry"}
_GRANT: Final = re.compile(r"I[Aa][Mm](Member|Binding|Policy)$")
"""Grants on another resource: their ``name`` is that resource's."""
_NEVER: Final = {"random", "tls", "command", "kubernetes"}


def name_property(type_: ResourceType) -> str | None:
    """The input that the real provider fills with an automatic name, or ``None``."""
    if type_.package in _NEVER:
        return None
    override = _OVERRIDES.get(type_.token)
    if override is not None:
        given = type_.inputs.get(override)
        return override if given is not None and not given.required else None
    if type_.package == "azure-native":
        return _azure_name(type_)
    if type_.package == "gcp" and _GRANT.search(type_.class_name):
        return None
    name, out = type_.inputs.get("name"), type_.outputs.get("name")
    if name is not None and not name.required and name.type.kind == "string" and out is not None and out.required:
        return "name"
    return None


def _azure_name(type_: ResourceType) -> str | None:
    candidates = [
        p.name
        for p in type_.inputs.values()
        if p.type.kind == "string" and not p.required and p.name.endswith("Name") and p.name not in type_.outputs
    ]
    if len(candidates) > 1:
        wanted = type_.class_name.lower()
        candidates.sort(key=lambda n: -_overlap(n.removesuffix("Name").lower(), wanted))
    plain = type_.inputs.get("name")
    if not candidates and plain is not None and plain.type.kind == "string" and not plain.required:
        return "name"
    return candidates[0] if candidates else None


def _overlap(name: str, wanted: str) -> int:
    return len(name) if name in wanted or wanted in name else 0


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
    from levee.engine.standin.limits import names  # which asks here what carries a name

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
