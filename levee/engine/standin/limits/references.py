"""Reference targets: a value that is plainly the id of one kind of thing, where another kind is asked for.

A value is judged by its own form alone (``subnet-0a1b...``, an ARN, an Azure or a Google resource path); one whose form
says nothing is let pass. What is asked for is known by the property's name and, for AWS, by the ``format`` of the
CloudFormation schema.

Sources: AWS General Reference, "Amazon Resource Names (ARNs)", and EC2 User Guide, "Resource IDs"; Azure Resource
Manager's resource ids; Google's resource names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from levee.engine.standin import cloudformation
from levee.engine.standin.limits.paths import strings
from levee.sdk import ResourceType

SOURCE: Final = {
    "aws": "AWS General Reference, resource ids and ARNs",
    "azure-native": "Azure Resource Manager, resource ids",
    "gcp": "Google Cloud, resource names",
}
_EC2_KINDS: Final = {
    "acl": "a network ACL",
    "ami": "an image",
    "cgw": "a customer gateway",
    "dopt": "a set of DHCP options",
    "eigw": "an egress-only gateway",
    "eipalloc": "an Elastic IP address",
    "eni": "a network interface",
    "fs": "a file system",
    "i": "an instance",
    "igw": "an internet gateway",
    "lt": "a launch template",
    "nat": "a NAT gateway",
    "pcx": "a peering connection",
    "pl": "a prefix list",
    "rtb": "a route table",
    "sg": "a security group",
    "snap": "a snapshot",
    "subnet": "a subnet",
    "tgw": "a transit gateway",
    "tgw-attach": "a transit gateway attachment",
    "tgw-rtb": "a transit gateway route table",
    "vgw": "a VPN gateway",
    "vol": "a volume",
    "vpc": "a VPC",
    "vpce": "a VPC endpoint",
}
_EC2_ID: Final = re.compile(
    rf"^({'|'.join(sorted(_EC2_KINDS, key=len, reverse=True))})-[0-9a-f]{{8}}(?:[0-9a-f]{{9}})?$"
)
_EC2_WANTED: Final = tuple(
    (re.compile(pattern), kinds)
    for pattern, kinds in (
        (r"^(?:peer)?[vV]pcIds?$", {"vpc"}),
        (r"^(?:\w*S|s)ubnetIds?$|^clientSubnets$|^vpcZoneIdentifiers$|^(?:\w+S|s)ubnets$", {"subnet"}),
        (r"^(?:\w*S|s)ecurityGroupIds?$|^(?:\w*S|s)ecurityGroups$", {"sg"}),
        (r"^internetGatewayId$", {"igw"}),
        (r"^natGatewayId$", {"nat"}),
        (r"^gatewayId$", {"igw", "vgw", "vpce", "nat"}),
        (r"^transitGatewayId$", {"tgw"}),
        (r"^transitGatewayAttachmentId$", {"tgw-attach"}),
        (r"^transitGatewayRouteTableId$", {"tgw-rtb"}),
        (r"^routeTableIds?$", {"rtb"}),
        (r"^networkInterfaceId$", {"eni"}),
        (r"^networkAclId$", {"acl"}),
        (r"^volumeId$", {"vol"}),
        (r"^snapshotId$", {"snap"}),
        (r"^instanceId$", {"i"}),
        (r"^(?:ami|imageId)$", {"ami"}),
        (r"^allocationId$", {"eipalloc"}),
        (r"^vpcEndpointId$", {"vpce"}),
        (r"^vpcPeeringConnectionId$", {"pcx"}),
    )
)


@dataclass(frozen=True, slots=True)
class _Arn:
    """The ARNs that a property takes: their services and how the resource part begins."""

    services: frozenset[str]
    begins: tuple[str, ...]
    what: str


_ROLE: Final = _Arn(frozenset({"iam"}), ("role/",), "an IAM role's ARN")
_KEY: Final = _Arn(frozenset({"kms"}), ("key/", "alias/"), "a KMS key's ARN")
_TOPIC: Final = _Arn(frozenset({"sns"}), ("",), "an SNS topic's ARN")
_ARN_WANTED: Final = tuple(
    (re.compile(pattern), arn)
    for pattern, arn in (
        (r"(?:^r|R)oleArn$|^iamRole$|^serviceRole$", _ROLE),
        (r"^kms(?:Master)?Key(?:Arn|Id)$|(?:K|k)msKey(?:Arn|Id)$", _KEY),
        (r"^(?:snsT|t)opicArn$", _TOPIC),
        (
            r"^(?:\w*C|c)ertificateArn$",
            _Arn(frozenset({"acm", "iam"}), ("certificate/", "server-certificate/"), "a certificate's ARN"),
        ),
        (
            r"^loadBalancerArns?$",
            _Arn(frozenset({"elasticloadbalancing"}), ("loadbalancer/",), "a load balancer's ARN"),
        ),
        (
            r"^targetGroupArns?$",
            _Arn(frozenset({"elasticloadbalancing", "vpc-lattice"}), ("targetgroup/",), "a target group's ARN"),
        ),
        (
            r"^(?:function|lambda|lambdaFunction)Arn$",
            _Arn(frozenset({"lambda"}), ("function:", "layer:"), "a Lambda function's ARN"),
        ),
        (r"^(?:s3B|b)ucketArn$", _Arn(frozenset({"s3", "s3-outposts", "s3express"}), ("",), "a bucket's ARN")),
        (r"^(?:cloudwatchL|l)ogGroupArn$", _Arn(frozenset({"logs"}), ("log-group:",), "a log group's ARN")),
        (r"^stateMachineArn$", _Arn(frozenset({"states"}), ("stateMachine:",), "a state machine's ARN")),
    )
)
_ROLE_TYPES: Final = frozenset({"aws:lambda/function:Function"})
"""Types whose ``role`` is an ARN."""
_FORMATS: Final[Mapping[str, _Arn]] = {
    "AWS::IAM::Role.Arn": _ROLE,
    "AWS::KMS::Key.Arn": _KEY,
    "AWS::SNS::Topic.Arn": _TOPIC,
}
_FORMAT_KINDS: Final = {
    "AWS::EC2::VPC.Id": {"vpc"},
    "AWS::EC2::Subnet.Id": {"subnet"},
    "AWS::EC2::SecurityGroup.Id": {"sg"},
    "AWS::EC2::Image.Id": {"ami"},
}
_AZURE_WANTED: Final = tuple(
    (re.compile(pattern), segment)
    for pattern, segment in (
        (r"(?:^|\.)(?:[sS]ubnet|vnetSubnet|\w+Subnet)(?:I[dD]|\.id)$", "subnets"),
        (r"(?:^|\.)(?:remoteV|v)irtualNetwork(?:Id|\.id)$", "virtualNetworks"),
        (r"(?:^|\.)networkSecurityGroup(?:Id|\.id)$", "networkSecurityGroups"),
        (r"(?:^|\.)routeTable(?:Id|\.id)$", "routeTables"),
        (r"(?:^|\.)natGateway(?:Id|\.id)$", "natGateways"),
        (r"(?:^|\.)publicIPAddress(?:Id|\.id)$", "publicIPAddresses"),
        (r"^serverFarmId$", "serverfarms"),
        (r"^(?:storageAccount(?:Resource)?Id)$", "storageAccounts"),
        (r"^(?:\w*W|w)orkspaceResourceI[dD]$", "workspaces"),
        (r"(?:^|\.)roleDefinitionId$", "roleDefinitions"),
    )
)
_GOOGLE_WANTED: Final = tuple(
    (re.compile(pattern), collections)
    for pattern, collections in (
        (r"^network$|\.network$", {"networks"}),
        (r"^subnetwork$|\.subnetwork$", {"subnetworks"}),
        (r"^keyRing$", {"keyRings"}),
        (r"(?:^|\.)(?:defaultK|k)msKeyName$|^cryptoKey(?:Id)?$", {"cryptoKeys", "cryptoKeyVersions"}),
        (r"^topic$|^pubsubTopic$", {"topics"}),
    )
)
_INDEX: Final = re.compile(r"\[\d+\]")


def wrong(type_: ResourceType, values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Path and reason of every value that is the id of another kind of thing than is asked for."""
    judge = {"aws": _aws, "azure-native": _azure, "gcp": _google}.get(type_.package)
    if judge is None:
        return
    for path, value in strings(values):
        reason = judge(type_, _INDEX.sub("", path), value)
        if reason:
            yield path, f"{reason} ({SOURCE[type_.package]})"


