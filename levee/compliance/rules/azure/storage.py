"""Storage accounts: our keys, TLS only, no anonymous or shared-key access, a firewall, soft delete, logs."""

from __future__ import annotations

from typing import Final

from levee.compliance.rule import Severity
from levee.compliance.rules import controls as c
from levee.compliance.rules.azure.common import LEARN, closed_or_denied, logged
from levee.compliance.rules.build import rule
from levee.compliance.rules.checks import (
    at_least,
    differs,
    equals,
    every,
    matching,
    not_world_open,
    one_of,
    present,
    where_setting,
)
from levee.compliance.rules.relations import attached
from levee.compliance.rules.settings import AUDIT_DAYS, BACKUP_DAYS, PROTECTED

ACCOUNT: Final = "azure-native:storage:StorageAccount"
_CONTAINER: Final = "azure-native:storage:BlobContainer"
_BLOBS: Final = "azure-native:storage:BlobServiceProperties"
_FILES: Final = "azure-native:storage:FileServiceProperties"
_IMMUTABILITY: Final = "azure-native:storage:BlobContainerImmutabilityPolicy"
_LOCKS: Final = "azure-native:authorization:ManagementLockByScope"
_WITHIN_A_WEEK: Final = r"0*([0-6]\.\d\d:\d\d:\d\d|7\.00:00:00)"
_GUIDE: Final = f"{LEARN}storage/common/"
_BLOB_GUIDE: Final = f"{LEARN}storage/blobs/"

