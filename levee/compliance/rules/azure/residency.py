"""Where data may lie on Azure: the environment's regions."""

from __future__ import annotations

from typing import Final

from levee.compliance.rule import Severity
from levee.compliance.rules import controls as c
from levee.compliance.rules.azure.common import LEARN
from levee.compliance.rules.build import rule
from levee.compliance.rules.checks import by_type, not_matching, where_setting
from levee.compliance.rules.regions import in_allowed_region
from levee.compliance.rules.settings import REGIONS

_COSMOS: Final = "azure-native:cosmosdb:DatabaseAccount"
_STORES: Final = tuple(
    f"azure-native:{store}"
    for store in (
        "app:ContainerApp",
        "cognitiveservices:Account",
        "compute:Disk",
        "compute:VirtualMachine",
        "containerinstance:ContainerGroup",
        "containerregistry:Registry",
        "containerservice:ManagedCluster",
        "databricks:Workspace",
        "datafactory:Factory",
        "dbformysql:Server",
        "dbforpostgresql:Server",
        "eventhub:Namespace",
        "keyvault:Vault",
        "kusto:Cluster",
        "machinelearningservices:Workspace",
        "operationalinsights:Workspace",
        "recoveryservices:Vault",
        "redis:Redis",
        "search:Service",
        "servicebus:Namespace",
        "sql:Server",
        "storage:StorageAccount",
        "synapse:Workspace",
        "web:WebApp",
    )
)
"""The types that hold data, or machines that do."""

_NO_PAIR: Final = where_setting(
    REGIONS,
    by_type(
        {
            "azure-native:storage:StorageAccount": not_matching(
                "sku.name", r"\w+_(GRS|RAGRS|GZRS|RAGZRS)", "copied to the paired region"
            ),
            "azure-native:sql:Database": not_matching(
                "requestedBackupStorageRedundancy", "Geo|GeoZone", "copied to the paired region"
            ),
        }
    ),
)
_POLICY: Final = f"{LEARN}governance/policy/samples/built-in-policies#general"
_MEND: Final = "Set `location` to a region of the environment, or allow it by the rule's parameter `regions`."

RULES: Final = (
    rule(
        "azure-region-allowed",
        "Whatever holds data lies in a region of the environment",
        _STORES,
        in_allowed_region("location", provider="location"),
        severity=Severity.HIGH,
        mend=_MEND,
        url=_POLICY,
        controls=c.RESIDENCY,
    ),
    rule(
        "azure-cosmosdb-region-allowed",
        "Every copy of a Cosmos DB account lies in a region of the environment",
        _COSMOS,
        in_allowed_region("location", "locations[*].locationName", provider="location"),
        severity=Severity.HIGH,
        mend="Name only regions of the environment in `locations`.",
        url=f"{LEARN}cosmos-db/distribute-data-globally",
        controls=c.RESIDENCY,
    ),
    rule(
        "azure-storage-copies-in-region",
        "No storage account or SQL database is copied to a region that Azure chooses",
        ("azure-native:storage:StorageAccount", "azure-native:sql:Database"),
        _NO_PAIR,
        severity=Severity.MEDIUM,
        mend='Set `sku={"name": "Standard_ZRS"}`, on a database `requested_backup_storage_redundancy="Zone"`.',
        url=f"{LEARN}storage/common/storage-redundancy",
        controls=c.RESIDENCY,
    ),
)
