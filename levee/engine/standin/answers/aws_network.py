"""AWS: the network that an account has before anything was made, and what a program made in it.

An account that nobody has touched holds one default VPC a region, 172.31.0.0/16, with a /20 subnet in each zone
(Amazon VPC User Guide, "Default VPCs"). Invented ids of one VPC's children carry the VPC's own digits, so that the VPC
of a subnet is known again when it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from levee.engine.standin.answers.ask import Answer, Answers, Ask
from levee.engine.standin.answers.aws_places import suffix, zone_id, zones

_VPC: Final = "aws:ec2/vpc:Vpc"
_SUBNET: Final = "aws:ec2/subnet:Subnet"
_GROUP: Final = "aws:ec2/securityGroup:SecurityGroup"
_TABLE: Final = "aws:ec2/routeTable:RouteTable"
_BODY: Final = 16
"""Hexadecimal digits that a VPC and its children share; the last of the 17 is the zone's number."""


def default_vpc(ask: Ask) -> str:
    """The id of the region's default VPC."""
    return f"vpc-{ask.hex(f'{ask.region}|vpc', _BODY)}0"


def _child(vpc: str, prefix: str, number: int = 0) -> str:
    body = vpc.removeprefix("vpc-").ljust(_BODY, "0")[:_BODY]
    return f"{prefix}-{body}{number:x}"


def _parent(id_: str) -> str:
    return f"vpc-{id_.rsplit('-', 1)[-1].ljust(_BODY, '0')[:_BODY]}0"


def _wanted_vpc(ask: Ask) -> str:
    asked = ask.text("vpcId") or next(iter(ask.filtered("vpc-id")), "")
    if asked:
        return asked
    tags = {k: v for k, v in (ask.args.get("tags") or {}).items() if k == "Name"}
    names = [*tags.values(), *ask.filtered("tag:Name")]
    return f"vpc-{ask.hex(f'{ask.region}|{names}', _BODY)}0" if names else default_vpc(ask)


def _cidr(vpc: str, ask: Ask) -> str:
    if vpc == default_vpc(ask):
        return "172.31.0.0/16"
    return f"10.{int(ask.hex(vpc, 2), 16)}.0.0/16"


def _block(vpc: str, number: int, ask: Ask) -> str:
    first, second = _cidr(vpc, ask).split(".")[:2]
    return f"{first}.{second}.{16 * number % 256}.0/20"


def _vpc(ask: Ask) -> Answer:
    vpc = ask.text("id") or next(iter(ask.filtered("vpc-id")), "") or _wanted_vpc(ask)
    cidr = ask.text("cidrBlock") or _cidr(vpc, ask)
    return {
        "id": vpc,
        "arn": ask.arn("ec2", f"vpc/{vpc}"),
        "cidrBlock": cidr,
        "cidrBlockAssociations": [
            {"associationId": _child(vpc, "vpc-cidr-assoc"), "cidrBlock": cidr, "state": "associated"}
        ],
        "default": vpc == default_vpc(ask),
        "enableDnsHostnames": True,
        "enableDnsSupport": True,
        "instanceTenancy": "default",
        "ipv6AssociationId": "",
        "ipv6CidrBlock": "",
        "ipv6CidrBlockAssociations": [],
        "mainRouteTableId": _child(vpc, "rtb"),
        "dhcpOptionsId": f"dopt-{ask.hex(f'{ask.region}|dopt', 17)}",
        "ownerId": ask.account,
        "state": "available",
        "tags": ask.args.get("tags") or {},
    }


def _made(ask: Ask, token: str) -> list[tuple[str, Any]]:
    """Existing resources of a type that the question's tags and filters let through."""
    asked = {k: v for k, v in ask.args.items() if k in {"tags", "filters", "vpcId"} and v}
    found = ask.existing.of(token, ask.connection)
    return [(one.id, one.values) for one in found if ask.existing.fits(one, asked)]


def _all(ask: Ask, token: str, invented: Iterable[str]) -> Answer:
    """What exists, or where nothing does, what an account would have."""
    ids = [id_ for id_, _ in _made(ask, token)]
    return {"id": ask.region, "ids": ids or list(invented)}


