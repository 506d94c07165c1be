"""Cloud SQL, AlloyDB, Spanner, Bigtable, Firestore, Memorystore, Filestore."""

from __future__ import annotations

from typing import Final

from levee.compliance.rule import Severity
from levee.compliance.rules import controls as c
from levee.compliance.rules.build import rule
from levee.compliance.rules.checks import (
    at_least,
    by_type,
    differs,
    either,
    equals,
    every,
    not_world_open,
    one_of,
    only_where,
    present,
    where_setting,
)
from levee.compliance.rules.gcp.common import DOCS
from levee.compliance.rules.secrets import kept_secret
from levee.compliance.rules.settings import BACKUP_DAYS, PROTECTED

_SQL: Final = "gcp:sql/databaseInstance:DatabaseInstance"
_ALLOY: Final = "gcp:alloydb/cluster:Cluster"
_ALLOY_INSTANCE: Final = "gcp:alloydb/instance:Instance"
_SPANNER: Final = "gcp:spanner/database:Database"
_BIGTABLE: Final = "gcp:bigtable/instance:Instance"
_FIRESTORE: Final = "gcp:firestore/database:Database"
_REDIS: Final = "gcp:redis/instance:Instance"
_FILES: Final = "gcp:filestore/instance:Instance"
_SQL_GUIDE: Final = f"{DOCS}sql/docs/postgres/"
_IP: Final = "settings.ipConfiguration"
_BACKUPS: Final = "settings.backupConfiguration"
_PRIMARY: Final = differs("instanceType", "READ_REPLICA_INSTANCE", "READ_POOL_INSTANCE")

