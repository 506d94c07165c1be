"""Networks: no administration from the internet, security groups on subnets, flow logs, no public machines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from levee.compliance.rule import Finding, Severity
from levee.compliance.rules import controls as c
from levee.compliance.rules.azure.common import LEARN
from levee.compliance.rules.build import rule
from levee.compliance.rules.checks import (
    Check,
    absent,
    at_least,
    by_type,
    differs,
    each,
    either,
    equals,
    every,
    matching,
    one_of,
    only_where,
    present,
    reads,
)
from levee.compliance.rules.ports import ADMIN_PORTS, DATA_PORTS, Ports, covers, open_to_world
from levee.compliance.rules.relations import attached
from levee.compliance.rules.scope import Scope
from levee.compliance.rules.settings import LOG_DAYS

_GROUP: Final = "azure-native:network:NetworkSecurityGroup"
_RULE: Final = "azure-native:network:SecurityRule"
_NETWORK: Final = "azure-native:network:VirtualNetwork"
_SUBNET: Final = "azure-native:network:Subnet"
_FLOW_LOG: Final = "azure-native:network:FlowLog"
_GUIDE: Final = f"{LEARN}virtual-network/"
_SOURCES: Final = ("sourceAddressPrefix", "sourceAddressPrefixes[*]")
_PORTS: Final = ("destinationPortRange", "destinationPortRanges[*]")

_GUARDED_BY_AZURE: Final = "GatewaySubnet|AzureFirewall(Management)?Subnet|AzureBastionSubnet|RouteServerSubnet"


def _guarded(name: str) -> Check:
    """The subnet has a security group, or is one that Azure guards itself, which its name at that path says."""
    return either(present("networkSecurityGroup.id"), matching(name, _GUARDED_BY_AZURE, "a subnet of Azure's own"))


def _not_from_anywhere(ports: Ports) -> Check:
    """No rule that allows incoming traffic from anywhere covers one of the ports."""

    @reads(*_SOURCES, *_PORTS)
    def run(scope: Scope) -> Iterator[Finding]:
        sources = [value for path in _SOURCES for value in scope.read(path)]
        ranges = [value for path in _PORTS for value in scope.read(path) if value.value is not None]
        opened = [port for port in ports if any(covers(value.value, port) for value in ranges)]
        yield from open_to_world(sources, ranges, opened, ports, at=scope.prefix)

    incoming = every(
        equals("access", "Allow"), equals("direction", "Inbound"), differs("protocol", "Icmp", "Esp", "Ah")
    )
    check = only_where(incoming, run)
    return by_type({_RULE: check, _GROUP: each("securityRules[*]", check)})


RULES: Final = (
    rule(
        "azure-network-no-administration-from-anywhere",
        "No machine is administered from the whole internet",
        (_RULE, _GROUP),
        _not_from_anywhere(ADMIN_PORTS),
        severity=Severity.CRITICAL,
        mend="Name your own ranges in `source_address_prefix`, or use Azure Bastion.",
        url=f"{_GUIDE}network-security-groups-overview",
        controls=(*c.NO_PUBLIC_ACCESS, *c.cis_azure("7.1", "7.2")),
    ),
    rule(
        "azure-network-no-databases-from-anywhere",
        "No database is reached from the whole internet",
        (_RULE, _GROUP),
        _not_from_anywhere(DATA_PORTS),
        severity=Severity.CRITICAL,
        mend="Name the subnets of applications in `source_address_prefix`.",
        url=f"{_GUIDE}network-security-groups-overview",
        controls=c.NO_PUBLIC_ACCESS,
    ),
    rule(
        "azure-network-subnet-guarded",
        "Every subnet has a network security group",
        (_SUBNET, _NETWORK),
        by_type(
            {
                _SUBNET: _guarded("subnetName"),
                _NETWORK: each("subnets[*]", _guarded("name")),
            }
        ),
        severity=Severity.MEDIUM,
        mend='Set `network_security_group={"id": group.id}`.',
        url=f"{_GUIDE}network-security-group-how-it-works",
        controls=c.PRIVATE_NETWORK,
    ),
    rule(
        "azure-network-no-default-outbound",
        "No subnet reaches the internet through an address that is nobody's",
        _SUBNET,
        equals("defaultOutboundAccess", False),
        severity=Severity.LOW,
        mend="Set `default_outbound_access=False`, and give the subnet a NAT gateway or a route to a firewall.",
        url=f"{_GUIDE}ip-services/default-outbound-access",
        controls=c.EGRESS,
    ),
    rule(
        "azure-network-flow-logged",
        "The traffic of every virtual network is logged",
        _NETWORK,
        attached(
            _FLOW_LOG, by="targetResourceId", check=differs("enabled", False), wanted="a network.FlowLog of the network"
        ),
        severity=Severity.MEDIUM,
        mend="Add `network.FlowLog(name, target_resource_id=network.id, storage_id=account.id, enabled=True, ...)`.",
        url=f"{LEARN}network-watcher/vnet-flow-logs-overview",
        controls=(*c.AUDIT_LOGS, *c.MONITORING),
    ),
    rule(
        "azure-network-flow-log-retention",
        "Flow logs are kept for as many days as the environment asks",
        _FLOW_LOG,
        either(
            every(equals("retentionPolicy.enabled", True), at_least("retentionPolicy.days", LOG_DAYS)),
            every(equals("retentionPolicy.enabled", True), equals("retentionPolicy.days", 0)),
        ),
        severity=Severity.LOW,
        mend='Set `retention_policy={"enabled": True, "days": 0}`, which is for ever, or the days asked for.',
        url=f"{LEARN}network-watcher/vnet-flow-logs-manage",
        controls=(*c.LOG_RETENTION, *c.cis_azure("7.5")),
    ),
    rule(
        "azure-network-interface-private",
        "No machine has a public address of its own",
        "azure-native:network:NetworkInterface",
        absent("ipConfigurations[*].publicIPAddress"),
        severity=Severity.HIGH,
        mend="Remove `public_ip_address`; reach the machine through Bastion, a load balancer or a VPN.",
        url=f"{LEARN}bastion/bastion-overview",
        controls=c.NO_PUBLIC_ACCESS,
    ),
    rule(
        "azure-network-interface-no-forwarding",
        "No network interface forwards traffic that is not its own",
        "azure-native:network:NetworkInterface",
        differs("enableIPForwarding", True),
        severity=Severity.MEDIUM,
        mend="Remove `enable_ip_forwarding=True`, or exempt the network appliance that needs it.",
        url=f"{_GUIDE}virtual-network-network-interface",
        controls=c.PRIVATE_NETWORK,
    ),
    rule(
        "azure-network-waf-prevents",
        "Every web application firewall blocks, not only tells",
        "azure-native:network:WebApplicationFirewallPolicy",
        every(
            one_of("policySettings.state", "Enabled", default="Enabled"), equals("policySettings.mode", "Prevention")
        ),
        severity=Severity.MEDIUM,
        mend='Set `policy_settings={"state": "Enabled", "mode": "Prevention"}`.',
        url=f"{LEARN}web-application-firewall/ag/policy-overview",
        controls=(*c.pci("6.4.2"), *c.MONITORING),
    ),
)
