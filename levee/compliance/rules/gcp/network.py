"""VPC networks: no administration from the internet, flow logs, private access, DNSSEC, modern TLS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from levee.compliance.rule import Finding, Severity
from levee.compliance.rules import controls as c
from levee.compliance.rules.build import rule
from levee.compliance.rules.checks import (
    Check,
    differs,
    equals,
    every,
    one_of,
    only_where,
    present,
    reads,
)
from levee.compliance.rules.gcp.common import DOCS
from levee.compliance.rules.ports import ADMIN_PORTS, DATA_PORTS, Ports, covers, open_to_world
from levee.compliance.rules.scope import Scope

_FIREWALL: Final = "gcp:compute/firewall:Firewall"
_SUBNET: Final = "gcp:compute/subnetwork:Subnetwork"
_GUIDE: Final = f"{DOCS}vpc/docs/"
_SOURCES: Final = "sourceRanges[*]"
_ALLOWED: Final = "allows[*]"
_OF_MACHINES: Final = one_of("purpose", "PRIVATE", default="PRIVATE")


def _not_from_anywhere(ports: Ports) -> Check:
    """No rule that lets the whole internet in covers one of the ports."""

    @reads(_SOURCES, _ALLOWED, f"{_ALLOWED}.protocol", f"{_ALLOWED}.ports[*]")
    def run(scope: Scope) -> Iterator[Finding]:
        allowed = list(scope.read(_ALLOWED))
        doors = [*allowed, *scope.read(f"{_ALLOWED}.protocol"), *scope.read(f"{_ALLOWED}.ports[*]")]
        opened = [port for port in ports if any(_allows(entry.value, port) for entry in allowed)]
        yield from open_to_world(list(scope.read(_SOURCES)), doors, opened, ports, at="allows")

    active = every(one_of("direction", "INGRESS", default="INGRESS"), differs("disabled", True))
    return only_where(active, run)


def _allows(entry: Any, port: int) -> bool:
    """Whether ``{protocol, ports}`` lets TCP in to a port; without ports it lets in to all."""
    if not isinstance(entry, dict) or entry.get("protocol") not in ("tcp", "all", "6"):
        return False
    ports = entry.get("ports")
    return not ports or (isinstance(ports, list) and any(covers(given, port) for given in ports))


RULES: Final = (
    rule(
        "gcp-network-no-administration-from-anywhere",
        "No machine is administered from the whole internet",
        _FIREWALL,
        _not_from_anywhere(ADMIN_PORTS),
        severity=Severity.CRITICAL,
        mend="Set `source_ranges` to 35.235.240.0/20 (Identity-Aware Proxy) or your own ranges.",
        url=f"{DOCS}iap/docs/using-tcp-forwarding",
        controls=(*c.NO_PUBLIC_ACCESS, *c.cis_gcp("3.6", "3.7")),
    ),
    rule(
        "gcp-network-no-databases-from-anywhere",
        "No database is reached from the whole internet",
        _FIREWALL,
        _not_from_anywhere(DATA_PORTS),
        severity=Severity.CRITICAL,
        mend="Name the ranges of applications in `source_ranges`.",
        url=f"{DOCS}firewall/docs/firewalls",
        controls=c.NO_PUBLIC_ACCESS,
    ),
    rule(
        "gcp-network-firewall-logged",
        "What firewall rules let in and refuse is logged",
        _FIREWALL,
        present("logConfig.metadata"),
        severity=Severity.LOW,
        mend='Set `log_config={"metadata": "INCLUDE_ALL_METADATA"}`.',
        url=f"{DOCS}firewall/docs/firewall-rules-logging",
        controls=c.MONITORING,
    ),
    rule(
        "gcp-project-no-default-network",
        "No project is made with the default network, whose rules let the whole internet in",
        "gcp:organizations/project:Project",
        equals("autoCreateNetwork", False),
        severity=Severity.MEDIUM,
        mend="Set `auto_create_network=False`, and make the networks that you need.",
        url=f"{_GUIDE}vpc#default-network",
        controls=(*c.PRIVATE_NETWORK, *c.cis_gcp("3.1")),
    ),
    rule(
        "gcp-network-custom-subnets",
        "No network makes subnets by itself",
        "gcp:compute/network:Network",
        equals("autoCreateSubnetworks", False),
        severity=Severity.MEDIUM,
        mend="Set `auto_create_subnetworks=False`, and make the subnets that you need.",
        url=f"{_GUIDE}vpc",
        controls=c.PRIVATE_NETWORK,
    ),
    rule(
        "gcp-network-flow-logged",
        "The traffic of every subnet is logged",
        _SUBNET,
        only_where(_OF_MACHINES, present("logConfig")),
        severity=Severity.MEDIUM,
        mend='Set `log_config={"metadata": "INCLUDE_ALL_METADATA"}`.',
        url=f"{_GUIDE}using-flow-logs",
        controls=(*c.AUDIT_LOGS, *c.MONITORING, *c.cis_gcp("3.8")),
    ),
    rule(
        "gcp-network-private-google-access",
        "Machines of every subnet reach Google's services without a public address",
        _SUBNET,
        only_where(_OF_MACHINES, equals("privateIpGoogleAccess", True)),
        severity=Severity.MEDIUM,
        mend="Set `private_ip_google_access=True`.",
        url=f"{_GUIDE}private-google-access",
        controls=c.PRIVATE_NETWORK,
    ),
    rule(
        "gcp-network-dns-signed",
        "Every public DNS zone is signed",
        "gcp:dns/managedZone:ManagedZone",
        only_where(one_of("visibility", "public", default="public"), equals("dnssecConfig.state", "on")),
        severity=Severity.MEDIUM,
        mend='Set `dnssec_config={"state": "on"}`.',
        url=f"{DOCS}dns/docs/dnssec",
        controls=(*c.HARDENING, *c.cis_gcp("3.3")),
    ),
    rule(
        "gcp-network-dns-logged",
        "What networks ask of DNS is logged",
        "gcp:dns/policy:Policy",
        equals("enableLogging", True),
        severity=Severity.LOW,
        mend="Set `enable_logging=True`.",
        url=f"{DOCS}dns/docs/monitoring",
        controls=(*c.MONITORING, *c.cis_gcp("2.12")),
    ),
    rule(
        "gcp-network-tls-1-2",
        "No load balancer speaks TLS older than 1.2",
        ("gcp:compute/sSLPolicy:SSLPolicy", "gcp:compute/regionSslPolicy:RegionSslPolicy"),
        every(
            one_of("minTlsVersion", "TLS_1_2", "TLS_1_3"),
            one_of("profile", "MODERN", "RESTRICTED", "FIPS_202205"),
        ),
        severity=Severity.HIGH,
        mend='Set `min_tls_version="TLS_1_2"` and `profile="MODERN"`.',
        url=f"{DOCS}load-balancing/docs/ssl-policies-concepts",
        controls=(*c.ENCRYPTION_IN_TRANSIT, *c.cis_gcp("3.9")),
    ),
    rule(
        "gcp-network-tls-policy",
        "Every HTTPS or SSL load balancer has a TLS policy",
        (
            "gcp:compute/targetHttpsProxy:TargetHttpsProxy",
            "gcp:compute/regionTargetHttpsProxy:RegionTargetHttpsProxy",
            "gcp:compute/targetSSLProxy:TargetSSLProxy",
        ),
        present("sslPolicy"),
        severity=Severity.MEDIUM,
        mend="Set `ssl_policy=policy.id` of a `gcp.compute.SSLPolicy`.",
        url=f"{DOCS}load-balancing/docs/use-ssl-policies",
        controls=(*c.ENCRYPTION_IN_TRANSIT, *c.cis_gcp("3.9")),
    ),
)
