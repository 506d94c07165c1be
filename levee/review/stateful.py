"""Which resources hold what cannot be made again: data, keys, secrets, logs, names that never come back.

Matched on the type token without its API version, so that ``azure-native:storage/v20230101:StorageAccount`` counts.
What the program itself protects (``protect=True``) counts, whatever its type.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from levee.plan import Resource

_TYPES: Final[Mapping[str, str]] = {
    "aws": (
        "s3/bucket(V2)?:Bucket(V2)?|s3/directoryBucket:|s3tables/.*:(TableBucket|Table)|dynamodb/(table|globalTable):"
        "|rds/(instance|cluster|globalCluster|clusterInstance|snapshot|clusterSnapshot):|docdb/cluster:|neptune/cluster:"
        "|redshift/cluster:|redshiftserverless/namespace:|elasticache/(cluster|replicationGroup|serverlessCache):"
        "|memorydb/cluster:|opensearch/domain:|elasticsearch/domain:|efs/fileSystem:|fsx/.*FileSystem|ebs/(volume|snapshot):"
        "|kinesis/stream:|msk/(cluster|serverlessCluster):|sqs/queue:|mq/broker:|kms/(key|replicaKey):"
        "|secretsmanager/secret:|ssm/parameter:|backup/vault:|ecr/repository:|cloudwatch/logGroup:|cognito/userPool:"
        "|glue/catalogDatabase:|timestreamwrite/|qldb/|codecommit/repository:|route53/zone:|cloudtrail/eventDataStore:"
    ),
    "azure-native": (
        "storage:(StorageAccount|BlobContainer|FileShare|Table|Queue)|sql:(Server|Database|ManagedInstance)"
        "|dbforpostgresql:(Server|Database)|dbformysql:(Server|Database)|documentdb:|cosmosdb:|keyvault:(Vault|Key|Secret)"
        "|operationalinsights:Workspace|eventhub:(Namespace|EventHub)|servicebus:(Namespace|Queue|Topic)|cache:Redis"
        "|redis:Redis|compute:(Disk|Snapshot)|recoveryservices:Vault|dataprotection:BackupVault"
        "|containerregistry:Registry|netapp:Volume|kusto:|synapse:(Workspace|SqlPool)|databricks:Workspace"
        "|network:Zone|dns:Zone"
    ),
    "gcp": (
        "storage/bucket:|bigquery/(dataset|table):|sql/(databaseInstance|database):|spanner/|bigtable/(instance|table):"
        "|firestore/database:|datastore/|alloydb/(cluster|instance):|filestore/instance:|compute/(disk|regionDisk|snapshot):"
        "|kms/(cryptoKey|keyRing):|secretmanager/secret:|pubsub/(topic|subscription):|redis/(instance|cluster):"
        "|memcache/instance:|artifactregistry/repository:|logging/.*[bB]ucketConfig:|dns/managedZone:|backupdisasterrecovery/"
    ),
    "databricks": (
        "index/(catalog|schema|volume|sqlTable|metastore|secretScope|secret|mwsWorkspaces|share|registeredModel"
        "|onlineTable|vectorSearchIndex|databaseInstance|mlflowExperiment):"
    ),
    "kubernetes": "core/v1:(PersistentVolume|PersistentVolumeClaim|Secret|Namespace)$|apps/v1:StatefulSet$",
    "random": "index/random(Password|Bytes):",
    "tls": "index/privateKey:",
}
"""Package to a pattern of the rest of its type tokens."""

_PATTERNS: Final = {package: re.compile(pattern) for package, pattern in _TYPES.items()}
_AZURE_VERSION: Final = re.compile(r"/v\d{8}(preview|privatepreview)?:")


def stateful(resource: Resource) -> bool:
    """Whether a replacement or deletion of the resource loses what it holds."""
    if resource.protect:
        return True
    package, _, rest = resource.type.partition(":")
    pattern = _PATTERNS.get(package)
    return resource.custom and pattern is not None and pattern.match(_AZURE_VERSION.sub(":", rest)) is not None
