"""Which changes replace a resource: facts with their source, and ``None`` where there is no fact.

Sources, in this order: ``replace_on_changes`` of the SDK; the property's docstring; for AWS, ``createOnlyProperties``
of the CloudFormation schemas in the ``cfn-lint`` wheel; for Azure and Google Cloud, what the resource's path is made
of; for Kubernetes, ``random`` and ``tls``, the provider's own documented rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from levee.engine.standin import cloudformation
from levee.engine.standin.name_property import name_property
from levee.sdk import ResourceType

_KUBERNETES_ALWAYS: Final = ("metadata.name", "metadata.namespace", "apiVersion", "kind")
_SELECTOR: Final = ("spec.selector",)
_KUBERNETES: Final = {
    "apps:DaemonSet": _SELECTOR,
    "apps:Deployment": _SELECTOR,
    "apps:StatefulSet": (
        "spec.podManagementPolicy",
        "spec.revisionHistoryLimit",
        "spec.selector",
        "spec.serviceName",
        "spec.volumeClaimTemplates",
    ),
    "batch:Job": ("spec.completions", "spec.parallelism", "spec.selector", "spec.template"),
    "core:ConfigMap": ("binaryData", "data"),
    "core:PersistentVolumeClaim": ("spec",),
    "core:Pod": ("spec",),
    "core:ResourceQuota": ("spec.scopes",),
    "core:Secret": ("type", "stringData", "data"),
    "core:Service": ("spec.clusterIP",),
    "rbac.authorization.k8s.io:ClusterRoleBinding": ("roleRef",),
    "rbac.authorization.k8s.io:RoleBinding": ("roleRef",),
    "storage.k8s.io:StorageClass": ("parameters", "provisioner"),
}
"""By group and kind, what pulumi-kubernetes replaces (``provider/pkg/provider/diff.go``): of a ConfigMap and a Secret
unless the provider's ``enableConfigMapMutable`` or ``enableSecretMutable`` is set.
"""
_AWS_NO_UPDATE: Final = frozenset(
    {
        "aws:ec2/networkInterfaceSecurityGroupAttachment:NetworkInterfaceSecurityGroupAttachment",
        "aws:iam/groupPolicyAttachment:GroupPolicyAttachment",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        "aws:iam/userPolicyAttachment:UserPolicyAttachment",
        "aws:alb/targetGroupAttachment:TargetGroupAttachment",
        "aws:lb/targetGroupAttachment:TargetGroupAttachment",
        "aws:autoscaling/attachment:Attachment",
        "aws:elb/attachment:Attachment",
        "aws:ec2/vpcEndpointSubnetAssociation:VpcEndpointSubnetAssociation",
        "aws:ec2/vpcEndpointRouteTableAssociation:VpcEndpointRouteTableAssociation",
    }
)
"""Attachments that AWS's API makes and takes away, and has no call to change (IAM, ELB and EC2 API references)."""
_IAM: Final = re.compile(r"I[Aa][Mm](Member|Binding|Policy)$")
_TEMPLATE: Final = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_INDEX: Final = re.compile(r"\[[^\]]*\]")
_AZURE_ALWAYS: Final = ("location", "resourceGroupName")


@dataclass(frozen=True, slots=True)
class Fact:
    """What is known of changing one property: ``replaces`` and who says so."""

    replaces: bool
    source: str


@dataclass
class ReplacementFacts:
    """Answers for types; CloudFormation's schemas are read when they are first asked for."""

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
        rule = _RULES.get(type_.package)
        return rule(type_, path, top) if rule is not None else None


def _aws(type_: ResourceType, _path: str, top: str) -> Fact | None:
    if type_.token in _AWS_NO_UPDATE:
        return Fact(True, "AWS's API has no call that changes it")
    fact = _cloudformation(type_, top)
    if fact is None and top == "bucket" and type_.token.startswith("aws:s3/bucket"):
        return Fact(True, "it belongs to one bucket")
    return fact


def _kubernetes(type_: ResourceType, path: str, _top: str) -> Fact:
    group = type_.token.split(":")[1].split("/")[0]
    paths = (*_KUBERNETES_ALWAYS, *_KUBERNETES.get(f"{group}:{type_.class_name}", ()))
    plain = _INDEX.sub("", path)
    replaces = any(plain == p or plain.startswith(f"{p}.") for p in paths)
    return Fact(replaces, "Kubernetes: what pulumi-kubernetes replaces, object identity first")


def _gcp(type_: ResourceType, _path: str, top: str) -> Fact | None:
    iam = _IAM.search(type_.class_name)
    if iam is not None:
        in_place = {"Binding": {"members"}, "Policy": {"policyData"}}.get(iam[1], set())
        return Fact(top not in in_place, "Google's IAM grants: what they are granted on, the role and the condition")
    property_ = type_.inputs.get(top)
    variables = {name for template in type_.import_ids for name in _TEMPLATE.findall(template)}
    if top in {"name", "project", "location", "region", "zone"} or (
        property_ is not None and property_.python_name in variables
    ):
        return Fact(True, "part of the resource's path")
    return None


def _azure_classic(type_: ResourceType, _path: str, top: str) -> Fact | None:
    """Azurerm's documentation marks every argument that forces a new resource, by the provider's own test."""
    if top not in type_.inputs or not any(p.forces_replacement for p in type_.inputs.values()):
        return None
    return Fact(False, "the SDK's docstring, which marks others as forcing a new resource")


def _tls(_type: ResourceType, _path: str, top: str) -> Fact:
    return Fact(top != "earlyRenewalHours", "keys and certificates never change in place")


def _cloudformation(type_: ResourceType, top: str) -> Fact | None:
    schema = cloudformation.find(type_.token)
    path = schema.spelled(type_, top) if schema is not None else ""
    return Fact(schema.replaces(path), f"CloudFormation {schema.name}") if schema is not None and path else None


def _azure(type_: ResourceType, _path: str, top: str) -> Fact | None:
    if top in _AZURE_ALWAYS or top == name_property(type_):
        return Fact(True, "part of the resource's path, or its location")
    property_ = type_.inputs.get(top)
    if property_ is not None and property_.required and top.endswith("Name") and top not in type_.outputs:
        return Fact(True, "part of the resource's path")
    if top == "tags":
        return Fact(False, "tags are updated in place")
    return None


def _aws_native(_type: ResourceType, _path: str, _top: str) -> Fact:
    """The SDK is generated from CloudFormation's schemas: what it does not declare is not create-only."""
    return Fact(False, "the SDK's replace_on_changes, which has every create-only property")


def _random(_type: ResourceType, _path: str, _top: str) -> Fact:
    return Fact(True, "random values never change in place")


_RULES: Final[Mapping[str, Callable[[ResourceType, str, str], Fact | None]]] = {
    "aws": _aws,
    "aws-native": _aws_native,
    "azure": _azure_classic,
    "azure-native": _azure,
    "gcp": _gcp,
    "kubernetes": _kubernetes,
    "random": _random,
    "tls": _tls,
}