def asks(type_: ResourceType, name: str) -> bool:
    """Whether what a top-level input asks for is known."""
    if type_.package == "aws":
        return bool(_kinds(type_, name) or _arn(type_, name))
    table = {"azure-native": _AZURE_WANTED, "gcp": _GOOGLE_WANTED}.get(type_.package, ())
    return any(pattern.search(name) for pattern, _ in table)


def _kinds(type_: ResourceType, path: str) -> set[str]:
    name = path.rsplit(".", 1)[-1]
    found = next((kinds for pattern, kinds in _EC2_WANTED if pattern.match(name)), None)
    return found or _FORMAT_KINDS.get(_format(type_, path), set())


def _arn(type_: ResourceType, path: str) -> _Arn | None:
    name = path.rsplit(".", 1)[-1]
    if name == "role" and type_.token in _ROLE_TYPES:
        return _ROLE
    return next((arn for pattern, arn in _ARN_WANTED if pattern.search(name)), None) or _FORMATS.get(
        _format(type_, path)
    )


def _format(type_: ResourceType, path: str) -> str:
    """The format of a top-level property in its CloudFormation schema."""
    schema = cloudformation.find(type_.token) if "." not in path else None
    spelled = schema.spelled(type_, path) if schema is not None else ""
    return str(schema.property(spelled).get("format", "")) if schema is not None and spelled else ""


