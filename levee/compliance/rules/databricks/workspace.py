"""Workspaces as the account makes them: their network, their keys, their audit log, and their security settings."""

from __future__ import annotations

from typing import Final

from levee.compliance.rule import Severity
from levee.compliance.rules import controls as c
from levee.compliance.rules.build import rule
from levee.compliance.rules.checks import (
    Check,
    by_type,
    contains,
    differs,
    either,
    equals,
    every,
    matching,
    one_of,
    only_where,
    present,
)
from levee.compliance.rules.databricks.specs import DOCS
from levee.compliance.rules.regions import in_allowed_region
from levee.compliance.rules.relations import beside

WORKSPACE: Final = "databricks:index/mwsWorkspaces:MwsWorkspaces"
_NETWORK: Final = "databricks:index/mwsNetworks:MwsNetworks"
_PRIVATE: Final = "databricks:index/mwsPrivateAccessSettings:MwsPrivateAccessSettings"
_KEYS: Final = "databricks:index/mwsCustomerManagedKeys:MwsCustomerManagedKeys"
_DELIVERY: Final = "databricks:index/mwsLogDelivery:MwsLogDelivery"
_METASTORE: Final = "databricks:index/metastore:Metastore"
_CONNECTIVITY: Final = "databricks:index/mwsNetworkConnectivityConfig:MwsNetworkConnectivityConfig"
_SETTINGS: Final = "databricks:index/"

_AWS: Final = present("awsRegion")


def _classic(check: Check) -> Check:
    """The check, where the workspace has compute in the customer's own account."""
    return only_where(differs("computeMode", "SERVERLESS"), check)


