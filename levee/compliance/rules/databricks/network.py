"""Who reaches a workspace, and what its serverless compute reaches."""

from __future__ import annotations

from typing import Final

from levee.compliance.rule import Severity
from levee.compliance.rules import controls as c
from levee.compliance.rules.build import rule
from levee.compliance.rules.checks import (
    differs,
    either,
    equals,
    every,
    not_matching,
    not_world_open,
    only_where,
    present,
)
from levee.compliance.rules.databricks.specs import DOCS
from levee.compliance.rules.databricks.workspace import WORKSPACE
from levee.compliance.rules.relations import attached

_POLICY: Final = "databricks:index/accountNetworkPolicy:AccountNetworkPolicy"
_OPTION: Final = "databricks:index/workspaceNetworkOption:WorkspaceNetworkOption"
_BINDING: Final = "databricks:index/mwsNccBinding:MwsNccBinding"
_LIST: Final = "databricks:index/ipAccessList:IpAccessList"
_SERVERLESS: Final = f"{DOCS}security/network/serverless-network-security/"

RULES: Final = (
    rule(
        "databricks-ip-access-list-narrow",
        "No IP access list lets the whole internet in",
        _LIST,
        only_where(equals("listType", "ALLOW"), not_world_open("ipAddresses[*]")),
        severity=Severity.CRITICAL,
        mend="Name the ranges of offices, VPNs and runners in `ip_addresses`.",
        url=f"{DOCS}security/network/front-end/ip-access-list-workspace",
        controls=(*c.NO_PUBLIC_ACCESS, *c.databricks_sat("NS-5")),
    ),
    rule(
        "databricks-ip-access-list-enabled",
        "No IP access list is switched off",
        _LIST,
        differs("enabled", False),
        severity=Severity.HIGH,
        mend="Remove `enabled=False`.",
        url=f"{DOCS}security/network/front-end/ip-access-list-workspace",
        controls=(*c.NO_PUBLIC_ACCESS, *c.databricks_sat("NS-5")),
    ),
    rule(
        "databricks-serverless-egress-restricted",
        "Serverless compute reaches only the destinations that a network policy names",
        _POLICY,
        equals("egress.networkAccess.restrictionMode", "RESTRICTED_ACCESS"),
        severity=Severity.HIGH,
        mend='Set `egress={"network_access": {"restriction_mode": "RESTRICTED_ACCESS", ...}}`.',
        url=f"{_SERVERLESS}network-policies",
        controls=(*c.EGRESS, *c.databricks_sat("NS-9")),
    ),
    rule(
        "databricks-serverless-egress-enforced",
        "Every network policy is enforced, not only tried",
        _POLICY,
        only_where(
            equals("egress.networkAccess.restrictionMode", "RESTRICTED_ACCESS"),
            differs("egress.networkAccess.policyEnforcement.enforcementMode", "DRY_RUN"),
        ),
        severity=Severity.MEDIUM,
        mend='Set `policy_enforcement={"enforcement_mode": "ENFORCED"}`.',
        url=f"{_SERVERLESS}manage-network-policies",
        controls=(*c.EGRESS, *c.databricks_sat("NS-9")),
    ),
    rule(
        "databricks-serverless-egress-destinations",
        "No network policy lets serverless compute reach every site",
        _POLICY,
        not_matching("egress.networkAccess.allowedInternetDestinations[*].destination", r"\*(\.\w+)?", "every host"),
        severity=Severity.HIGH,
        mend="Name hosts, such as `pypi.org`, in `allowed_internet_destinations`.",
        url=f"{_SERVERLESS}network-policies",
        controls=c.EGRESS,
    ),
    rule(
        "databricks-workspace-network-policy",
        "Every workspace is held to a network policy for serverless compute",
        WORKSPACE,
        attached(
            _OPTION,
            by="workspaceId",
            check=every(present("networkPolicyId"), differs("networkPolicyId", "default-policy")),
            wanted="a databricks.WorkspaceNetworkOption with a network_policy_id of ours",
        ),
        severity=Severity.HIGH,
        mend="Add `databricks.WorkspaceNetworkOption(name, workspace_id=workspace.workspace_id, "
        "network_policy_id=policy.network_policy_id)`.",
        url=f"{_SERVERLESS}manage-network-policies",
        controls=(*c.EGRESS, *c.databricks_sat("NS-10")),
    ),
    rule(
        "databricks-workspace-network-connectivity",
        "Serverless compute of every workspace reaches our storage by a network connectivity configuration",
        WORKSPACE,
        either(
            present("networkConnectivityConfigId"),
            attached(_BINDING, by="workspaceId", wanted="a databricks.MwsNccBinding"),
        ),
        severity=Severity.MEDIUM,
        mend="Set `network_connectivity_config_id`, or add a `databricks.MwsNccBinding` of the workspace.",
        url=f"{_SERVERLESS}",
        controls=c.PRIVATE_NETWORK,
    ),
)