def _aws(type_: ResourceType, path: str, value: str) -> str:
    plain = _EC2_ID.match(value)
    if plain:
        kinds = _kinds(type_, path)
        if kinds and plain[1] not in kinds:
            wanted = " or ".join(_EC2_KINDS[k] for k in sorted(kinds))
            return f"is {value!r}, the id of {_EC2_KINDS[plain[1]]}, where that of {wanted} is asked for"
    parts = value.split(":", 5)
    if parts[0] == "arn" and len(parts) == 6:
        arn = _arn(type_, path)
        if arn is not None and (parts[2] not in arn.services or not parts[5].startswith(arn.begins)):
            return f"is {value!r}, where {arn.what} is asked for"
        kinds = _kinds(type_, path)
        if kinds:
            wanted = " or ".join(_EC2_KINDS[k] for k in sorted(kinds))
            return f"is {value!r}, an ARN, where the id of {wanted} is asked for"
    return ""


def _azure(_type: ResourceType, path: str, value: str) -> str:
    if not value.lower().startswith("/subscriptions/"):
        return ""
    if path == "resourceGroupName":
        return f"is {value!r}, an id, where a resource group's name is asked for"
    if path.rsplit(".", 1)[-1] == "principalId":
        return f"is {value!r}, a resource id, where a principal's GUID is asked for"
    wanted = next((segment for pattern, segment in _AZURE_WANTED if pattern.search(path)), "")
    parts = value.strip("/").split("/")
    kind = parts[-2] if len(parts) % 2 == 0 else ""
    if wanted and kind and kind.lower() != wanted.lower():
        return f"is {value!r}, the id of one of {kind}, where one of {wanted} is asked for"
    return ""


def _google(_type: ResourceType, path: str, value: str) -> str:
    if "projects/" not in value:
        return ""
    wanted = next((collections for pattern, collections in _GOOGLE_WANTED if pattern.search(path)), None)
    parts = value.rstrip("/").split("/")
    kind = parts[-2] if len(parts) > 1 else ""
    if wanted is not None and kind.isalpha() and kind not in wanted:
        return f"is {value!r}, the name of one of {kind}, where one of {' or '.join(sorted(wanted))} is asked for"
    return ""
