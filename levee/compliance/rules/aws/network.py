"""Networks: no door open to the world, flow logs, private subnets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from levee.compliance.rule import Finding, Severity, Undecidable
from levee.compliance.rules import controls as c
from levee.compliance.rules.aws.common import security_hub
from levee.compliance.rules.build import rule
from levee.compliance.rules.checks import (
    Check,
    absent,
    by_type,
    differs,
    each,
    equals,
    every,
    is_world,
    one_of,
    only_where,
    reads,
)
from levee.compliance.rules.ports import ADMIN_PORTS, DATA_PORTS, Ports, in_words
from levee.compliance.rules.relations import attached
from levee.compliance.rules.scope import Scope, Value

GROUP: Final = "aws:ec2/securityGroup:SecurityGroup"
GROUP_RULE: Final = "aws:ec2/securityGroupRule:SecurityGroupRule"
INGRESS_RULE: Final = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
ACL: Final = "aws:ec2/networkAcl:NetworkAcl"
ACL_RULE: Final = "aws:ec2/networkAclRule:NetworkAclRule"
_DOORS: Final = (GROUP, GROUP_RULE, INGRESS_RULE)

_ALL_PROTOCOLS: Final = ("-1", "all")
_PROTOCOLS_WITH_PORTS: Final = ("tcp", "udp", "6", "17")
_LAST: Final = 65535


Opens = Callable[[Value, Value, Value], str | None]
"""Protocol, first and last port to what is open, in words: empty for nothing of concern, ``None`` for unknown."""


def _ports(ports: Ports) -> Opens:
    """The ports of a table that a door spans."""

    def opens(protocol: Value, first: Value, last: Value) -> str | None:
        if protocol.undecidable:
            return None
        if _name(protocol) in _ALL_PROTOCOLS:
            return in_words(ports, ports)
        if _name(protocol) not in _PROTOCOLS_WITH_PORTS:
            return ""
        if first.undecidable or last.undecidable:
            return None
        return in_words([port for port in ports if _port(first, 0) <= port <= _port(last, _LAST)], ports)

    return opens


def _every_port(protocol: Value, first: Value, last: Value) -> str | None:
    """Every port, where the door spans them all."""
    if protocol.undecidable:
        return None
    if _name(protocol) in _ALL_PROTOCOLS:
        return "every port"
    if _name(protocol) not in _PROTOCOLS_WITH_PORTS:
        return ""
    if first.undecidable or last.undecidable:
        return None
    return "every port" if _port(first, 0) <= 1 and _port(last, _LAST) >= _LAST else ""


def _closed(opens: Opens, *ranges: str, protocol: str = "protocol") -> Check:
    """A door does not open to the world what it must not.

    Args:
        opens: What is open, in words.
        ranges: The properties that hold address ranges, each a text or a list.
        protocol: The property that holds the protocol.
    """

    @reads(protocol, "fromPort", "toPort", *ranges)
    def run(scope: Scope) -> Iterator[Finding]:
        doors = opens(scope.one(protocol), scope.one("fromPort"), scope.one("toPort"))
        if doors == "":
            return
        for found in (one for name in ranges for one in _each(scope.one(name))):
            if found.undecidable or (doors is None and is_world(found.value)):
                yield Undecidable(found.path if found.undecidable else scope.prefix).finding()
            elif is_world(found.value):
                yield Finding(f"`{found.path}` opens {doors} to {found.value}", property=found.path)

    return run


def _ingress(opens: Opens) -> Check:
    """What may come in, in each of the three ways to write it."""
    return by_type(
        {
            GROUP: each("ingress[*]", _closed(opens, "cidrBlocks", "ipv6CidrBlocks")),
            GROUP_RULE: only_where(equals("type", "ingress"), _closed(opens, "cidrBlocks", "ipv6CidrBlocks")),
            INGRESS_RULE: _closed(opens, "cidrIpv4", "cidrIpv6", protocol="ipProtocol"),
        }
    )


def _each(found: Value) -> Iterator[Value]:
    if isinstance(found.value, list):
        yield from (Value(f"{found.path}[{index}]", item) for index, item in enumerate(found.value))
    elif found.value is not None:
        yield found


def _name(protocol: Value) -> str:
    """A protocol's name or number as the provider compares it: in any case, as text or number."""
    return str(protocol.value).lower()