RULES: Final = (
    rule(
        "azure-storage-customer-managed-key",
        "Every storage account is encrypted with a key of ours",
        ACCOUNT,
        every(equals("encryption.keySource", "Microsoft.Keyvault"), present("encryption.keyVaultProperties.keyName")),
        severity=Severity.HIGH,
        mend="Set `encryption` with `key_source=storage.KeySource.MICROSOFT_KEYVAULT` and `key_vault_properties`.",
        url=f"{_GUIDE}customer-managed-keys-overview",
        controls=(*c.ENCRYPTION_AT_REST, *c.cis_azure("4.11")),
    ),
    rule(
        "azure-storage-infrastructure-encryption",
        "Every storage account is encrypted twice",
        ACCOUNT,
        equals("encryption.requireInfrastructureEncryption", True),
        severity=Severity.LOW,
        mend="Set `require_infrastructure_encryption=True` in `encryption`, when the account is made.",
        url=f"{_GUIDE}infrastructure-encryption-enable",
        controls=(*c.ENCRYPTION_AT_REST, *c.cis_azure("4.2")),
    ),
    rule(
        "azure-storage-https-only",
        "No storage account answers without TLS",
        ACCOUNT,
        differs("enableHttpsTrafficOnly", False),
        severity=Severity.HIGH,
        mend="Remove `enable_https_traffic_only=False`.",
        url=f"{_GUIDE}storage-require-secure-transfer",
        controls=(*c.ENCRYPTION_IN_TRANSIT, *c.cis_azure("4.1")),
    ),
    rule(
        "azure-storage-tls-1-2",
        "No storage account speaks TLS older than 1.2",
        ACCOUNT,
        one_of("minimumTlsVersion", "TLS1_2", "TLS1_3"),
        severity=Severity.HIGH,
        mend="Set `minimum_tls_version=storage.MinimumTlsVersion.TLS1_2`.",
        url=f"{_GUIDE}transport-layer-security-configure-minimum-version",
        controls=(*c.ENCRYPTION_IN_TRANSIT, *c.cis_azure("4.15")),
    ),
    rule(
        "azure-storage-no-anonymous-access",
        "No storage account lets its containers be read anonymously",
        ACCOUNT,
        equals("allowBlobPublicAccess", False, default=False),
        severity=Severity.CRITICAL,
        mend="Set `allow_blob_public_access=False`.",
        url=f"{_BLOB_GUIDE}anonymous-read-access-prevent",
        controls=(*c.NO_PUBLIC_ACCESS, *c.cis_azure("4.17")),
    ),
    rule(
        "azure-storage-container-private",
        "No container is read anonymously",
        _CONTAINER,
        one_of("publicAccess", "None", default="None"),
        severity=Severity.CRITICAL,
        mend="Set `public_access=storage.PublicAccess.NONE`.",
        url=f"{_BLOB_GUIDE}anonymous-read-access-configure",
        controls=(*c.NO_PUBLIC_ACCESS, *c.cis_azure("4.17")),
    ),
    rule(
        "azure-storage-firewall",
        "Every storage account lets in only whom its firewall names",
        ACCOUNT,
        closed_or_denied("publicNetworkAccess", "networkRuleSet.defaultAction"),
        severity=Severity.HIGH,
        mend='Set `network_rule_set={"default_action": "Deny", ...}`, or `public_network_access="Disabled"`.',
        url=f"{_GUIDE}storage-network-security",
        controls=(*c.NO_PUBLIC_ACCESS, *c.cis_azure("4.7")),
    ),
    rule(
        "azure-storage-firewall-narrow",
        "No storage account's firewall names the whole internet",
        ACCOUNT,
        not_world_open("networkRuleSet.ipRules[*].iPAddressOrRange"),
        severity=Severity.CRITICAL,
        mend="Name the ranges that need it in `ip_rules`.",
        url=f"{_GUIDE}storage-network-security",
        controls=(*c.NO_PUBLIC_ACCESS, *c.cis_azure("4.7")),
    ),
    rule(
        "azure-storage-no-shared-keys",
        "Every access to a storage account is by an identity of Entra, not by the account's keys",
        ACCOUNT,
        equals("allowSharedKeyAccess", False),
        severity=Severity.HIGH,
        mend="Set `allow_shared_key_access=False`.",
        url=f"{_GUIDE}shared-key-authorization-prevent",
        controls=c.AUTHENTICATION,
    ),
    rule(
        "azure-storage-no-local-users",
        "Nobody signs in to a storage account by SFTP with a password or key of its own",
        ACCOUNT,
        every(differs("isLocalUserEnabled", True), differs("isSftpEnabled", True)),
        severity=Severity.MEDIUM,
        mend="Set `is_local_user_enabled=False` and `is_sftp_enabled=False`.",
        url=f"{_BLOB_GUIDE}secure-file-transfer-protocol-support",
        controls=c.AUTHENTICATION,
    ),
    rule(
        "azure-storage-no-cross-tenant-replication",
        "No storage account is replicated into another tenant",
        ACCOUNT,
        equals("allowCrossTenantReplication", False, default=False),
        severity=Severity.HIGH,
        mend="Set `allow_cross_tenant_replication=False`.",
        url=f"{_BLOB_GUIDE}object-replication-prevent-cross-tenant-policies",
        controls=(*c.EGRESS, *c.cis_azure("4.16")),
    ),
    rule(
        "azure-storage-copies-within-tenant",
        "Nobody copies out of a storage account into another tenant",
        ACCOUNT,
        one_of("allowedCopyScope", "AAD", "PrivateLink"),
        severity=Severity.MEDIUM,
        mend="Set `allowed_copy_scope=storage.AllowedCopyScope.AAD`.",
        url=f"{_GUIDE}security-restrict-copy-operations",
        controls=c.EGRESS,
    ),
    rule(
        "azure-storage-signatures-expire",
        "A storage account watches how long shared access signatures hold",
        ACCOUNT,
        matching("sasPolicy.sasExpirationPeriod", _WITHIN_A_WEEK, "at most seven days, such as 1.00:00:00"),
        severity=Severity.LOW,
        mend='Set `sas_policy={"sas_expiration_period": "1.00:00:00", "expiration_action": "Log"}`.',
        url=f"{_GUIDE}sas-expiration-policy",
        controls=c.AUTHENTICATION,
    ),
    rule(
        "azure-storage-soft-delete",
        "Deleted blobs and containers can be had back for as many days as the environment asks",
        _BLOBS,
        every(
            equals("deleteRetentionPolicy.enabled", True),
            at_least("deleteRetentionPolicy.days", BACKUP_DAYS),
            equals("containerDeleteRetentionPolicy.enabled", True),
            at_least("containerDeleteRetentionPolicy.days", BACKUP_DAYS),
        ),
        severity=Severity.MEDIUM,
        mend='Set `delete_retention_policy`, and that of containers, to `{"enabled": True, "days": 30}`.',
        url=f"{_BLOB_GUIDE}soft-delete-blob-overview",
        controls=(*c.VERSIONING, *c.cis_azure("4.10")),
    ),
    rule(
        "azure-storage-soft-delete-there",
        "Every storage account has its blob service set up to keep what was deleted",
        ACCOUNT,
        attached(
            _BLOBS,
            by="accountName",
            check=equals("deleteRetentionPolicy.enabled", True),
            wanted="a storage.BlobServiceProperties with delete_retention_policy",
        ),
        severity=Severity.MEDIUM,
        mend='Add `storage.BlobServiceProperties(name, account_name=account.name, blob_services_name="default", '
        'delete_retention_policy={"enabled": True, "days": 30}, ...)`.',
        url=f"{_BLOB_GUIDE}soft-delete-blob-overview",
        controls=(*c.VERSIONING, *c.cis_azure("4.10")),
    ),
    rule(
        "azure-storage-shares-soft-delete",
        "Deleted file shares can be had back",
        _FILES,
        every(
            equals("shareDeleteRetentionPolicy.enabled", True), at_least("shareDeleteRetentionPolicy.days", BACKUP_DAYS)
        ),
        severity=Severity.MEDIUM,
        mend='Set `share_delete_retention_policy={"enabled": True, "days": 30}`.',
        url=f"{LEARN}storage/files/storage-files-prevent-file-share-deletion",
        controls=c.VERSIONING,
    ),
    rule(
        "azure-storage-logged",
        "Reads, writes and deletions of blobs are logged",
        ACCOUNT,
        logged("StorageRead, StorageWrite, StorageDelete"),
        severity=Severity.MEDIUM,
        mend="Add a `monitor.DiagnosticSetting` on `<account id>/blobServices/default`.",
        url=f"{_BLOB_GUIDE}monitor-blob-storage",
        controls=(*c.AUDIT_LOGS, *c.cis_azure("4.13")),
    ),
    rule(
        "azure-storage-audit-retention",
        "What may not be changed may not be changed for as long as the environment keeps audit records",
        _IMMUTABILITY,
        at_least("immutabilityPeriodSinceCreationInDays", AUDIT_DAYS),
        severity=Severity.HIGH,
        mend="Set `immutability_period_since_creation_in_days` to the environment's `retention.audit_days`.",
        url=f"{_BLOB_GUIDE}immutable-time-based-retention-policy-overview",
        controls=(*c.LOG_RETENTION, *c.LOG_INTEGRITY),
    ),
    rule(
        "azure-storage-deletion-locked",
        "Where data must resist deletion, a lock holds every storage account",
        ACCOUNT,
        where_setting(
            PROTECTED,
            attached(
                _LOCKS,
                by="scope",
                check=one_of("level", "CanNotDelete", "ReadOnly"),
                wanted="an authorization.ManagementLockByScope with level CanNotDelete",
            ),
        ),
        severity=Severity.MEDIUM,
        mend='Add `authorization.ManagementLockByScope(name, scope=account.id, level="CanNotDelete")`.',
        url=f"{LEARN}azure-resource-manager/management/lock-resources",
        controls=c.DELETION_PROTECTION,
    ),
)
