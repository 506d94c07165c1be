"""Which changes replace a resource: facts with their source, and ``None`` where there is no fact.

Sources, in this order: ``replace_on_changes`` of the SDK; the property's docstring; for AWS, ``createOnlyProperties``
of the CloudFormation schemas in the ``cfn-lint`` wheel; for Azure, what the resource's path is made of; for Kubernetes
and ``random``, the provider's own documented rule.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from levee.engine.standin.naming import name_property
from levee.sdk import ResourceType

_AWS_NAMES: Final = {
    "ec2/vpcEndpoint:VpcEndpoint": "AWS::EC2::VPCEndpoint",
    "rds/instance:Instance": "AWS::RDS::DBInstance",
    "rds/cluster:Cluster": "AWS::RDS::DBCluster",
    "rds/subnetGroup:SubnetGroup": "AWS::RDS::DBSubnetGroup",
    "cloudwatch/logGroup:LogGroup": "AWS::Logs::LogGroup",
    "cloudwatch/metricAlarm:MetricAlarm": "AWS::CloudWatch::Alarm",
    "cloudwatch/eventRule:EventRule": "AWS::Events::Rule",
    "iam/policy:Policy": "AWS::IAM::ManagedPolicy",
    "glue/catalogDatabase:CatalogDatabase": "AWS::Glue::Database",
    "glue/catalogTable:CatalogTable": "AWS::Glue::Table",
    "alb/loadBalancer:LoadBalancer": "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "lb/loadBalancer:LoadBalancer": "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "lb/targetGroup:TargetGroup": "AWS::ElasticLoadBalancingV2::TargetGroup",
    "lb/listener:Listener": "AWS::ElasticLoadBalancingV2::Listener",
}
"""Types whose name differs from CloudFormation's beyond spelling."""
_AWS_SERVICES: Final = {"cfg": "config", "cloudwatch": "logs", "kinesis": "kinesisfirehose", "ec2transitgateway": "ec2"}
_KUBERNETES_REPLACES: Final = ("metadata.name", "metadata.namespace", "apiVersion", "kind")
_INDEX: Final = re.compile(r"\[[^\]]*\]")
_AZURE_ALWAYS: Final = ("location", "resourceGroupName")


@dataclass(frozen=True, slots=True)
class Fact:
    """What is known of changing one property: ``replaces`` and who says so."""

    replaces: bool
    source: str


@dataclass
class ReplacementFacts:
    """Answers for types; reads CloudFormation's schemas lazily."""

    _cfn: dict[str, CloudFormationType | None] = field(default_factory=dict)

    def of(self, type_: ResourceType, path: str) -> Fact | None:
        """What is known of a change at that path; ``None`` when nothing is."""
        top = re.split(r"[.\[]", path, maxsplit=1)[0]
        pattern = _INDEX.sub("[*]", path)
        for declared in type_.replace_on_changes:
            if declared in {pattern, top} or pattern.startswith((f"{declared}.", f"{declared}[")):
                return Fact(True, "the SDK's replace_on_changes")
        property_ = type_.inputs.get(top)
        if property_ is not None and property_.forces_replacement:
            return Fact(True, "the SDK's docstring")
        if type_.package in {"aws", "gcp"} and top in {"tags", "labels", "tagsAll"}:
            return Fact(False, "tags are updated in place")
        if type_.package == "aws":
            schema = self._cloudformation(type_.token)
            return schema.of(type_, top) if schema is not None else None
        if type_.package == "azure-native":
            return _azure(type_, top)
        if type_.package == "kubernetes":
            return Fact(path in _KUBERNETES_REPLACES, "Kubernetes object identity")
        if type_.package == "random":
            return Fact(True, "random values never change in place")
        if type_.package == "gcp" and top in {"name", "project", "location", "region", "zone"}:
            return Fact(True, "part of the resource's path")
        return None

    def _cloudformation(self, token: str) -> CloudFormationType | None:
        if token not in self._cfn:
            self._cfn[token] = _find(token)
        return self._cfn[token]


def _azure(type_: ResourceType, top: str) -> Fact | None:
    if top in _AZURE_ALWAYS or top == name_property(type_):
        return Fact(True, "part of the resource's path, or its location")
    property_ = type_.inputs.get(top)
    if property_ is not None and property_.required and top.endswith("Name") and top not in type_.outputs:
        return Fact(True, "part of the resource's path")
    if top == "tags":
        return Fact(False, "tags are updated in place")
    return None


@dataclass(frozen=True)
class CloudFormationType:
    """One CloudFormation schema, with its property names in the provider's spelling on demand."""

    name: str
    schema: Mapping[str, Any]

    @cached_property
    def _create_only(self) -> frozenset[str]:
        pointers: Sequence[str] = self.schema.get("createOnlyProperties", ())
        return frozenset(p.removeprefix("/properties/").split("/")[0] for p in pointers if p.count("/") == 2)

    @cached_property
    def _by_spelling(self) -> Mapping[str, str]:
        return {_plain(name): name for name in self.schema.get("properties", {})}

    def of(self, type_: ResourceType, name: str) -> Fact | None:
        """What the schema says of the property; ``None`` where it has no such property."""
        resource = self.name.rsplit("::", 1)[-1]
        wanted = _plain(name)
        stem = _plain(resource)
        for guess in (wanted, f"{wanted}name", f"{stem}{wanted}", f"{wanted}s", wanted.removesuffix("s")):
            found = self._by_spelling.get(guess)
            if found is not None:
                return Fact(found in self._create_only, f"CloudFormation {self.name}")
        return None


def _find(token: str) -> CloudFormationType | None:
    middle = token.removeprefix("aws:")
    name = _AWS_NAMES.get(middle)
    if name is None:
        module, class_name = middle.split("/")[0], middle.rsplit(":", 1)[-1]
        for service in (module, _AWS_SERVICES.get(module, module)):
            name = _index().get(f"{_plain(service)}::{_plain(class_name)}")
            if name is not None:
                break
    folder = _folder()
    digest = _digests().get(name or "")
    if folder is None or name is None or digest is None:
        return None
    return CloudFormationType(name, json.loads((folder / "resources" / f"{digest}.json").read_bytes()))


def _folder() -> Path | None:
    spec = find_spec("cfnlint")
    return Path(spec.origin).parent / "data" / "schemas" if spec is not None and spec.origin else None


_digest_cache: dict[str, str] = {}
_index_cache: dict[str, str] = {}


def _digests() -> Mapping[str, str]:
    folder = _folder()
    if not _digest_cache and folder is not None:
        _digest_cache.update(json.loads((folder / "providers" / "us-east-1.json").read_bytes()))
    return _digest_cache


def _index() -> Mapping[str, str]:
    if not _index_cache:
        for name in _digests():
            _, service, resource = (*name.split("::"), "", "")[:3]
            _index_cache[f"{_plain(service)}::{_plain(resource)}"] = name
    return _index_cache


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