RULES: Final = (
    rule(
        "gcp-sql-customer-managed-key",
        "Every Cloud SQL instance is encrypted with a key of ours",
        _SQL,
        present("encryptionKeyName"),
        severity=Severity.HIGH,
        mend="Set `encryption_key_name=key.id`, when the instance is made.",
        url=f"{_SQL_GUIDE}cmek",
        controls=c.ENCRYPTION_AT_REST,
    ),
    rule(
        "gcp-sql-tls-only",
        "No Cloud SQL instance answers without TLS",
        _SQL,
        one_of(f"{_IP}.sslMode", "ENCRYPTED_ONLY", "TRUSTED_CLIENT_CERTIFICATE_REQUIRED"),
        severity=Severity.HIGH,
        mend='Set `ip_configuration={"ssl_mode": "ENCRYPTED_ONLY"}` in `settings`.',
        url=f"{_SQL_GUIDE}configure-ssl-instance",
        controls=(*c.ENCRYPTION_IN_TRANSIT, *c.cis_gcp("6.4")),
    ),
    rule(
        "gcp-sql-not-public",
        "No Cloud SQL instance has a public address",
        _SQL,
        equals(f"{_IP}.ipv4Enabled", False),
        severity=Severity.HIGH,
        mend='Set `ip_configuration={"ipv4_enabled": False, "private_network": network.id}` in `settings`.',
        url=f"{_SQL_GUIDE}private-ip",
        controls=(*c.NO_PUBLIC_ACCESS, *c.cis_gcp("6.6")),
    ),
    rule(
        "gcp-sql-networks-narrow",
        "No Cloud SQL instance lets the whole internet in",
        _SQL,
        not_world_open(f"{_IP}.authorizedNetworks[*].value"),
        severity=Severity.CRITICAL,
        mend="Remove the range from `authorized_networks`.",
        url=f"{_SQL_GUIDE}authorize-networks",
        controls=(*c.NO_PUBLIC_ACCESS, *c.cis_gcp("6.5")),
    ),
    rule(
        "gcp-sql-backed-up",
        "Every Cloud SQL primary is backed up and can be restored to a moment",
        _SQL,
        only_where(
            _PRIMARY,
            every(
                equals(f"{_BACKUPS}.enabled", True),
                either(
                    equals(f"{_BACKUPS}.pointInTimeRecoveryEnabled", True), equals(f"{_BACKUPS}.binaryLogEnabled", True)
                ),
            ),
        ),
        severity=Severity.HIGH,
        mend='Set `backup_configuration={"enabled": True, "point_in_time_recovery_enabled": True}` in `settings`.',
        url=f"{_SQL_GUIDE}backup-recovery/backups",
        controls=(*c.BACKUP, *c.cis_gcp("6.7")),
    ),
    rule(
        "gcp-sql-backups-kept",
        "Cloud SQL keeps as many daily backups as the environment asks",
        _SQL,
        only_where(
            _PRIMARY,
            at_least(f"{_BACKUPS}.backupRetentionSettings.retainedBackups", BACKUP_DAYS, default=7),
        ),
        severity=Severity.MEDIUM,
        mend='Set `backup_retention_settings={"retained_backups": 14}` in `backup_configuration`.',
        url=f"{_SQL_GUIDE}backup-recovery/backups",
        controls=c.BACKUP,
    ),
    rule(
        "gcp-sql-regional",
        "Where data must resist loss, every Cloud SQL primary has a standby in another zone",
        _SQL,
        where_setting(PROTECTED, only_where(_PRIMARY, equals("settings.availabilityType", "REGIONAL"))),
        severity=Severity.MEDIUM,
        mend='Set `availability_type="REGIONAL"` in `settings`.',
        url=f"{_SQL_GUIDE}high-availability",
        controls=c.AVAILABILITY,
    ),
    rule(
        "gcp-sql-password-kept",
        "No Cloud SQL password is in plain",
        (_SQL, "gcp:sql/user:User"),
        by_type({_SQL: kept_secret("rootPassword"), "gcp:sql/user:User": kept_secret("password")}),
        severity=Severity.CRITICAL,
        mend="Read it with `config.require_secret(...)` or `random.RandomPassword`, or sign in by IAM.",
        url=f"{_SQL_GUIDE}iam-authentication",
        controls=c.SECRETS,
    ),
    rule(
        "gcp-database-deletion",
        "Where data must resist deletion, no database is deleted by an update",
        (_SQL, _ALLOY, _SPANNER, _BIGTABLE, _FIRESTORE),
        where_setting(
            PROTECTED,
            by_type(
                {
                    _FIRESTORE: equals("deleteProtectionState", "DELETE_PROTECTION_ENABLED"),
                    **dict.fromkeys((_SQL, _ALLOY, _SPANNER, _BIGTABLE), differs("deletionProtection", False)),
                }
            ),
        ),
        severity=Severity.HIGH,
        mend="Remove `deletion_protection=False` (Firestore: set `delete_protection_state`).",
        url=f"{_SQL_GUIDE}deletion-protection",
        controls=c.DELETION_PROTECTION,
    ),
    rule(
        "gcp-database-customer-managed-key",
        "AlloyDB, Spanner, Bigtable, Firestore, Memorystore and Filestore are encrypted with a key of ours",
        (_ALLOY, _SPANNER, _BIGTABLE, _FIRESTORE, _REDIS, _FILES),
        by_type(
            {
                _ALLOY: present("encryptionConfig.kmsKeyName"),
                _SPANNER: either(present("encryptionConfig.kmsKeyName"), present("encryptionConfig.kmsKeyNames")),
                _BIGTABLE: present("clusters[*].kmsKeyName"),
                _FIRESTORE: present("cmekConfig.kmsKeyName"),
                _REDIS: present("customerManagedKey"),
                _FILES: present("kmsKeyName"),
            }
        ),
        severity=Severity.MEDIUM,
        mend="Name a key of Cloud KMS in the encryption settings, when the database is made.",
        url=f"{DOCS}kms/docs/cmek",
        controls=c.ENCRYPTION_AT_REST,
    ),
    rule(
        "gcp-alloydb-backed-up",
        "Every AlloyDB cluster can be restored to any moment of the days that the environment asks",
        _ALLOY,
        every(
            differs("continuousBackupConfig.enabled", False),
            at_least("continuousBackupConfig.recoveryWindowDays", BACKUP_DAYS, default=14),
        ),
        severity=Severity.MEDIUM,
        mend='Set `continuous_backup_config={"enabled": True, "recovery_window_days": 14}`.',
        url=f"{DOCS}alloydb/docs/backup/overview",
        controls=c.BACKUP,
    ),
    rule(
        "gcp-alloydb-not-public",
        "No AlloyDB instance has a public address",
        _ALLOY_INSTANCE,
        differs("networkConfig.enablePublicIp", True),
        severity=Severity.HIGH,
        mend="Remove `enable_public_ip=True`.",
        url=f"{DOCS}alloydb/docs/connect-public-ip",
        controls=c.NO_PUBLIC_ACCESS,
    ),
    rule(
        "gcp-alloydb-tls-only",
        "No AlloyDB instance answers without TLS",
        _ALLOY_INSTANCE,
        one_of("clientConnectionConfig.sslConfig.sslMode", "ENCRYPTED_ONLY", default="ENCRYPTED_ONLY"),
        severity=Severity.HIGH,
        mend='Set `client_connection_config={"ssl_config": {"ssl_mode": "ENCRYPTED_ONLY"}}`.',
        url=f"{DOCS}alloydb/docs/instance-ssl",
        controls=c.ENCRYPTION_IN_TRANSIT,
    ),
    rule(
        "gcp-firestore-restorable",
        "Every Firestore database can be restored to a moment",
        _FIRESTORE,
        equals("pointInTimeRecoveryEnablement", "POINT_IN_TIME_RECOVERY_ENABLED"),
        severity=Severity.MEDIUM,
        mend='Set `point_in_time_recovery_enablement="POINT_IN_TIME_RECOVERY_ENABLED"`.',
        url=f"{DOCS}firestore/docs/pitr",
        controls=c.BACKUP,
    ),
    rule(
        "gcp-redis-guarded",
        "Every Redis instance asks for a password and speaks TLS",
        _REDIS,
        every(equals("authEnabled", True), equals("transitEncryptionMode", "SERVER_AUTHENTICATION")),
        severity=Severity.HIGH,
        mend='Set `auth_enabled=True` and `transit_encryption_mode="SERVER_AUTHENTICATION"`.',
        url=f"{DOCS}memorystore/docs/redis/about-redis-auth",
        controls=(*c.AUTHENTICATION, *c.ENCRYPTION_IN_TRANSIT),
    ),
)
