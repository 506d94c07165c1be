"""Address ranges: their sizes, where they must lie, and which may not overlap.

Sources: Amazon VPC User Guide, "VPC CIDR blocks" and "Subnet CIDR blocks"; Amazon EKS API Reference,
KubernetesNetworkConfigRequest; Microsoft Learn, "Azure Virtual Network FAQ" and "Configure Azure CNI networking in
AKS"; Google Cloud, "Subnets: valid IPv4 ranges" and the GKE REST reference; DigitalOcean API reference, VPCs.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_network
from itertools import combinations
from typing import Any, Final

from levee.engine.standin.limits.paths import at, text_at
from levee.sdk import ResourceType

Network = IPv4Network | IPv6Network
Problem = tuple[str, str]
"""Path and reason."""


@dataclass(frozen=True, slots=True)
class CidrRule:
    """What a property that holds a range allows.

    Attributes:
        type: Type token, or a glob over them.
        path: The property; lists are written ``[*]``.
        widest: Smallest prefix length of an IPv4 range.
        narrowest: Greatest prefix length of an IPv4 range.
        source: Who says so.
        exact: Whether bits beyond the prefix are refused.
        good: A range that fits.
        bad: One that does not.
    """

    type: str
    path: str
    widest: int
    narrowest: int
    source: str
    exact: bool = True
    good: str = "10.0.0.0/24"
    bad: str = "10.0.0.0/33"


_VPC: Final = "Amazon VPC User Guide, VPC CIDR blocks"
_SUBNET: Final = "Amazon VPC User Guide, Subnet CIDR blocks"
_RULES_OF_GROUPS: Final = "Amazon VPC User Guide, Security group rules"
_ROUTES: Final = "Amazon VPC User Guide, Route tables"
_AZURE: Final = "Microsoft Learn, Azure Virtual Network FAQ"
_GOOGLE: Final = "Google Cloud, Subnets: valid IPv4 ranges"
_FIREWALL: Final = "Google Cloud, VPC firewall rules: sources and destinations"
_EKS: Final = "Amazon EKS API Reference, KubernetesNetworkConfigRequest"
_AKS: Final = "Microsoft Learn, Configure Azure CNI networking in AKS"

CIDR_RULES: Final = (
    CidrRule("aws:ec2/vpc:Vpc", "cidrBlock", 16, 28, _VPC, bad="10.0.0.0/8"),
    CidrRule("aws:ec2/vpcIpv4CidrBlockAssociation:*", "cidrBlock", 16, 28, _VPC, bad="10.0.0.0/15"),
    CidrRule("aws:ec2/subnet:Subnet", "cidrBlock", 16, 28, _SUBNET, bad="10.0.0.0/29"),
    CidrRule(
        "aws:ec2/securityGroup:SecurityGroup", "ingress[*].cidrBlocks[*]", 0, 32, _RULES_OF_GROUPS, bad="10.0.0.1/24"
    ),
    CidrRule(
        "aws:ec2/securityGroup:SecurityGroup", "egress[*].cidrBlocks[*]", 0, 32, _RULES_OF_GROUPS, bad="10.0.0.1/24"
    ),
    CidrRule("aws:ec2/securityGroupRule:SecurityGroupRule", "cidrBlocks[*]", 0, 32, _RULES_OF_GROUPS, bad="10.0.0.0"),
    CidrRule("aws:vpc/securityGroupIngressRule:*", "cidrIpv4", 0, 32, _RULES_OF_GROUPS, bad="10.0.0.300/32"),
    CidrRule("aws:vpc/securityGroupEgressRule:*", "cidrIpv4", 0, 32, _RULES_OF_GROUPS, bad="10.0.0.300/32"),
    CidrRule(
        "aws:ec2/route:Route",
        "destinationCidrBlock",
        0,
        32,
        _ROUTES,
        exact=False,
        bad="10.0/8",
    ),
    CidrRule("aws:eks/cluster:Cluster", "kubernetesNetworkConfig.serviceIpv4Cidr", 12, 24, _EKS, bad="10.0.0.0/25"),
    CidrRule(
        "azure-native:network:VirtualNetwork",
        "addressSpace.addressPrefixes[*]",
        2,
        29,
        _AZURE,
        exact=False,
        bad="10.0.0.0/30",
    ),
    CidrRule("azure-native:network:VirtualNetwork", "subnets[*].addressPrefix", 2, 29, _AZURE, bad="10.0.0.0/30"),
    CidrRule("azure-native:network:Subnet", "addressPrefix", 2, 29, _AZURE, bad="10.0.0.0/30"),
    CidrRule("azure-native:network:Subnet", "addressPrefixes[*]", 2, 29, _AZURE, bad="10.0.0.0/30"),
    CidrRule(
        "azure-native:containerservice:ManagedCluster", "networkProfile.serviceCidr", 12, 28, _AKS, bad="10.0.0.0/11"
    ),
    CidrRule("azure-native:containerservice:ManagedCluster", "networkProfile.podCidr", 2, 28, _AKS, bad="10.0.0/16"),
    CidrRule("gcp:compute/subnetwork:Subnetwork", "ipCidrRange", 4, 29, _GOOGLE, bad="10.0.0.0/30"),
    CidrRule(
        "gcp:compute/subnetwork:Subnetwork", "secondaryIpRanges[*].ipCidrRange", 4, 29, _GOOGLE, bad="10.0.0.0/30"
    ),
    CidrRule("gcp:compute/firewall:Firewall", "sourceRanges[*]", 0, 32, _FIREWALL, exact=False, bad="10.0.0.0/33"),
    CidrRule("gcp:compute/firewall:Firewall", "destinationRanges[*]", 0, 32, _FIREWALL, exact=False, bad="10.0.0.0/33"),
    CidrRule(
        "gcp:container/cluster:Cluster",
        "privateClusterConfig.masterIpv4CidrBlock",
        28,
        28,
        "GKE REST reference, PrivateClusterConfig",
        good="172.16.0.0/28",
        bad="172.16.0.0/24",
    ),
    CidrRule("digitalocean:index/vpc:Vpc", "ipRange", 16, 28, "DigitalOcean API reference, VPCs", bad="10.0.0.0/8"),
)
_PRIVATE: Final = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))


def parsed(text: Any) -> Network | None:
    """A range, bits beyond the prefix allowed; ``None`` where it is none."""
    if not isinstance(text, str) or "/" not in text:
        return None
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def rules_of(token: str) -> list[CidrRule]:
    """The rules of a type."""
    return [r for r in CIDR_RULES if r.type == token or ("*" in r.type and fnmatch.fnmatchcase(token, r.type))]


def wrong(type_: ResourceType, values: Mapping[str, Any]) -> Iterator[Problem]:
    """Path and reason of every range of one resource that breaks a rule, alone or with its others."""
    for rule in rules_of(type_.token):
        for path, value in at(values, rule.path):
            if isinstance(value, str):
                yield from ((path, reason) for reason in _alone(rule, value))
    within = _TOGETHER.get(type_.token)
    if within is not None:
        yield from within(values)


def _alone(rule: CidrRule, text: str) -> Iterator[str]:
    network = parsed(text)
    if network is None:
        yield f"is {text!r}, which is no range of addresses such as {rule.good!r} ({rule.source})"
        return
    if network.version == 4 and not rule.widest <= network.prefixlen <= rule.narrowest:
        allowed = f"/{rule.widest} to /{rule.narrowest}" if rule.widest != rule.narrowest else f"/{rule.widest}"
        yield f"is {text!r}; allowed are ranges of {allowed} ({rule.source})"
    elif rule.exact and str(network) != text and str(network.network_address) != text.split("/", maxsplit=1)[0]:
        yield f"is {text!r}, which has bits beyond its prefix: write {str(network)!r} ({rule.source})"


def _overlaps(found: Sequence[tuple[str, str]], source: str) -> Iterator[Problem]:
    """Every pair of ranges that overlap; the later one is named."""
    known = [(path, text, network) for path, text in found if (network := parsed(text)) is not None]
    for (first, one, a), (second, two, b) in combinations(known, 2):
        if a.version == b.version and a.overlaps(b):
            yield second, f"is {two!r}, which overlaps {one!r} of {first!r} ({source})"


def _inside(text: str, spaces: Sequence[str]) -> bool:
    """Whether a range lies in one of others; true where nothing is known."""
    network = parsed(text)
    known = [space for space in map(parsed, spaces) if space is not None]
    if network is None or not known:
        return True
    return any(
        space.version == network.version
        and space.network_address <= network.network_address
        and network.broadcast_address <= space.broadcast_address
        for space in known
    )


def _texts(values: Mapping[str, Any], path: str) -> list[tuple[str, str]]:
    return [(where, v) for where, v in at(values, path) if isinstance(v, str)]


def _virtual_network(values: Mapping[str, Any]) -> Iterator[Problem]:
    spaces = _texts(values, "addressSpace.addressPrefixes[*]")
    subnets = _texts(values, "subnets[*].addressPrefix")
    every = [v for _, v in at(values, "addressSpace.addressPrefixes[*]")]
    if len(every) == len(spaces):
        for path, text in subnets:
            if not _inside(text, [s for _, s in spaces]):
                yield (
                    path,
                    f"is {text!r}, which does not lie in the network's {', '.join(s for _, s in spaces)} ({_AZURE})",
                )
    yield from _overlaps(subnets, _AZURE)


def _managed_cluster(values: Mapping[str, Any]) -> Iterator[Problem]:
    service, pods = text_at(values, "networkProfile.serviceCidr"), text_at(values, "networkProfile.podCidr")
    dns = text_at(values, "networkProfile.dnsServiceIP")
    yield from _overlaps([("networkProfile.serviceCidr", service), ("networkProfile.podCidr", pods)], _AKS)
    network = parsed(service)
    if isinstance(network, IPv4Network) and dns:
        try:
            address = IPv4Address(dns)
        except ValueError:
            yield "networkProfile.dnsServiceIP", f"is {dns!r}, which is no address ({_AKS})"
            return
        if address not in network or address == network.network_address + 1:
            yield (
                "networkProfile.dnsServiceIP",
                f"is {dns!r}, which must lie in serviceCidr {service!r} and not be its first address ({_AKS})",
            )


def _eks_cluster(values: Mapping[str, Any]) -> Iterator[Problem]:
    path = "kubernetesNetworkConfig.serviceIpv4Cidr"
    network = parsed(text_at(values, path))
    if isinstance(network, IPv4Network) and not any(network.subnet_of(private) for private in _PRIVATE):
        yield path, f"is {str(network)!r}, which lies in no private range (10/8, 172.16/12, 192.168/16) ({_EKS})"


def _subnetwork(values: Mapping[str, Any]) -> Iterator[Problem]:
    ranges = [*_texts(values, "ipCidrRange"), *_texts(values, "secondaryIpRanges[*].ipCidrRange")]
    yield from _overlaps(ranges, _GOOGLE)


_TOGETHER: Final = {
    "azure-native:network:VirtualNetwork": _virtual_network,
    "azure-native:containerservice:ManagedCluster": _managed_cluster,
    "aws:eks/cluster:Cluster": _eks_cluster,
    "gcp:compute/subnetwork:Subnetwork": _subnetwork,
}


def in_parent(path: str, text: str, spaces: Sequence[str], parent: str, source: str) -> Iterator[Problem]:
    """The problem of a range that lies in none of its network's."""
    if not _inside(text, spaces):
        yield path, f"is {text!r}, which does not lie in {', '.join(spaces)} of {parent} ({source})"


def beside(path: str, text: str, siblings: Mapping[str, Sequence[str]], source: str) -> Iterator[Problem]:
    """The problems of a range that overlaps another subnet's of the same network.

    Args:
        path: The property.
        text: The range.
        siblings: Who they are, and their ranges.
        source: Who says that they may not overlap.
    """
    for who, ranges in siblings.items():
        for _, reason in _overlaps([*((who, r) for r in ranges), (path, text)], source):
            if reason.startswith(f"is {text!r}"):
                yield path, reason
                break
