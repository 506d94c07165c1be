"""Networks: no door open to the world, flow logs, private subnets, TLS at the edge."""

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
    either,
    equals,
    every,
    is_world,
    matching,
    one_of,
    only_where,
    present,
    reads,
    where_setting,
)
from levee.compliance.rules.ports import ADMIN_PORTS, DATA_PORTS, Ports, in_words
from levee.compliance.rules.relations import attached
from levee.compliance.rules.scope import Scope, Value
from levee.compliance.rules.settings import PROTECTED

GROUP: Final = "aws:ec2/securityGroup:SecurityGroup"
GROUP_RULE: Final = "aws:ec2/securityGroupRule:SecurityGroupRule"
INGRESS_RULE: Final = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
ACL: Final = "aws:ec2/networkAcl:NetworkAcl"
ACL_RULE: Final = "aws:ec2/networkAclRule:NetworkAclRule"
BALANCER: Final = "aws:lb/loadBalancer:LoadBalancer"
DISTRIBUTION: Final = "aws:cloudfront/distribution:Distribution"
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


def _modern_api(path: str) -> Check:
    return matching(path, r"(TLS_1_[23]|SecurityPolicy_TLS1[23]_.*)", "TLS_1_2 or newer", default="TLS_1_0")


_ACL_CLOSED: Final = _closed(_ports(ADMIN_PORTS), "cidrBlock", "ipv6CidrBlock")
_IS_APPLICATION: Final = equals("loadBalancerType", "application", default="application")
_REDIRECTS: Final = each("defaultActions[*]", every(equals("type", "redirect"), equals("redirect.protocol", "HTTPS")))
_MODERN_TLS: Final = r"(ELBSecurityPolicy-TLS13-1-[23]-.*|ELBSecurityPolicy-(TLS-1-2|FS-1-2)-.*)"
_SECURE_VIEWERS: Final = one_of("viewerProtocolPolicy", "redirect-to-https", "https-only")

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
    rule(
        "aws-lb-listener-encrypted",
        "Every listener of a load balancer speaks TLS, or only redirects to it",
        "aws:lb/listener:Listener",
        either(one_of("protocol", "HTTPS", "TLS"), _REDIRECTS),
        severity=Severity.HIGH,
        mend='Set `protocol="HTTPS"` with `certificate_arn`, and redirect port 80 to it.',
        url=security_hub("elb", 1),
        controls=c.ENCRYPTION_IN_TRANSIT,
    ),
    rule(
        "aws-lb-tls-policy",
        "Every TLS listener asks for TLS 1.2 or newer",
        "aws:lb/listener:Listener",
        only_where(
            one_of("protocol", "HTTPS", "TLS"),
            matching("sslPolicy", _MODERN_TLS, "a policy of TLS 1.2 on", default="ELBSecurityPolicy-2016-08"),
        ),
        severity=Severity.MEDIUM,
        mend='Set `ssl_policy="ELBSecurityPolicy-TLS13-1-2-2021-06"`.',
        url=security_hub("elb", 17),
        controls=c.ENCRYPTION_IN_TRANSIT,
    ),
    rule(
        "aws-lb-internal",
        "Every load balancer is internal",
        BALANCER,
        equals("internal", True),
        severity=Severity.LOW,
        mend="Set `internal=True`; exempt the ones that are meant to be public, with the reason.",
        url="https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/how-elastic-load-balancing-works.html",
        controls=c.NO_PUBLIC_ACCESS,
    ),
    rule(
        "aws-lb-access-logged",
        "Every load balancer records who accesses it",
        BALANCER,
        equals("accessLogs.enabled", True),
        severity=Severity.MEDIUM,
        mend='Set `access_logs={"bucket": logs.id, "enabled": True}`.',
        url=security_hub("elb", 5),
        controls=c.AUDIT_LOGS,
    ),
    rule(
        "aws-lb-drops-invalid-headers",
        "Every application load balancer drops headers that are invalid",
        BALANCER,
        only_where(_IS_APPLICATION, equals("dropInvalidHeaderFields", True)),
        severity=Severity.LOW,
        mend="Set `drop_invalid_header_fields=True`.",
        url=security_hub("elb", 4),
        controls=c.HARDENING,
    ),
    rule(
        "aws-lb-deletion-protected",
        "Where stores are protected, no load balancer can be deleted in one step",
        BALANCER,
        where_setting(PROTECTED, equals("enableDeletionProtection", True)),
        severity=Severity.LOW,
        mend="Set `enable_deletion_protection=True`.",
        url=security_hub("elb", 6),
        controls=c.AVAILABILITY,
    ),
    rule(
        "aws-cloudfront-https",
        "Every distribution sends its viewers to HTTPS",
        DISTRIBUTION,
        every(each("defaultCacheBehavior", _SECURE_VIEWERS), each("orderedCacheBehaviors[*]", _SECURE_VIEWERS)),
        severity=Severity.HIGH,
        mend='Set `viewer_protocol_policy="redirect-to-https"` in every cache behaviour.',
        url=security_hub("cloudfront", 3),
        controls=c.ENCRYPTION_IN_TRANSIT,
    ),
    rule(
        "aws-cloudfront-tls",
        "Every distribution asks its viewers for TLS 1.2 or newer",
        DISTRIBUTION,
        matching(
            "viewerCertificate.minimumProtocolVersion", r"TLSv1\.[23]_20\d\d", "TLSv1.2_2021 or newer", default="TLSv1"
        ),
        severity=Severity.MEDIUM,
        mend='Set `minimum_protocol_version="TLSv1.2_2021"` in `viewer_certificate`, with a certificate of your own.',
        url="https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/secure-connections-supported-viewer-protocols-ciphers.html",
        controls=c.ENCRYPTION_IN_TRANSIT,
    ),
    rule(
        "aws-cloudfront-logged",
        "Every distribution records who accesses it",
        DISTRIBUTION,
        present("loggingConfig.bucket"),
        severity=Severity.MEDIUM,
        mend='Set `logging_config={"bucket": logs.bucket_domain_name}`.',
        url=security_hub("cloudfront", 5),
        controls=c.AUDIT_LOGS,
    ),
    rule(
        "aws-apigateway-tls",
        "Every domain of an API asks for TLS 1.2 or newer",
        ("aws:apigateway/domainName:DomainName", "aws:apigatewayv2/domainName:DomainName"),
        by_type(
            {
                "aws:apigateway/domainName:DomainName": _modern_api("securityPolicy"),
                "aws:apigatewayv2/domainName:DomainName": _modern_api("domainNameConfiguration.securityPolicy"),
            }
        ),
        severity=Severity.MEDIUM,
        mend='Set `security_policy="TLS_1_2"`.',
        url="https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-custom-domain-tls-version.html",
        controls=c.ENCRYPTION_IN_TRANSIT,
    ),
    rule(
        "aws-apigateway-access-logged",
        "Every stage of an API records who accesses it",
        ("aws:apigateway/stage:Stage", "aws:apigatewayv2/stage:Stage"),
        present("accessLogSettings.destinationArn"),
        severity=Severity.MEDIUM,
        mend='Set `access_log_settings={"destination_arn": group.arn, "format": ...}`.',
        url=security_hub("apigateway", 9),
        controls=c.AUDIT_LOGS,
    ),
)
