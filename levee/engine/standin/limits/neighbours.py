"""Ranges against what the simulated cloud already holds: the network that a subnet lies in, and its other subnets.

Only a subnet that is about to be made, or whose range changes, is judged, and only against resources that exist: in the
first preview nothing does. What was invented for a program's ``get`` says nothing of the real ranges.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from levee.engine.standin.cloud import Record, SimulatedCloud
from levee.engine.standin.limits.cidr import Problem, beside, in_parent
from levee.engine.standin.limits.paths import at, text_at
from levee.sdk import ResourceType
from levee.wire import logical_name

_AWS: Final = "Amazon VPC User Guide, Subnet CIDR blocks"
_AZURE: Final = "Microsoft Learn, Azure Virtual Network FAQ"
_GOOGLE: Final = "Google Cloud, Subnets: IPv4 subnet range limitations"


def wrong(
    cloud: SimulatedCloud, type_: ResourceType, urn: str, old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[Problem]:
    """Path and reason of every range that does not lie in its network, or overlaps another there."""
    judge = _JUDGES.get(type_.token)
    if judge is None:
        return
    for path in _RANGES[type_.token]:
        before = json.dumps([v for _, v in at(old, path)], default=repr)
        found = [(where, v) for where, v in at(new, path) if isinstance(v, str)]
        if before != json.dumps([v for _, v in found]):
            for where, text in found:
                yield from judge(cloud, urn, new, where, text)


def _others(cloud: SimulatedCloud, token: str, urn: str, network: str) -> dict[str, Record]:
    """Other resources of a type that lie in that network, by what an error calls them."""
    return {
        logical_name(record.urn) or record.id: record
        for record in cloud.in_network(token, network)
        if record.urn != urn and record.origin != "invented"
    }


def _said(record: Record, name: str) -> Any:
    value = record.outputs.get(name)
    return value if value is not None else record.inputs.get(name)


def _aws(cloud: SimulatedCloud, urn: str, new: Mapping[str, Any], path: str, text: str) -> Iterator[Problem]:
    vpc = text_at(new, "vpcId")
    if not vpc:
        return
    parent = cloud.get("", "aws:ec2/vpc:Vpc", vpc)
    if parent is not None and not parent.removed and parent.origin != "invented":
        more = _others(cloud, "aws:ec2/vpcIpv4CidrBlockAssociation:VpcIpv4CidrBlockAssociation", urn, vpc)
        spaces = [str(r.outputs["cidrBlock"]) for r in (parent, *more.values()) if r.outputs.get("cidrBlock")]
        yield from in_parent(path, text, spaces, vpc, _AWS)
    siblings = _others(cloud, "aws:ec2/subnet:Subnet", urn, vpc)
    yield from beside(path, text, {w: [str(r.outputs.get("cidrBlock"))] for w, r in siblings.items()}, _AWS)


def _azure(cloud: SimulatedCloud, urn: str, new: Mapping[str, Any], path: str, text: str) -> Iterator[Problem]:
    network, group = text_at(new, "virtualNetworkName"), text_at(new, "resourceGroupName")
    if not network or not group:
        return

    def of_the_group(token: str) -> dict[str, Record]:
        others = _others(cloud, token, urn, network)
        return {who: r for who, r in others.items() if _said(r, "resourceGroupName") == group}

    for parent in of_the_group("azure-native:network:VirtualNetwork").values():
        spaces = [str(v) for _, v in at(parent.inputs, "addressSpace.addressPrefixes[*]")]
        yield from in_parent(path, text, spaces, network, _AZURE)
    ranges = {
        who: [str(v) for key in ("addressPrefix", "addressPrefixes[*]") for _, v in at(r.inputs, key)]
        for who, r in of_the_group("azure-native:network:Subnet").items()
    }
    yield from beside(path, text, ranges, _AZURE)


def _google(cloud: SimulatedCloud, urn: str, new: Mapping[str, Any], path: str, text: str) -> Iterator[Problem]:
    network = text_at(new, "network").rsplit("/", 1)[-1]
    if not network:
        return
    ranges = {
        who: [str(v) for key in ("ipCidrRange", "secondaryIpRanges[*].ipCidrRange") for _, v in at(r.inputs, key)]
        for who, r in _others(cloud, "gcp:compute/subnetwork:Subnetwork", urn, network).items()
        if not new.get("project") or _said(r, "project") in (None, new["project"])
    }
    yield from beside(path, text, ranges, _GOOGLE)


_RANGES: Final[Mapping[str, tuple[str, ...]]] = {
    "aws:ec2/subnet:Subnet": ("cidrBlock",),
    "azure-native:network:Subnet": ("addressPrefix", "addressPrefixes[*]"),
    "gcp:compute/subnetwork:Subnetwork": ("ipCidrRange", "secondaryIpRanges[*].ipCidrRange"),
}
_JUDGES: Final[Mapping[str, Callable[[SimulatedCloud, str, Mapping[str, Any], str, str], Iterator[Problem]]]] = {
    "aws:ec2/subnet:Subnet": _aws,
    "azure-native:network:Subnet": _azure,
    "gcp:compute/subnetwork:Subnetwork": _google,
}
