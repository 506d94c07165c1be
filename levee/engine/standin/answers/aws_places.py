"""AWS: regions, zones, and the accounts and hosted zones that AWS publishes for them.

Sources: AWS General Reference, "AWS service endpoints"; Elastic Load Balancing User Guide, "Attach a policy to your S3
bucket" (account ids) and "Elastic Load Balancing endpoints and quotas" (hosted zones); Amazon S3 endpoints and quotas
(website hosted zones); AWS CloudTrail documentation (log delivery accounts).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from levee.engine.standin.answers.ask import Answer, Answers, Ask, digits


@dataclass(frozen=True, slots=True)
class Place:
    """One region.

    Attributes:
        zones: Letters of its availability zones that a new account sees.
        elb_account: The account that writes access logs of load balancers; empty in regions opened since August 2022.
        elb_zone: The hosted zone of application and classic load balancers.
        nlb_zone: The hosted zone of network load balancers.
        s3_zone: The hosted zone of S3 websites.
        title: Its name in the console.
    """

    zones: str
    elb_account: str
    elb_zone: str
    nlb_zone: str
    s3_zone: str
    title: str


_PLACES: Final = """
ap-northeast-1 acd    582318560864 Z14GRHDCWA56QT Z31USIVHYNEOWT Z2M4EHUR26P7ZW Asia Pacific (Tokyo)
ap-northeast-2 abcd   600734575887 ZWKZPGTI48KDX  ZIBE1TIR4HY56  Z3W03O7B5YMIYP Asia Pacific (Seoul)
ap-northeast-3 abc    383597477331 Z5LXEXXYW11ES  Z1GWIQ4HH19I5X Z2YQB5RD63NC85 Asia Pacific (Osaka)
ap-south-1     abc    718504428378 ZP97RAFLXTNZK  ZVDDRBQ08TROA  Z11RGJOFQNVJUP Asia Pacific (Mumbai)
ap-southeast-1 abc    114774131450 Z1LMS91P8CMLE5 ZKVM4W9LS7TM   Z3O0J2DXBE1FTB Asia Pacific (Singapore)
ap-southeast-2 abc    783225319266 Z1GM3OXH4ZPM65 ZCT6FZBF4DROD  Z1WCIGYICN2BYD Asia Pacific (Sydney)
ca-central-1   abd    985666609251 ZQSVJUPU6J1EY  Z2EPGBW3API2WT Z1QDHH18159H29 Canada (Central)
eu-central-1   abc    054676820928 Z215JYRZR1TBD5 Z3F0SRJ5LGBH90 Z21DNDUVLTQW6Q Europe (Frankfurt)
eu-north-1     abc    897822967062 Z23TAZ6LKFMNIO Z1UDT6IFJ4EJM  Z3BAZG2TWCNX0D Europe (Stockholm)
eu-west-1      abc    156460612806 Z32O12XQLNTSW2 Z2IFOLAFXWLO4F Z1BKCTXD74EZPE Europe (Ireland)
eu-west-2      abc    652711504416 ZHURV8PSTC4K8  ZD4D7Y8KGAS4G  Z3GKZC51ZF0DB4 Europe (London)
eu-west-3      abc    009996457667 Z3Q77PNBQS71R4 Z1CMS0P5QUZ6D5 Z3R1K369G5AVDG Europe (Paris)
sa-east-1      abc    507241528517 Z2P70J7HTTTPLU ZTK26PT1VY4CU  Z7KQH4QJS55SO  South America (Sao Paulo)
us-east-1      abcdef 127311923021 Z35SXDOTRQ7X7K Z26RNL4JYFTOTI Z3AQBSTGFYJSTF US East (N. Virginia)
us-east-2      abc    033677994240 Z3AADJGX6KTTL2 ZLMOA37VPKANP  Z2O1EMRO9K5GLX US East (Ohio)
us-west-1      ac     027434742980 Z368ELLRRE2KJ0 Z24FKFUX50B4VW Z2F56UZL2M1ACD US West (N. California)
us-west-2      abcd   797873946194 Z1H1FL5HABSF5  Z18D5FSROUN65G Z3BJ6K6RIION7M US West (Oregon)
"""
"""Region, and what is known of it in the order of :class:`Place`."""
PLACES: Final = {
    region: Place(*about) for region, *about in (line.split(maxsplit=6) for line in _PLACES.split("\n")[1:-1])
}
"""The regions that are on in every account; any other is answered as a region of three zones."""
_AREAS: Final = {
    "north": "n",
    "south": "s",
    "east": "e",
    "west": "w",
    "central": "c",
    "northeast": "ne",
    "northwest": "nw",
    "southeast": "se",
    "southwest": "sw",
}
_TRAIL: Final = {
    "us-east-1": "086441151436",
    "us-east-2": "475085895292",
    "us-west-1": "388731089494",
    "us-west-2": "113285607260",
    "eu-central-1": "035351147821",
    "eu-west-1": "859597730677",
}
BILLING: Final = "386209384616"
_SERVICES_WITH_REGION: Final = frozenset({"logs", "states"})


def place(region: str) -> Place:
    """What is known of a region."""
    return PLACES.get(region) or Place("abc", "", "", "", "", region)


def zones(region: str) -> list[str]:
    """The availability zones of a region."""
    return [f"{region}{letter}" for letter in place(region).zones]


def zone_id(zone: str) -> str:
    """The id of a zone, the same in every account: ``euw1-az1``."""
    region, letter = zone[:-1], zone[-1]
    area, *side, number = region.split("-")
    short = "".join(_AREAS.get(s, s[:1] + "g" * (s == "gov")) for s in side)
    return f"{area}{short}{number}-az{1 + place(region).zones.find(letter) if letter in place(region).zones else 1}"


def suffix(ask: Ask) -> str:
    """The DNS suffix of the partition."""
    return "amazonaws.com.cn" if ask.connection.partition == "aws-cn" else "amazonaws.com"


def hosted_s3(region: str) -> str:
    """The hosted zone of a bucket's website."""
    return place(region).s3_zone or "Z3AQBSTGFYJSTF"