RULES: Final = (
    rule(
        "databricks-secure-cluster-connectivity",
        "No cluster of a workspace has a public address",
        WORKSPACE,
        differs("isNoPublicIpEnabled", False),
        severity=Severity.CRITICAL,
        mend="Remove `is_no_public_ip_enabled=False`.",
        url=f"{DOCS}security/network/classic/secure-cluster-connectivity",
        controls=(*c.NO_PUBLIC_ACCESS, *c.databricks_sat("NS-6")),
    ),
    rule(
        "databricks-customer-managed-network",
        "Every workspace runs its clusters in a network of ours",
        WORKSPACE,
        _classic(present("networkId")),
        severity=Severity.HIGH,
        mend="Set `network_id=network.network_id` of a `databricks.MwsNetworks`.",
        url=f"{DOCS}security/network/classic/customer-managed-vpc",
        controls=(*c.PRIVATE_NETWORK, *c.databricks_sat("NS-4")),
    ),
    rule(
        "databricks-private-access",
        "Every workspace says from where it may be reached",
        WORKSPACE,
        present("privateAccessSettingsId"),
        severity=Severity.MEDIUM,
        mend="Set `private_access_settings_id=settings.private_access_settings_id` of a "
        "`databricks.MwsPrivateAccessSettings`.",
        url=f"{DOCS}security/network/front-end/front-end-private-connect",
        controls=(*c.PRIVATE_NETWORK, *c.databricks_sat("NS-3")),
    ),
    rule(
        "databricks-private-access-only",
        "No workspace with private access is open to the internet as well",
        _PRIVATE,
        differs("publicAccessEnabled", True),
        severity=Severity.MEDIUM,
        mend="Set `public_access_enabled=False`, or keep it and restrict the workspace by IP access lists.",
        url=f"{DOCS}security/network/front-end/front-end-private-connect",
        controls=(*c.NO_PUBLIC_ACCESS, *c.databricks_sat("NS-3")),
    ),
    rule(
        "databricks-private-link-backend",
        "Clusters reach the control plane over private endpoints",
        _NETWORK,
        every(present("vpcEndpoints.restApis"), present("vpcEndpoints.dataplaneRelays")),
        severity=Severity.MEDIUM,
        mend='Set `vpc_endpoints={"rest_apis": [...], "dataplane_relays": [...]}`.',
        url=f"{DOCS}security/network/classic/privatelink",
        controls=c.PRIVATE_NETWORK,
    ),
    rule(
        "databricks-cmk-managed-services",
        "Notebooks, secrets and queries in the control plane are encrypted with a key of ours",
        WORKSPACE,
        present("managedServicesCustomerManagedKeyId"),
        severity=Severity.HIGH,
        mend="Set `managed_services_customer_managed_key_id=key.customer_managed_key_id`.",
        url=f"{DOCS}security/keys/customer-managed-keys",
        controls=(*c.ENCRYPTION_AT_REST, *c.databricks_sat("DP-3")),
    ),
    rule(
        "databricks-cmk-storage",
        "The workspace's own storage and its clusters' disks are encrypted with a key of ours",
        WORKSPACE,
        _classic(present("storageCustomerManagedKeyId")),
        severity=Severity.HIGH,
        mend="Set `storage_customer_managed_key_id=key.customer_managed_key_id`.",
        url=f"{DOCS}security/keys/customer-managed-keys",
        controls=(*c.ENCRYPTION_AT_REST, *c.databricks_sat("DP-3")),
    ),
    rule(
        "databricks-cmk-both-uses",
        "A customer-managed key serves managed services and storage",
        _KEYS,
        either(
            contains("useCases", "MANAGED_SERVICES", "STORAGE"),
            contains("useCases", "MANAGED"),
        ),
        severity=Severity.LOW,
        mend='Set `use_cases=["MANAGED_SERVICES", "STORAGE"]`.',
        url=f"{DOCS}security/keys/customer-managed-keys",
        controls=(*c.KEY_MANAGEMENT, *c.databricks_sat("DP-3")),
    ),
    rule(
        "databricks-region-allowed",
        "Every workspace, metastore and serverless network lies in a region of the environment",
        (WORKSPACE, _METASTORE, _CONNECTIVITY),
        by_type(
            {
                WORKSPACE: in_allowed_region("awsRegion", "location", provider=""),
                **dict.fromkeys((_METASTORE, _CONNECTIVITY), in_allowed_region("region", provider="")),
            }
        ),
        severity=Severity.HIGH,
        mend="Set `aws_region`, `location` or `region` to one of the environment.",
        url=f"{DOCS}resources/supported-regions",
        controls=c.RESIDENCY,
    ),
    rule(
        "databricks-workspace-tier",
        "Every workspace is of a tier that has access control, audit logs and customer-managed keys",
        WORKSPACE,
        one_of("pricingTier", "PREMIUM", "ENTERPRISE", default="ENTERPRISE"),
        severity=Severity.HIGH,
        mend='Set `pricing_tier="ENTERPRISE"` on AWS, `"PREMIUM"` on Google Cloud.',
        url="https://www.databricks.com/product/pricing/platform-addons",
        controls=c.LEAST_PRIVILEGE,
    ),
    rule(
        "databricks-audit-log-delivered",
        "Every workspace's account delivers its audit log",
        WORKSPACE,
        only_where(
            _AWS,
            beside(
                _DELIVERY,
                check=every(equals("logType", "AUDIT_LOGS"), one_of("status", "ENABLED", default="ENABLED")),
                wanted='a databricks.MwsLogDelivery with log_type="AUDIT_LOGS"',
            ),
        ),
        severity=Severity.HIGH,
        mend='Add `databricks.MwsLogDelivery(name, account_id=..., log_type="AUDIT_LOGS", output_format="JSON", ...)`.',
        url=f"{DOCS}admin/account-settings/audit-log-delivery",
        controls=(*c.AUDIT_LOGS, *c.databricks_sat("GOV-3")),
    ),
    rule(
        "databricks-log-delivery-on",
        "Log delivery that was set up is not switched off",
        _DELIVERY,
        differs("status", "DISABLED"),
        severity=Severity.HIGH,
        mend='Set `status="ENABLED"`.',
        url=f"{DOCS}admin/account-settings/audit-log-delivery",
        controls=(*c.AUDIT_LOGS, *c.databricks_sat("GOV-3")),
    ),
    rule(
        "databricks-compliance-security-profile",
        "The compliance security profile is on, with the standards that the workspace must meet",
        f"{_SETTINGS}complianceSecurityProfileWorkspaceSetting:ComplianceSecurityProfileWorkspaceSetting",
        every(
            equals("complianceSecurityProfileWorkspace.isEnabled", True),
            present("complianceSecurityProfileWorkspace.complianceStandards"),
        ),
        severity=Severity.MEDIUM,
        url=f"{DOCS}security/privacy/security-profile",
        mend='Set `compliance_security_profile_workspace={"is_enabled": True, "compliance_standards": ["HIPAA"]}`.',
        controls=(*c.HARDENING, *c.databricks_sat("INFO-39")),
    ),
    rule(
        "databricks-enhanced-security-monitoring",
        "Enhanced security monitoring watches the machines of clusters",
        f"{_SETTINGS}enhancedSecurityMonitoringWorkspaceSetting:EnhancedSecurityMonitoringWorkspaceSetting",
        equals("enhancedSecurityMonitoringWorkspace.isEnabled", True),
        severity=Severity.MEDIUM,
        url=f"{DOCS}security/privacy/enhanced-security-monitoring",
        mend='Set `enhanced_security_monitoring_workspace={"is_enabled": True}`.',
        controls=(*c.MONITORING, *c.databricks_sat("INFO-40")),
    ),
    rule(
        "databricks-automatic-cluster-update",
        "Clusters restart to get security patches",
        f"{_SETTINGS}automaticClusterUpdateWorkspaceSetting:AutomaticClusterUpdateWorkspaceSetting",
        equals("automaticClusterUpdateWorkspace.enabled", True),
        severity=Severity.MEDIUM,
        url=f"{DOCS}admin/clusters/automatic-cluster-update",
        mend='Set `automatic_cluster_update_workspace={"enabled": True, ...}`.',
        controls=(*c.PATCHING, *c.databricks_sat("GOV-36")),
    ),
    rule(
        "databricks-legacy-access-disabled",
        "The Hive metastore is closed: all data is reached through Unity Catalog",
        f"{_SETTINGS}disableLegacyAccessSetting:DisableLegacyAccessSetting",
        equals("disableLegacyAccess.value", True),
        severity=Severity.HIGH,
        url=f"{DOCS}data-governance/unity-catalog/disable-hms",
        mend='Set `disable_legacy_access={"value": True}`.',
        controls=(*c.LEAST_PRIVILEGE, *c.databricks_sat("GOV-38")),
    ),
    rule(
        "databricks-legacy-dbfs-disabled",
        "DBFS root and mounts are switched off",
        f"{_SETTINGS}disableLegacyDbfsSetting:DisableLegacyDbfsSetting",
        equals("disableLegacyDbfs.value", True),
        severity=Severity.HIGH,
        url=f"{DOCS}dbfs/disable-dbfs-root-mounts",
        mend='Set `disable_legacy_dbfs={"value": True}`.',
        controls=(*c.LEAST_PRIVILEGE, *c.databricks_sat("DP-10", "GOV-10", "GOV-11")),
    ),
    rule(
        "databricks-legacy-features-disabled",
        "New workspaces begin without the Hive metastore, DBFS mounts and old runtimes",
        f"{_SETTINGS}disableLegacyFeaturesSetting:DisableLegacyFeaturesSetting",
        equals("disableLegacyFeatures.value", True),
        severity=Severity.MEDIUM,
        url=f"{DOCS}admin/account-settings/legacy-features",
        mend='Set `disable_legacy_features={"value": True}`.',
        controls=(*c.HARDENING, *c.databricks_sat("GOV-37")),
    ),
    rule(
        "databricks-dashboards-not-embedded-anywhere",
        "Dashboards are embedded on approved sites only, or nowhere",
        f"{_SETTINGS}aibiDashboardEmbeddingAccessPolicySetting:AibiDashboardEmbeddingAccessPolicySetting",
        matching(
            "aibiDashboardEmbeddingAccessPolicy.accessPolicyType",
            "DENY_ALL_DOMAINS|ALLOW_APPROVED_DOMAINS",
            "DENY_ALL_DOMAINS or ALLOW_APPROVED_DOMAINS",
        ),
        severity=Severity.MEDIUM,
        url=f"{DOCS}ai-bi/admin/",
        mend='Set `aibi_dashboard_embedding_access_policy={"access_policy_type": "ALLOW_APPROVED_DOMAINS"}`.',
        controls=(*c.NO_PUBLIC_ACCESS, *c.databricks_sat("GOV-40")),
    ),
)