def _vpcs(ask: Ask) -> Answer:
    made = [id_ for id_, _ in _made(ask, _VPC)]
    narrow = bool(ask.args.get("tags") or ask.args.get("filters"))
    return {"id": ask.region, "ids": made or [_wanted_vpc(ask)] if narrow else [default_vpc(ask), *made]}


def _subnets(ask: Ask) -> Answer:
    only = ask.filtered("availability-zone", "availabilityZone")
    vpc = _wanted_vpc(ask)
    return _all(
        ask,
        _SUBNET,
        (_child(vpc, "subnet", n) for n, z in enumerate(zones(ask.region)) if not only or z in only),
    )


def _subnet(ask: Ask) -> Answer:
    here = zones(ask.region)
    zone = ask.text("availabilityZone") or next(iter(ask.filtered("availability-zone", "availabilityZone")), "")
    id_ = ask.text("id") or next(iter(ask.filtered("subnet-id")), "")
    named = any(ask.args.get(k) for k in ("vpcId", "tags", "filters"))
    vpc = _parent(id_) if id_ and not named else _wanted_vpc(ask)
    last = id_[-1:] if id_ else ""
    number = here.index(zone) if zone in here else int(last, 16) if last in "0123456789abcdef" and last else 0
    number %= len(here)
    id_ = id_ or _child(vpc, "subnet", number)
    zone = zone or here[number]
    return {
        "id": id_,
        "arn": ask.arn("ec2", f"subnet/{id_}"),
        "availabilityZone": zone,
        "availabilityZoneId": zone_id(zone),
        "availableIpAddressCount": 4091,
        "vpcId": vpc,
        "cidrBlock": ask.text("cidrBlock") or _block(vpc, number, ask),
        "defaultForAz": vpc == default_vpc(ask),
        "mapPublicIpOnLaunch": vpc == default_vpc(ask),
        "privateDnsHostnameTypeOnLaunch": "ip-name",
        "customerOwnedIpv4Pool": "",
        "ipv6CidrBlock": "",
        "ipv6CidrBlockAssociationId": "",
        "outpostArn": "",
        "ownerId": ask.account,
        "state": "available",
        "tags": ask.args.get("tags") or {},
    }


def _group(ask: Ask) -> Answer:
    id_ = ask.text("id") or next(iter(ask.filtered("group-id")), "")
    vpc = ask.text("vpcId") or (_parent(id_) if id_ else _wanted_vpc(ask))
    name = ask.text("name") or next(iter(ask.filtered("group-name")), "default")
    id_ = id_ or (_child(vpc, "sg") if name == "default" else f"sg-{ask.hex(f'{vpc}|{name}', 17)}")
    return {
        "id": id_,
        "arn": ask.arn("ec2", f"security-group/{id_}"),
        "name": name,
        "vpcId": vpc,
        "description": "default VPC security group" if name == "default" else name,
        "tags": ask.args.get("tags") or {},
    }


def _groups(ask: Ask) -> Answer:
    made = _made(ask, _GROUP)
    vpc = _wanted_vpc(ask)
    ids = [id_ for id_, _ in made] or [_child(vpc, "sg")]
    return {
        "id": ask.region,
        "ids": ids,
        "arns": [ask.arn("ec2", f"security-group/{id_}") for id_ in ids],
        "vpcIds": [str(v.get("vpcId", vpc)) for _, v in made] or [vpc],
    }


def _route_table(ask: Ask) -> Answer:
    id_, subnet = ask.text("routeTableId"), ask.text("subnetId")
    vpc = ask.text("vpcId") or _parent(id_ or subnet) if id_ or subnet or ask.args.get("vpcId") else _wanted_vpc(ask)
    id_ = id_ or _child(vpc, "rtb")
    return {
        "id": id_,
        "routeTableId": id_,
        "arn": ask.arn("ec2", f"route-table/{id_}"),
        "vpcId": vpc,
        "ownerId": ask.account,
        "associations": [
            {
                "gatewayId": "",
                "main": not subnet,
                "routeTableAssociationId": _child(vpc, "rtbassoc"),
                "routeTableId": id_,
                "subnetId": subnet,
            }
        ],
        "routes": [],
        "tags": ask.args.get("tags") or {},
    }