def _region(ask: Ask) -> Answer:
    name = ask.text("region", "name") or ask.text("endpoint").removeprefix("ec2.").split(".")[0] or ask.region
    return {
        "id": name,
        "name": name,
        "region": name,
        "endpoint": f"ec2.{name}.{suffix(ask)}",
        "description": place(name).title,
    }


def _zones(ask: Ask) -> Answer:
    out = {*map(str, ask.args.get("excludeNames") or ()), *map(str, ask.args.get("excludeZoneIds") or ())}
    only = ask.filtered("zone-name")
    names = [z for z in zones(ask.region) if z not in out and zone_id(z) not in out and (not only or z in only)]
    if "local-zone" in ask.filtered("zone-type"):
        names = []
    return {
        "id": ask.region,
        "names": names,
        "zoneIds": [zone_id(z) for z in names],
        "groupNames": [f"{ask.region}-zg-1"],
    }


def _zone(ask: Ask) -> Answer:
    wanted = ask.text("zoneId")
    known = {zone_id(z): z for z in zones(ask.region)}
    name = ask.text("name") or known.get(wanted) or f"{ask.region}a"
    return {
        "id": name,
        "name": name,
        "zoneId": wanted or zone_id(name),
        "nameSuffix": name[-1],
        "region": name[:-1],
        "groupName": f"{name[:-1]}-zg-1",
        "networkBorderGroup": name[:-1],
        "optInStatus": "opt-in-not-required",
        "state": "available",
        "zoneType": "availability-zone",
        "parentZoneId": "",
        "parentZoneName": "",
    }


def _caller(ask: Ask) -> Answer:
    account = ask.account
    return {
        "accountId": account,
        "arn": ask.arn("iam", "user/levee-offline", region=False),
        "id": account,
        "userId": f"AIDA{digits(account, 17).upper()}",
    }