def _port(found: Value, absent_port: int) -> int:
    return int(found.value) if isinstance(found.value, int | float) else absent_port


_ACL_CLOSED: Final = _closed(_ports(ADMIN_PORTS), "cidrBlock", "ipv6CidrBlock")

RULES: Final = (
    rule(
        "aws-vpc-admin-ports-closed",
        "No security group opens SSH or RDP to the world",
        _DOORS,
        _ingress(_ports(ADMIN_PORTS)),
        severity=Severity.CRITICAL,
        mend="Name the ranges that need it in `cidr_blocks`, or use Session Manager and no open port.",
        url=security_hub("ec2", 53),
        controls=(*c.NO_PUBLIC_ACCESS, *c.PRIVATE_NETWORK, *c.cis_aws("5.2", "5.3")),
    ),
    rule(
        "aws-vpc-data-ports-closed",
        "No security group opens a database's port to the world",
        _DOORS,
        _ingress(_ports(DATA_PORTS)),
        severity=Severity.CRITICAL,
        mend="Replace `cidr_blocks` by `security_groups=[application.id]`.",
        url=security_hub("ec2", 19),
        controls=(*c.NO_PUBLIC_ACCESS, *c.PRIVATE_NETWORK),
    ),
    rule(
        "aws-vpc-not-all-ports-open",
        "No security group opens every port to the world",
        _DOORS,
        _ingress(_every_port),
        severity=Severity.CRITICAL,
        mend="Give `protocol`, `from_port` and `to_port` of what is served, and the ranges that need it.",
        url=security_hub("ec2", 18),
        controls=(*c.NO_PUBLIC_ACCESS, *c.PRIVATE_NETWORK),
    ),
    rule(
        "aws-vpc-default-group-closed",
        "The default security group lets nothing in or out",
        "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
        every(absent("ingress"), absent("egress")),
        severity=Severity.MEDIUM,
        mend="Remove `ingress` and `egress` from the DefaultSecurityGroup, and use groups of your own.",
        url=security_hub("ec2", 2),
        controls=(*c.PRIVATE_NETWORK, *c.cis_aws("5.4")),
    ),
    rule(
        "aws-vpc-acl-admin-ports-closed",
        "No network ACL opens SSH or RDP to the world",
        (ACL, ACL_RULE),
        by_type(
            {
                ACL: each("ingress[*]", only_where(equals("action", "allow"), _ACL_CLOSED)),
                ACL_RULE: only_where(every(equals("ruleAction", "allow"), differs("egress", True)), _ACL_CLOSED),
            }
        ),
        severity=Severity.MEDIUM,
        mend="Name the ranges that need it in `cidr_block`.",
        url=security_hub("ec2", 21),
        controls=(*c.PRIVATE_NETWORK, *c.cis_aws("5.1")),
    ),
    rule(
        "aws-vpc-flow-logs",
        "Every network records its traffic",
        "aws:ec2/vpc:Vpc",
        attached(
            "aws:ec2/flowLog:FlowLog",
            by="vpcId",
            check=one_of("trafficType", "ALL", "REJECT"),
            wanted="an aws.ec2.FlowLog with traffic_type ALL",
        ),
        severity=Severity.MEDIUM,
        mend='Add `aws.ec2.FlowLog(name, vpc_id=vpc.id, traffic_type="ALL", log_destination=group.arn, '
        "iam_role_arn=role.arn)`.",
        url=security_hub("ec2", 6),
        controls=(*c.AUDIT_LOGS, *c.MONITORING, *c.cis_aws("3.7")),
    ),
    rule(
        "aws-vpc-subnet-no-public-addresses",
        "No subnet gives out public addresses by itself",
        "aws:ec2/subnet:Subnet",
        differs("mapPublicIpOnLaunch", True),
        severity=Severity.MEDIUM,
        mend="Remove `map_public_ip_on_launch=True`.",
        url=security_hub("ec2", 15),
        controls=c.PRIVATE_NETWORK,
    ),
)