def _gateway(ask: Ask) -> Answer:
    vpc = next(iter(ask.filtered("attachment.vpc-id")), "") or default_vpc(ask)
    id_ = ask.text("internetGatewayId") or _child(vpc, "igw")
    return {
        "id": id_,
        "internetGatewayId": id_,
        "arn": ask.arn("ec2", f"internet-gateway/{id_}"),
        "attachments": [{"state": "available", "vpcId": vpc}],
        "ownerId": ask.account,
        "tags": ask.args.get("tags") or {},
    }


_PREFIXES: Final = {"s3": "pl-63a5400a", "dynamodb": "pl-02cd2c6b"}
"""The lists of us-east-1; other regions have other ids."""


def _prefix_list(ask: Ask) -> Answer:
    asked = ask.text("name") or next(iter(ask.filtered("prefix-list-name")), f"com.amazonaws.{ask.region}.s3")
    service = asked.rsplit(".", 1)[-1]
    known = _PREFIXES.get(service) if ask.region == "us-east-1" else None
    id_ = ask.text("prefixListId", "id") or known or f"pl-{ask.hex(asked, 8)}"
    blocks = ["52.216.0.0/15", "54.231.0.0/16"]
    return {
        "id": id_,
        "prefixListId": id_,
        "name": asked,
        "cidrBlocks": blocks,
        "arn": ask.arn("ec2", f"prefix-list/{id_}", account=False).replace("::prefix", ":aws:prefix"),
        "addressFamily": "IPv4",
        "entries": [{"cidr": b, "description": ""} for b in blocks],
        "maxEntries": 0,
        "ownerId": "AWS",
        "version": 0,
        "tags": {},
    }


def _endpoint_service(ask: Ask) -> Answer:
    service = ask.text("service") or ask.text("serviceName").rsplit(".", 1)[-1] or "s3"
    name = ask.text("serviceName") or f"com.amazonaws.{ask.region}.{service}"
    gateway = ask.text("serviceType", default="Gateway" if service in _PREFIXES else "Interface")
    return {
        "id": name,
        "serviceName": name,
        "serviceId": f"vpce-svc-{ask.hex(name, 17)}",
        "serviceType": gateway,
        "serviceRegion": ask.region,
        "region": ask.region,
        "acceptanceRequired": False,
        "availabilityZones": zones(ask.region),
        "baseEndpointDnsNames": [f"{service}.{ask.region}.vpce.{suffix(ask)}"],
        "owner": "amazon",
        "privateDnsName": f"{service}.{ask.region}.{suffix(ask)}",
        "privateDnsNames": [f"{service}.{ask.region}.{suffix(ask)}"],
        "supportedIpAddressTypes": ["ipv4"],
        "vpcEndpointPolicySupported": True,
        "managesVpcEndpoints": False,
        "arn": ask.arn("ec2", f"vpc-endpoint-service/vpce-svc-{ask.hex(name, 17)}"),
        "tags": {},
    }


ANSWERS: Final = Answers(
    invented={
        "aws:ec2/getVpc:getVpc": _vpc,
        "aws:ec2/getVpcs:getVpcs": _vpcs,
        "aws:ec2/getSubnet:getSubnet": _subnet,
        "aws:ec2/getSubnets:getSubnets": _subnets,
        "aws:ec2/getSecurityGroup:getSecurityGroup": _group,
        "aws:ec2/getSecurityGroups:getSecurityGroups": _groups,
        "aws:ec2/getRouteTable:getRouteTable": _route_table,
        "aws:ec2/getRouteTables:getRouteTables": lambda a: _all(a, _TABLE, [_child(_wanted_vpc(a), "rtb")]),
        "aws:ec2/getInternetGateway:getInternetGateway": _gateway,
        "aws:ec2/getPrefixList:getPrefixList": _prefix_list,
        "aws:ec2/getManagedPrefixList:getManagedPrefixList": _prefix_list,
        "aws:ec2/getVpcEndpointService:getVpcEndpointService": _endpoint_service,
    },
)