def _partition(ask: Ask) -> Answer:
    return {
        "id": ask.connection.partition,
        "partition": ask.connection.partition,
        "dnsSuffix": suffix(ask),
        "reverseDnsPrefix": ".".join(reversed(suffix(ask).split("."))),
    }


def _regions(ask: Ask) -> Answer:
    wanted = ask.filtered("region-name")
    return {"id": ask.connection.partition, "names": [n for n in sorted(PLACES) if not wanted or n in wanted]}


def _service(ask: Ask) -> Answer:
    reverse = ask.text("reverseDnsName") or ".".join(reversed(ask.text("dnsName").split(".")))
    parts = reverse.split(".")
    long = len(parts) > 3
    service = ask.text("serviceId") or (parts[-1] if long else "ec2")
    region = ask.text("region") or (parts[-2] if long else ask.region)
    return {
        "id": f"com.amazonaws.{region}.{service}",
        "serviceId": service,
        "region": region,
        "reverseDnsName": f"com.amazonaws.{region}.{service}",
        "reverseDnsPrefix": ask.text("reverseDnsPrefix", default="com.amazonaws"),
        "dnsName": f"{service}.{region}.{suffix(ask)}",
        "partition": ask.connection.partition,
        "supported": True,
    }


def _principal(ask: Ask) -> Answer:
    service = ask.text("serviceName", default="ec2")
    china = ask.connection.partition == "aws-cn" and service in _SERVICES_WITH_REGION
    end = "amazonaws.com.cn" if china else "amazonaws.com"
    return {"id": f"{service}.{ask.region}.{end}", "name": f"{service}.{end}", "suffix": end, "region": ask.region}


def _parse(ask: Ask) -> Answer:
    arn = ask.text("arn")
    partition, service, region, account, resource = (*arn.split(":", 5), "", "", "", "", "")[1:6]
    return {
        "id": arn,
        "arn": arn,
        "partition": partition,
        "service": service,
        "region": region,
        "account": account,
        "accountId": account,
        "resource": resource,
    }


def _default_tags(ask: Ask) -> Answer:
    return {
        "id": ask.connection.partition,
        "tags": dict((ask.connection.config.get("defaultTags") or {}).get("tags") or {}),
    }


def _root(account: str, ask: Ask) -> Answer:
    return {"id": account, "arn": f"arn:{ask.connection.partition}:iam::{account}:root"}


def _load_balancer_zone(ask: Ask) -> Answer:
    here = place(ask.region)
    network = ask.text("loadBalancerType") == "network"
    return {"id": (here.nlb_zone if network else here.elb_zone) or f"Z{ask.hex(ask.region, 13).upper()}"}


ANSWERS: Final = Answers(
    exact={
        "aws:index/getRegion:getRegion": _region,
        "aws:index/getPartition:getPartition": _partition,
        "aws:index/getService:getService": _service,
        "aws:index/getServicePrincipal:getServicePrincipal": _principal,
        "aws:index/getArn:getArn": _parse,
        "aws:index/arnParse:arnParse": _parse,
        "aws:index/getDefaultTags:getDefaultTags": _default_tags,
        "aws:index/getBillingServiceAccount:getBillingServiceAccount": lambda a: _root(BILLING, a),
    },
    invented={
        "aws:index/getCallerIdentity:getCallerIdentity": _caller,
        "aws:index/getRegions:getRegions": _regions,
        "aws:index/getAvailabilityZones:getAvailabilityZones": _zones,
        "aws:index/getAvailabilityZone:getAvailabilityZone": _zone,
        "aws:elb/getServiceAccount:getServiceAccount": lambda a: _root(
            place(a.region).elb_account or digits(a.region, 12).translate(str.maketrans("abcdef", "123456")), a
        ),
        "aws:cloudtrail/getServiceAccount:getServiceAccount": lambda a: _root(
            _TRAIL.get(a.region) or digits(f"trail{a.region}", 12).translate(str.maketrans("abcdef", "123456")), a
        ),
        "aws:elb/getHostedZoneId:getHostedZoneId": _load_balancer_zone,
        "aws:lb/getHostedZoneId:getHostedZoneId": _load_balancer_zone,
    },
)
