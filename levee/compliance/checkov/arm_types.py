"""azure-native types as ARM resources: the types that Checkov 3.3.30 has ARM checks for and azure-native 3.29 has.

Each was set beside the property paths that Checkov's checks read. The SDK hides two things: the ``properties``
envelope, and names that the API specification overrides for its clients (``x-ms-client-name``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

TOP_LEVEL: Final = frozenset(
    {
        "extendedLocation",
        "identity",
        "kind",
        "location",
        "managedBy",
        "plan",
        "properties",
        "scale",
        "sku",
        "tags",
        "zones",
    }
)
"""What stands beside ``properties`` in an ARM resource; everything else stands inside."""


@dataclass(frozen=True, slots=True)
class ArmType:
    """An ARM type.

    Attributes:
        type: Its name.
        names: The SDK's properties that make up the resource's name, the parents' first.
        renamed: The SDK's name of a property, at whatever depth, to ARM's.
        sku_inside: Whether ``sku`` stands in ``properties``.
        children: The SDK's lists of sub-resources, each of which has an envelope of its own in ARM.
    """

    type: str
    names: tuple[str, ...]
    renamed: Mapping[str, str] = field(default_factory=dict)
    sku_inside: bool = False
    children: tuple[str, ...] = ()


_LIFETIME: Final = {"expires": "exp", "notBefore": "nbf"}

CHILD_TOP_LEVEL: Final = frozenset({"id", "name", "type"})
"""The same of a sub-resource."""

TYPES: Final[Mapping[str, ArmType]] = {
    "apimanagement:ApiManagementService": ArmType("Microsoft.ApiManagement/service", ("serviceName",)),
    "appplatform:Service": ArmType("Microsoft.AppPlatform/Spring", ("serviceName",)),
    "authorization:RoleDefinition": ArmType("Microsoft.Authorization/roleDefinitions", ("roleDefinitionId",)),
    "automation:Variable": ArmType(
        "Microsoft.Automation/automationAccounts/variables", ("automationAccountName", "variableName")
    ),
    "batch:BatchAccount": ArmType("Microsoft.Batch/batchAccounts", ("accountName",)),
    "cognitiveservices:Account": ArmType("Microsoft.CognitiveServices/accounts", ("accountName",)),
    "compute:Disk": ArmType("Microsoft.Compute/disks", ("diskName",)),
    "compute:VirtualMachine": ArmType("Microsoft.Compute/virtualMachines", ("vmName",)),
    "compute:VirtualMachineScaleSet": ArmType("Microsoft.Compute/virtualMachineScaleSets", ("vmScaleSetName",)),
    "containerregistry:Registry": ArmType("Microsoft.ContainerRegistry/registries", ("registryName",)),
    "containerregistry:Replication": ArmType(
        "Microsoft.ContainerRegistry/registries/replications", ("registryName", "replicationName")
    ),
    "containerservice:AgentPool": ArmType(
        "Microsoft.ContainerService/managedClusters/agentPools", ("resourceName", "agentPoolName")
    ),
    "containerservice:ManagedCluster": ArmType("Microsoft.ContainerService/managedClusters", ("resourceName",)),
    "cosmosdb:DatabaseAccount": ArmType("Microsoft.DocumentDB/databaseAccounts", ("accountName",)),
    "databricks:Workspace": ArmType("Microsoft.Databricks/workspaces", ("workspaceName",)),
    "datafactory:Factory": ArmType("Microsoft.DataFactory/factories", ("factoryName",)),
    "datalakestore:Account": ArmType("Microsoft.DataLakeStore/accounts", ("accountName",)),
    "dbformariadb:Server": ArmType("Microsoft.DBforMariaDB/servers", ("serverName",)),
    "dbformysql:Server": ArmType("Microsoft.DBforMySQL/flexibleServers", ("serverName",)),
    "dbformysql:SingleServer": ArmType("Microsoft.DBforMySQL/servers", ("serverName",)),
    "dbforpostgresql:SingleServer": ArmType("Microsoft.DBforPostgreSQL/servers", ("serverName",)),
    "dbforpostgresql:SingleServerConfiguration": ArmType(
        "Microsoft.DBforPostgreSQL/servers/configurations", ("serverName", "configurationName")
    ),
    "eventgrid:Topic": ArmType("Microsoft.EventGrid/topics", ("topicName",)),
    "eventhub:Namespace": ArmType("Microsoft.EventHub/namespaces", ("namespaceName",)),
    "frontdoor:FrontDoor": ArmType("Microsoft.Network/frontDoors", ("frontDoorName",)),
    "frontdoor:Policy": ArmType("Microsoft.Network/FrontDoorWebApplicationFirewallPolicies", ("policyName",)),
    "keyvault:Key": ArmType("Microsoft.KeyVault/vaults/keys", ("vaultName", "keyName"), _LIFETIME),
    "keyvault:Secret": ArmType("Microsoft.KeyVault/vaults/secrets", ("vaultName", "secretName"), _LIFETIME),
    "keyvault:Vault": ArmType("Microsoft.KeyVault/vaults", ("vaultName",)),
    "kusto:Cluster": ArmType("Microsoft.Kusto/clusters", ("clusterName",)),
    "machinelearningservices:Workspace": ArmType("Microsoft.MachineLearningServices/workspaces", ("workspaceName",)),
    "network:ApplicationGateway": ArmType(
        "Microsoft.Network/applicationGateways",
        ("applicationGatewayName",),
        children=("backendHttpSettingsCollection", "frontendIPConfigurations", "httpListeners", "sslProfiles"),
    ),
    "network:AzureFirewall": ArmType(
        "Microsoft.Network/azureFirewalls", ("azureFirewallName",), children=("ipConfigurations",)
    ),
    "network:FlowLog": ArmType("Microsoft.Network/networkWatchers/flowLogs", ("networkWatcherName", "flowLogName")),
    "network:NetworkInterface": ArmType(
        "Microsoft.Network/networkInterfaces", ("networkInterfaceName",), children=("ipConfigurations",)
    ),
    "network:NetworkSecurityGroup": ArmType(
        "Microsoft.Network/networkSecurityGroups", ("networkSecurityGroupName",), children=("securityRules",)
    ),
    "network:SecurityRule": ArmType(
        "Microsoft.Network/networkSecurityGroups/securityRules", ("networkSecurityGroupName", "securityRuleName")
    ),
    "network:VirtualNetwork": ArmType(
        "Microsoft.Network/virtualNetworks", ("virtualNetworkName",), children=("subnets",)
    ),
    "network:WebApplicationFirewallPolicy": ArmType(
        "Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies", ("policyName",)
    ),
    "redis:Redis": ArmType("Microsoft.Cache/redis", ("name",), sku_inside=True),
    "search:Service": ArmType("Microsoft.Search/searchServices", ("searchServiceName",)),
    "security:Pricing": ArmType("Microsoft.Security/pricings", ("pricingName",)),
    "security:SecurityContact": ArmType("Microsoft.Security/securityContacts", ("securityContactName",)),
    "sql:Database": ArmType("Microsoft.Sql/servers/databases", ("serverName", "databaseName")),
    "sql:DatabaseBlobAuditingPolicy": ArmType(
        "Microsoft.Sql/servers/databases/auditingSettings", ("serverName", "databaseName", "blobAuditingPolicyName")
    ),
    "sql:DatabaseSecurityAlertPolicy": ArmType(
        "Microsoft.Sql/servers/databases/securityAlertPolicies",
        ("serverName", "databaseName", "securityAlertPolicyName"),
    ),
    "sql:FirewallRule": ArmType("Microsoft.Sql/servers/firewallRules", ("serverName", "firewallRuleName")),
    "sql:Server": ArmType("Microsoft.Sql/servers", ("serverName",)),
    "sql:ServerBlobAuditingPolicy": ArmType(
        "Microsoft.Sql/servers/auditingSettings", ("serverName", "blobAuditingPolicyName")
    ),
    "sql:ServerSecurityAlertPolicy": ArmType(
        "Microsoft.Sql/servers/securityAlertPolicies", ("serverName", "securityAlertPolicyName")
    ),
    "sql:ServerVulnerabilityAssessment": ArmType(
        "Microsoft.Sql/servers/vulnerabilityAssessments", ("serverName", "vulnerabilityAssessmentName")
    ),
    "storage:BlobContainer": ArmType(
        "Microsoft.Storage/storageAccounts/blobServices/containers", ("accountName", "containerName")
    ),
    "storage:StorageAccount": ArmType(
        "Microsoft.Storage/storageAccounts",
        ("accountName",),
        {"enableHttpsTrafficOnly": "supportsHttpsTrafficOnly", "networkRuleSet": "networkAcls"},
    ),
    "storagesync:StorageSyncService": ArmType("Microsoft.StorageSync/storageSyncServices", ("storageSyncServiceName",)),
    "synapse:BigDataPool": ArmType("Microsoft.Synapse/workspaces/bigDataPools", ("workspaceName", "bigDataPoolName")),
    "synapse:SqlPool": ArmType("Microsoft.Synapse/workspaces/sqlPools", ("workspaceName", "sqlPoolName")),
    "synapse:Workspace": ArmType("Microsoft.Synapse/workspaces", ("workspaceName",)),
    "web:AppServicePlan": ArmType("Microsoft.Web/serverfarms", ("name",)),
    "web:WebApp": ArmType("Microsoft.Web/sites", ("name",)),
    "web:WebAppSlot": ArmType("Microsoft.Web/sites/slots", ("name", "slot")),
    "webpubsub:WebPubSub": ArmType("Microsoft.SignalRService/webPubSub", ("resourceName",)),
}
"""``module:Type`` of an azure-native token, without its date, to the ARM type."""
