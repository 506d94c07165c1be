"""Which input of a type carries its name: the one that the real provider fills where the program leaves it out.

Source: ``pulumi-terraform-bridge`` ``pkg/tfbridge/names.go`` (property ``name`` unless overridden).
"""

from __future__ import annotations

import re
from typing import Final

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
