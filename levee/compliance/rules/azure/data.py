"""Event Hubs, Service Bus, Data Factory, Synapse, Data Explorer, AI services, and Databricks workspaces on Azure."""

from __future__ import annotations

from typing import Final

from levee.compliance.rule import Severity
from levee.compliance.rules import controls as c
from levee.compliance.rules.azure.common import LEARN, TLS, closed, logged
from levee.compliance.rules.build import rule
from levee.compliance.rules.checks import by_type, equals, every, one_of, present
from levee.compliance.rules.secrets import kept_secret

_MESSAGING: Final = ("azure-native:eventhub:Namespace", "azure-native:servicebus:Namespace")
_FACTORY: Final = "azure-native:datafactory:Factory"
_SYNAPSE: Final = "azure-native:synapse:Workspace"
_KUSTO: Final = "azure-native:kusto:Cluster"
_COGNITIVE: Final = "azure-native:cognitiveservices:Account"
_SEARCH: Final = "azure-native:search:Service"
_LEARNING: Final = "azure-native:machinelearningservices:Workspace"
_DATABRICKS: Final = "azure-native:databricks:Workspace"
_DATABRICKS_GUIDE: Final = f"{LEARN}databricks/"
_VAULT: Final = "Microsoft.Keyvault"

RULES: Final = (
    rule(
        "azure-messaging-tls-1-2",
        "No Event Hubs or Service Bus namespace speaks TLS older than 1.2",
        _MESSAGING,
        one_of("minimumTlsVersion", *TLS, default="1.2"),
        severity=Severity.HIGH,
        mend='Set `minimum_tls_version="1.2"`.',
        url=f"{LEARN}event-hubs/transport-layer-security-enforce-minimum-version",
        controls=c.ENCRYPTION_IN_TRANSIT,
    ),
    rule(
        "azure-messaging-entra-only",
        "Every access to Event Hubs and Service Bus is by an identity of Entra, not by a shared key",
        _MESSAGING,
        equals("disableLocalAuth", True),
        severity=Severity.HIGH,
        mend="Set `disable_local_auth=True`.",
        url=f"{LEARN}event-hubs/authenticate-shared-access-signature",
        controls=c.AUTHENTICATION,
    ),
    rule(
        "azure-messaging-not-public",
        "No Event Hubs or Service Bus namespace has a public endpoint",
        _MESSAGING,
        closed(),
        severity=Severity.MEDIUM,
        mend='Set `public_network_access="Disabled"`, and add a `network.PrivateEndpoint`.',
        url=f"{LEARN}event-hubs/private-link-service",
        controls=c.NO_PUBLIC_ACCESS,
    ),
    rule(
        "azure-messaging-customer-managed-key",
        "Events and messages are encrypted with a key of ours",
        _MESSAGING,
        every(equals("encryption.keySource", "Microsoft.KeyVault"), present("encryption.keyVaultProperties")),
        severity=Severity.LOW,
        mend='Set `encryption={"key_source": "Microsoft.KeyVault", "key_vault_properties": [...]}`.',
        url=f"{LEARN}event-hubs/configure-customer-managed-key",
        controls=c.ENCRYPTION_AT_REST,
    ),
    rule(
        "azure-analytics-not-public",
        "No data factory, Synapse workspace, Data Explorer cluster or machine learning workspace has a public endpoint",
        (_FACTORY, _SYNAPSE, _KUSTO, _LEARNING),
        closed(),
        severity=Severity.HIGH,
        mend='Set `public_network_access="Disabled"`, and add a `network.PrivateEndpoint`.',
        url=f"{LEARN}private-link/private-endpoint-overview",
        controls=c.NO_PUBLIC_ACCESS,
    ),
    rule(
        "azure-analytics-customer-managed-key",
        "Data factories, Synapse, Data Explorer and machine learning workspaces are encrypted with a key of ours",
        (_FACTORY, _SYNAPSE, _KUSTO, _LEARNING),
        by_type(
            {
                _FACTORY: present("encryption.keyName"),
                _SYNAPSE: present("encryption.cmk.key"),
                _KUSTO: present("keyVaultProperties.keyName"),
                _LEARNING: equals("encryption.status", "Enabled"),
            }
        ),
        severity=Severity.MEDIUM,
        mend="Set `encryption` (Data Explorer: `key_vault_properties`) to a key of a vault of ours.",
        url=f"{LEARN}security/fundamentals/encryption-models",
        controls=c.ENCRYPTION_AT_REST,
    ),
    rule(
        "azure-synapse-no-exfiltration",
        "Synapse reaches approved targets only, from a managed network",
        _SYNAPSE,
        every(
            equals("managedVirtualNetwork", "default"),
            equals("managedVirtualNetworkSettings.preventDataExfiltration", True),
        ),
        severity=Severity.HIGH,
        mend='Set `managed_virtual_network="default"` and `managed_virtual_network_settings` with '
        '`{"prevent_data_exfiltration": True}`, when the workspace is made.',
        url=f"{LEARN}synapse-analytics/security/workspace-data-exfiltration-protection",
        controls=c.EGRESS,
    ),
    rule(
        "azure-synapse-entra-only",
        "Everybody signs in to Synapse through Entra",
        _SYNAPSE,
        equals("azureADOnlyAuthentication", True),
        severity=Severity.HIGH,
        mend="Set `azure_ad_only_authentication=True`.",
        url=f"{LEARN}synapse-analytics/sql/active-directory-authentication",
        controls=c.AUTHENTICATION,
    ),
    rule(
        "azure-synapse-password-kept",
        "No Synapse administrator's password is in plain",
        _SYNAPSE,
        kept_secret("sqlAdministratorLoginPassword"),
        severity=Severity.CRITICAL,
        mend="Read it with `config.require_secret(...)` or from `random.RandomPassword`.",
        url="https://www.pulumi.com/docs/iac/concepts/secrets/",
        controls=c.SECRETS,
    ),
    rule(
        "azure-kusto-disks-encrypted",
        "The disks of every Data Explorer cluster are encrypted",
        _KUSTO,
        equals("enableDiskEncryption", True),
        severity=Severity.HIGH,
        mend="Set `enable_disk_encryption=True`.",
        url="https://learn.microsoft.com/azure/data-explorer/cluster-encryption-disk",
        controls=c.ENCRYPTION_AT_REST,
    ),
    rule(
        "azure-ai-entra-only",
        "Every access to AI and search services is by an identity of Entra, not by a key",
        (_COGNITIVE, _SEARCH),
        by_type({_COGNITIVE: equals("properties.disableLocalAuth", True), _SEARCH: equals("disableLocalAuth", True)}),
        severity=Severity.HIGH,
        mend="Set `disable_local_auth=True`.",
        url=f"{LEARN}ai-services/disable-local-auth",
        controls=c.AUTHENTICATION,
    ),
    rule(
        "azure-ai-not-public",
        "No AI or search service has a public endpoint",
        (_COGNITIVE, _SEARCH),
        by_type(
            {
                _COGNITIVE: closed("properties.publicNetworkAccess"),
                _SEARCH: one_of("publicNetworkAccess", "Disabled", "disabled", "SecuredByPerimeter"),
            }
        ),
        severity=Severity.HIGH,
        mend='Set `public_network_access="Disabled"`, and add a `network.PrivateEndpoint`.',
        url=f"{LEARN}ai-services/cognitive-services-virtual-networks",
        controls=c.NO_PUBLIC_ACCESS,
    ),
    rule(
        "azure-databricks-no-public-ip",
        "No cluster of a Databricks workspace has a public address",
        _DATABRICKS,
        equals("parameters.enableNoPublicIp.value", True, default=True),
        severity=Severity.HIGH,
        mend='Remove `enable_no_public_ip` from `parameters`, or set it to `{"value": True}`.',
        url=f"{_DATABRICKS_GUIDE}security/network/classic/secure-cluster-connectivity",
        controls=(*c.NO_PUBLIC_ACCESS, *c.databricks_sat("NS-6")),
    ),
    rule(
        "azure-databricks-own-network",
        "Every Databricks workspace runs its clusters in a network of ours",
        _DATABRICKS,
        present("parameters.customVirtualNetworkId.value"),
        severity=Severity.HIGH,
        mend='Set `parameters={"custom_virtual_network_id": {"value": network.id}, ...}`, when the workspace is made.',
        url=f"{_DATABRICKS_GUIDE}security/network/classic/vnet-inject",
        controls=(*c.PRIVATE_NETWORK, *c.databricks_sat("NS-4")),
    ),
    rule(
        "azure-databricks-not-public",
        "No Databricks workspace is open to the internet",
        _DATABRICKS,
        closed(),
        severity=Severity.MEDIUM,
        mend='Set `public_network_access="Disabled"`, or keep it and restrict the workspace by IP access lists.',
        url=f"{_DATABRICKS_GUIDE}security/network/front-end/front-end-private-connect",
        controls=(*c.NO_PUBLIC_ACCESS, *c.databricks_sat("NS-3")),
    ),
    rule(
        "azure-databricks-tier",
        "Every Databricks workspace is of the tier that has access control and customer-managed keys",
        _DATABRICKS,
        equals("sku.name", "premium"),
        severity=Severity.HIGH,
        mend='Set `sku={"name": "premium"}`.',
        url="https://azure.microsoft.com/pricing/details/databricks/",
        controls=c.LEAST_PRIVILEGE,
    ),
    rule(
        "azure-databricks-managed-services-key",
        "Notebooks, secrets and queries of Databricks are encrypted with a key of ours",
        _DATABRICKS,
        equals("encryption.entities.managedServices.keySource", _VAULT),
        severity=Severity.HIGH,
        mend='Set `encryption={"entities": {"managed_services": {"key_source": "Microsoft.Keyvault", ...}}}`.',
        url=f"{_DATABRICKS_GUIDE}security/keys/customer-managed-keys",
        controls=(*c.ENCRYPTION_AT_REST, *c.databricks_sat("DP-3")),
    ),
    rule(
        "azure-databricks-disks-key",
        "The disks of Databricks' clusters are encrypted with a key of ours that rotates",
        _DATABRICKS,
        every(
            equals("encryption.entities.managedDisk.keySource", _VAULT),
            equals("encryption.entities.managedDisk.rotationToLatestKeyVersionEnabled", True),
        ),
        severity=Severity.MEDIUM,
        mend='Set `managed_disk` of `encryption` to `{"key_source": "Microsoft.Keyvault", '
        '"rotation_to_latest_key_version_enabled": True, ...}`.',
        url=f"{_DATABRICKS_GUIDE}security/keys/cmk-managed-disks-azure/",
        controls=(*c.ENCRYPTION_AT_REST, *c.KEY_ROTATION, *c.databricks_sat("DP-3")),
    ),
    rule(
        "azure-databricks-storage-firewall",
        "The storage that Databricks makes for a workspace is behind a firewall",
        _DATABRICKS,
        equals("defaultStorageFirewall", "Enabled"),
        severity=Severity.HIGH,
        mend='Set `default_storage_firewall="Enabled"` and an `access_connector`.',
        url=f"{_DATABRICKS_GUIDE}security/network/storage/firewall-support",
        controls=c.NO_PUBLIC_ACCESS,
    ),
    rule(
        "azure-databricks-enhanced-security",
        "Databricks watches the machines of clusters and patches them",
        _DATABRICKS,
        every(
            equals("enhancedSecurityCompliance.enhancedSecurityMonitoring.value", "Enabled"),
            equals("enhancedSecurityCompliance.automaticClusterUpdate.value", "Enabled"),
        ),
        severity=Severity.MEDIUM,
        mend='Set `enhanced_security_monitoring` and `automatic_cluster_update` to `{"value": "Enabled"}`.',
        url=f"{_DATABRICKS_GUIDE}security/privacy/enhanced-security-compliance",
        controls=(*c.MONITORING, *c.PATCHING, *c.databricks_sat("GOV-36", "INFO-40")),
    ),
    rule(
        "azure-databricks-logged",
        "The audit log of every Databricks workspace is kept",
        _DATABRICKS,
        logged("accounts, clusters, jobs, notebook, secrets, unityCatalog"),
        severity=Severity.HIGH,
        mend="Add a `monitor.DiagnosticSetting` with `resource_uri=workspace.id` and every category.",
        url=f"{_DATABRICKS_GUIDE}admin/account-settings/audit-log-delivery",
        controls=(*c.AUDIT_LOGS, *c.databricks_sat("GOV-3")),
    ),
    rule(
        "azure-factory-managed-identity",
        "Every data factory has an identity, so that it needs no secret",
        _FACTORY,
        present("identity.type"),
        severity=Severity.MEDIUM,
        mend='Set `identity={"type": "SystemAssigned"}`.',
        url=f"{LEARN}data-factory/data-factory-service-identity",
        controls=c.AUTHENTICATION,
    ),
)
