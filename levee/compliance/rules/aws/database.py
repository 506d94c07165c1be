"""RDS and its kin: encrypted, private, TLS only, backed up, hard to delete, logged."""

from __future__ import annotations

from typing import Final

from levee.compliance.rule import Severity
from levee.compliance.rules import controls as c
from levee.compliance.rules.build import rule
from levee.compliance.rules.checks import at_least, differs, equals
from levee.compliance.rules.settings import BACKUP_DAYS

INSTANCE: Final = "aws:rds/instance:Instance"
CLUSTER: Final = "aws:rds/cluster:Cluster"
CLUSTER_INSTANCE: Final = "aws:rds/clusterInstance:ClusterInstance"
_GUIDE: Final = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/"

RULES: Final = (
    rule(
        "aws-rds-not-public",
        "No database has a public address",
        (INSTANCE, CLUSTER_INSTANCE),
        differs("publiclyAccessible", True),
        severity=Severity.CRITICAL,
        mend="Remove `publicly_accessible=True`, and put the instance into private subnets.",
        url=f"{_GUIDE}USER_VPC.WorkingWithRDSInstanceinaVPC.html",
        controls=(*c.NO_PUBLIC_ACCESS, *c.cis_aws("2.3.3")),
    ),
    rule(
        "aws-rds-storage-encrypted",
        "Every database's storage is encrypted",
        (INSTANCE, CLUSTER),
        equals("storageEncrypted", True),
        severity=Severity.HIGH,
        mend="Set `storage_encrypted=True` and `kms_key_id=key.arn`; an existing database is replaced by it.",
        url=f"{_GUIDE}Overview.Encryption.html",
        controls=(*c.ENCRYPTION_AT_REST, *c.cis_aws("2.3.1")),
    ),
    rule(
        "aws-rds-backed-up",
        "Every database is backed up for as many days as the environment asks",
        (INSTANCE, CLUSTER),
        at_least("backupRetentionPeriod", BACKUP_DAYS, default=0),
        severity=Severity.MEDIUM,
        mend="Set `backup_retention_period=7` or more.",
        url=f"{_GUIDE}USER_WorkingWithAutomatedBackups.html",
        controls=c.BACKUP,
    ),
)
