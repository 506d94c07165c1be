"""Databases and warehouses: encrypted, private, TLS only, backed up, hard to delete, logged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from levee.compliance.rule import Finding, Severity, Undecidable
from levee.compliance.rules import controls as c
from levee.compliance.rules.aws.common import customer_key, security_hub
from levee.compliance.rules.build import rule
from levee.compliance.rules.checks import (
    Check,
    at_least,
    by_type,
    differs,
    either,
    equals,
    every,
    matching,
    one_of,
    present,
    reads,
    unless,
    where_setting,
)
from levee.compliance.rules.relations import attached
from levee.compliance.rules.scope import Scope, Value
from levee.compliance.rules.secrets import kept_secret
from levee.compliance.rules.settings import BACKUP_DAYS, PROTECTED

INSTANCE: Final = "aws:rds/instance:Instance"
CLUSTER: Final = "aws:rds/cluster:Cluster"
CLUSTER_INSTANCE: Final = "aws:rds/clusterInstance:ClusterInstance"
DOCDB: Final = "aws:docdb/cluster:Cluster"
NEPTUNE: Final = "aws:neptune/cluster:Cluster"
DYNAMODB: Final = "aws:dynamodb/table:Table"
REDSHIFT: Final = "aws:redshift/cluster:Cluster"
REDIS: Final = "aws:elasticache/replicationGroup:ReplicationGroup"
OPENSEARCH: Final = "aws:opensearch/domain:Domain"
_RDS_GUIDE: Final = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/"

_TLS_PARAMETERS: Final = {
    "postgres": "rds.force_ssl",
    "aurora-postgresql": "rds.force_ssl",
    "sqlserver": "rds.force_ssl",
    "mysql": "require_secure_transport",
    "aurora-mysql": "require_secure_transport",
    "mariadb": "require_secure_transport",
}
"""Family, without its version, to the parameter that refuses plain connections (RDS User Guide, "Using SSL/TLS")."""

_COPY: Final = either(present("replicateSourceDb"), present("snapshotIdentifier"))
"""A replica or a restored snapshot is encrypted as its source is."""


def _parameter_on(name: str) -> Check:
    """The parameter group sets the parameter."""

    @reads("parameters[*].name", "parameters[*].value")
    def run(scope: Scope) -> Iterator[Finding]:
        given = {str(scope.at(item).one("name").value): scope.at(item).one("value") for item in _items(scope)}
        found = given.get(name)
        if found is None:
            yield Finding(f"the parameter `{name}` is not set: add it with the value 1", property="parameters")
        elif found.undecidable:
            yield Undecidable(found.path).finding()
        elif str(found.value).lower() not in ("1", "on", "true"):
            yield Finding(f"the parameter `{name}` is {found.value!r}: set it to 1", property=found.path)

    return run


def _items(scope: Scope) -> Iterator[Value]:
    for item in scope.read("parameters[*]"):
        if item.undecidable:
            raise Undecidable(item.path)
        yield item


@reads("family", "parameters[*].name", "parameters[*].value")
def _tls_forced(scope: Scope) -> Iterator[Finding]:
    family = scope.one("family")
    if family.undecidable:
        raise Undecidable(family.path)
    engine = next((e for e in sorted(_TLS_PARAMETERS, key=len, reverse=True) if str(family.value).startswith(e)), None)
    if engine is not None:
        yield from _parameter_on(_TLS_PARAMETERS[engine]).run(scope)


RULES: Final = (
    rule(
        "aws-rds-not-public",
        "No database has a public address",
        (INSTANCE, CLUSTER, CLUSTER_INSTANCE),
        differs("publiclyAccessible", True),
        severity=Severity.CRITICAL,
        mend="Remove `publicly_accessible=True`, and put the database into private subnets.",
        url=security_hub("rds", 2),
        controls=(*c.NO_PUBLIC_ACCESS, *c.cis_aws("2.3.3")),
    ),
    rule(
        "aws-rds-storage-encrypted",
        "Every database's storage is encrypted",
        (INSTANCE, CLUSTER, DOCDB, NEPTUNE),
        by_type(
            {
                INSTANCE: unless(_COPY, equals("storageEncrypted", True)),
                CLUSTER: unless(present("snapshotIdentifier"), equals("storageEncrypted", True)),
                DOCDB: equals("storageEncrypted", True),
                NEPTUNE: equals("storageEncrypted", True),
            }
        ),
        severity=Severity.HIGH,
        mend="Set `storage_encrypted=True` and `kms_key_id=key.arn`; an existing database is replaced by it.",
        url=security_hub("rds", 3),
        controls=(*c.ENCRYPTION_AT_REST, *c.cis_aws("2.3.1")),
    ),
    rule(
        "aws-rds-customer-managed-key",
        "Every database is encrypted with a customer-managed key",
        (INSTANCE, CLUSTER, DOCDB, NEPTUNE),
        by_type(
            {
                INSTANCE: unless(_COPY, customer_key("kmsKeyId")),
                CLUSTER: customer_key("kmsKeyId"),
                DOCDB: customer_key("kmsKeyId"),
                NEPTUNE: customer_key("kmsKeyArn"),
            }
        ),
        severity=Severity.MEDIUM,
        mend="Set `kms_key_id=key.arn` (Neptune: `kms_key_arn`); an existing database is replaced by it.",
        url=f"{_RDS_GUIDE}Overview.Encryption.Keys.html",
        controls=(*c.ENCRYPTION_AT_REST, *c.KEY_MANAGEMENT),
    ),
    rule(
        "aws-rds-tls-forced",
        "Every parameter group refuses connections without TLS",
        ("aws:rds/parameterGroup:ParameterGroup", "aws:rds/clusterParameterGroup:ClusterParameterGroup"),
        _tls_forced,
        severity=Severity.MEDIUM,
        mend='Add the parameter `{"name": "rds.force_ssl", "value": "1"}`, for MySQL and MariaDB '
        "`require_secure_transport`.",
        url=f"{_RDS_GUIDE}UsingWithRDS.SSL.html",
        controls=c.ENCRYPTION_IN_TRANSIT,
    ),
    rule(
        "aws-rds-backed-up",
        "Every database is backed up for as many days as the environment asks",
        (INSTANCE, CLUSTER, DOCDB, NEPTUNE),
        by_type(
            {
                INSTANCE: unless(
                    present("replicateSourceDb"), at_least("backupRetentionPeriod", BACKUP_DAYS, default=0)
                ),
                CLUSTER: at_least("backupRetentionPeriod", BACKUP_DAYS, default=1),
                DOCDB: at_least("backupRetentionPeriod", BACKUP_DAYS, default=1),
                NEPTUNE: at_least("backupRetentionPeriod", BACKUP_DAYS, default=1),
            }
        ),
        severity=Severity.MEDIUM,
        mend="Set `backup_retention_period=7` or more.",
        url=f"{_RDS_GUIDE}USER_WorkingWithAutomatedBackups.html",
        controls=c.BACKUP,
    ),
    rule(
        "aws-rds-deletion-protected",
        "Where stores are protected, no database can be deleted in one step",
        (INSTANCE, CLUSTER, DOCDB, NEPTUNE),
        where_setting(PROTECTED, equals("deletionProtection", True)),
        severity=Severity.HIGH,
        mend="Set `deletion_protection=True`.",
        url=security_hub("rds", 8),
        controls=c.DELETION_PROTECTION,
    ),
    rule(
        "aws-rds-final-snapshot",
        "Where stores are protected, a database leaves a snapshot behind",
        (INSTANCE, CLUSTER, DOCDB, NEPTUNE),
        where_setting(PROTECTED, differs("skipFinalSnapshot", True)),
        severity=Severity.MEDIUM,
        mend="Remove `skip_final_snapshot=True`, and give `final_snapshot_identifier`.",
        url=f"{_RDS_GUIDE}USER_DeleteInstance.html",
        controls=c.DELETION_PROTECTION,
    ),
    rule(
        "aws-rds-password-managed",
        "No database's master password is written down: RDS keeps it, or it is a secret",
        (INSTANCE, CLUSTER),
        by_type(
            {
                INSTANCE: either(equals("manageMasterUserPassword", True), kept_secret("password")),
                CLUSTER: either(equals("manageMasterUserPassword", True), kept_secret("masterPassword")),
            }
        ),
        severity=Severity.CRITICAL,
        mend='Set `manage_master_user_password=True` in place of the password, or use `config.require_secret("name")`.',
        url=f"{_RDS_GUIDE}rds-secrets-manager.html",
        controls=c.SECRETS,
    ),
    rule(
        "aws-rds-logs-exported",
        "Every database sends its logs to CloudWatch",
        (INSTANCE, CLUSTER, DOCDB),
        present("enabledCloudwatchLogsExports"),
        severity=Severity.LOW,
        mend='Set `enabled_cloudwatch_logs_exports`, for PostgreSQL `["postgresql", "upgrade"]`.',
        url=security_hub("rds", 9),
        controls=c.AUDIT_LOGS,
    ),
    rule(
        "aws-rds-minor-upgrades",
        "Every database takes its minor upgrades by itself",
        (INSTANCE, CLUSTER_INSTANCE),
        equals("autoMinorVersionUpgrade", True, default=True),
        severity=Severity.LOW,
        mend="Remove `auto_minor_version_upgrade=False`.",
        url=security_hub("rds", 13),
        controls=(*c.PATCHING, *c.cis_aws("2.3.2")),
    ),
    rule(
        "aws-rds-multi-az",
        "Where stores are protected, every database instance stands in two availability zones",
        INSTANCE,
        where_setting(PROTECTED, equals("multiAz", True)),
        severity=Severity.LOW,
        mend="Set `multi_az=True`.",
        url=security_hub("rds", 5),
        controls=c.AVAILABILITY,
    ),
    rule(
        "aws-dynamodb-customer-managed-key",
        "Every table is encrypted with a customer-managed key",
        DYNAMODB,
        every(equals("serverSideEncryption.enabled", True), customer_key("serverSideEncryption.kmsKeyArn")),
        severity=Severity.LOW,
        mend='Set `server_side_encryption={"enabled": True, "kms_key_arn": key.arn}`.',
        url="https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/EncryptionAtRest.html",
        controls=(*c.ENCRYPTION_AT_REST, *c.KEY_MANAGEMENT),
    ),
    rule(
        "aws-dynamodb-point-in-time-recovery",
        "Every table can be restored to any second of the last days",
        DYNAMODB,
        equals("pointInTimeRecovery.enabled", True),
        severity=Severity.MEDIUM,
        mend='Set `point_in_time_recovery={"enabled": True}`.',
        url=security_hub("dynamodb", 2),
        controls=c.BACKUP,
    ),
    rule(
        "aws-dynamodb-deletion-protected",
        "Where stores are protected, no table can be deleted in one step",
        DYNAMODB,
        where_setting(PROTECTED, equals("deletionProtectionEnabled", True)),
        severity=Severity.HIGH,
        mend="Set `deletion_protection_enabled=True`.",
        url=security_hub("dynamodb", 6),
        controls=c.DELETION_PROTECTION,
    ),
    rule(
        "aws-redshift-not-public",
        "No warehouse has a public address",
        (REDSHIFT, "aws:redshiftserverless/workgroup:Workgroup"),
        differs("publiclyAccessible", True),
        severity=Severity.CRITICAL,
        mend="Remove `publicly_accessible=True`.",
        url=security_hub("redshift", 1),
        controls=c.NO_PUBLIC_ACCESS,
    ),
    rule(
        "aws-redshift-encrypted",
        "Every warehouse is encrypted with a customer-managed key",
        REDSHIFT,
        every(one_of("encrypted", True, "true", default="true"), customer_key("kmsKeyId")),
        severity=Severity.HIGH,
        mend="Set `encrypted=True` and `kms_key_id=key.arn`.",
        url="https://docs.aws.amazon.com/redshift/latest/mgmt/working-with-db-encryption.html",
        controls=(*c.ENCRYPTION_AT_REST, *c.KEY_MANAGEMENT),
    ),
    rule(
        "aws-redshift-tls-forced",
        "Every warehouse refuses connections without TLS",
        "aws:redshift/parameterGroup:ParameterGroup",
        _parameter_on("require_ssl"),
        severity=Severity.MEDIUM,
        mend='Add the parameter `{"name": "require_ssl", "value": "true"}`.',
        url=security_hub("redshift", 2),
        controls=c.ENCRYPTION_IN_TRANSIT,
    ),
    rule(
        "aws-redshift-audit-logged",
        "Every warehouse writes its audit log",
        REDSHIFT,
        attached("aws:redshift/logging:Logging", by="clusterIdentifier", wanted="an aws.redshift.Logging"),
        severity=Severity.MEDIUM,
        mend='Add `aws.redshift.Logging(name, cluster_identifier=cluster.id, log_destination_type="cloudwatch", '
        'log_exports=["connectionlog", "userlog", "useractivitylog"])`.',
        url=security_hub("redshift", 4),
        controls=c.AUDIT_LOGS,
    ),
    rule(
        "aws-elasticache-encrypted",
        "Every cache is encrypted at rest and on the way",
        REDIS,
        every(equals("atRestEncryptionEnabled", True), equals("transitEncryptionEnabled", True)),
        severity=Severity.HIGH,
        mend="Set `at_rest_encryption_enabled=True` and `transit_encryption_enabled=True`.",
        url=security_hub("elasticache", 4),
        controls=(*c.ENCRYPTION_AT_REST, *c.ENCRYPTION_IN_TRANSIT),
    ),
    rule(
        "aws-opensearch-encrypted",
        "Every search domain is encrypted at rest and between its nodes",
        OPENSEARCH,
        every(equals("encryptAtRest.enabled", True), equals("nodeToNodeEncryption.enabled", True)),
        severity=Severity.HIGH,
        mend='Set `encrypt_at_rest={"enabled": True}` and `node_to_node_encryption={"enabled": True}`.',
        url=security_hub("opensearch", 1),
        controls=(*c.ENCRYPTION_AT_REST, *c.ENCRYPTION_IN_TRANSIT),
    ),
    rule(
        "aws-opensearch-tls",
        "Every search domain takes HTTPS only, with TLS 1.2 or newer",
        OPENSEARCH,
        every(
            equals("domainEndpointOptions.enforceHttps", True),
            matching("domainEndpointOptions.tlsSecurityPolicy", r"Policy-Min-TLS-1-[23]-.*", "a policy of TLS 1.2 on"),
        ),
        severity=Severity.MEDIUM,
        mend='Set `domain_endpoint_options={"enforce_https": True, "tls_security_policy": '
        '"Policy-Min-TLS-1-2-PFS-2023-10"}`.',
        url=security_hub("opensearch", 8),
        controls=c.ENCRYPTION_IN_TRANSIT,
    ),
    rule(
        "aws-opensearch-in-vpc",
        "Every search domain stands in private subnets",
        OPENSEARCH,
        present("vpcOptions.subnetIds"),
        severity=Severity.HIGH,
        mend="Set `vpc_options` with `subnet_ids` and `security_group_ids`; an existing domain is replaced by it.",
        url=security_hub("opensearch", 2),
        controls=(*c.NO_PUBLIC_ACCESS, *c.PRIVATE_NETWORK),
    ),
)
