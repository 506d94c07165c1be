"""EBS, EFS and AWS Backup: encrypted, shared with nobody, backed up, locked."""

from __future__ import annotations

from typing import Final

from levee.compliance.rule import Severity
from levee.compliance.rules import controls as c
from levee.compliance.rules.aws.common import customer_key, security_hub
from levee.compliance.rules.build import rule
from levee.compliance.rules.checks import differs, equals, every, present, where_setting
from levee.compliance.rules.relations import attached
from levee.compliance.rules.settings import PROTECTED

_EBS_GUIDE: Final = "https://docs.aws.amazon.com/ebs/latest/userguide/"

RULES: Final = (
    rule(
        "aws-ebs-volume-encrypted",
        "Every volume is encrypted",
        "aws:ebs/volume:Volume",
        equals("encrypted", True),
        severity=Severity.HIGH,
        mend="Set `encrypted=True` and `kms_key_id=key.arn`; an existing volume is replaced by it.",
        url=security_hub("ec2", 3),
        controls=c.ENCRYPTION_AT_REST,
    ),
    rule(
        "aws-ebs-encrypted-by-default",
        "New volumes are encrypted by default",
        "aws:ebs/encryptionByDefault:EncryptionByDefault",
        equals("enabled", True, default=True),
        severity=Severity.HIGH,
        mend="Set `enabled=True`.",
        url=security_hub("ec2", 7),
        controls=(*c.ENCRYPTION_AT_REST, *c.cis_aws("2.2.1")),
    ),
    rule(
        "aws-ebs-snapshots-not-public",
        "Snapshots cannot be shared with everybody",
        "aws:ebs/snapshotBlockPublicAccess:SnapshotBlockPublicAccess",
        equals("state", "block-all-sharing"),
        severity=Severity.HIGH,
        mend='Set `state="block-all-sharing"`.',
        url=f"{_EBS_GUIDE}block-public-access-snapshots.html",
        controls=c.NO_PUBLIC_ACCESS,
    ),
    rule(
        "aws-ec2-image-not-public",
        "No machine image is shared with everybody",
        "aws:ec2/amiLaunchPermission:AmiLaunchPermission",
        differs("group", "all"),
        severity=Severity.CRITICAL,
        mend="Remove `group`, and name the accounts by `account_id` or the organisation by `organization_arn`.",
        url="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/sharingamis-intro.html",
        controls=c.NO_PUBLIC_ACCESS,
    ),
    rule(
        "aws-efs-encrypted",
        "Every file system is encrypted with a customer-managed key",
        "aws:efs/fileSystem:FileSystem",
        every(equals("encrypted", True), customer_key("kmsKeyId")),
        severity=Severity.HIGH,
        mend="Set `encrypted=True` and `kms_key_id=key.arn`; an existing file system is replaced by it.",
        url=security_hub("efs", 1),
        controls=(*c.ENCRYPTION_AT_REST, *c.cis_aws("2.4.1")),
    ),
    rule(
        "aws-efs-backed-up",
        "Every file system is backed up",
        "aws:efs/fileSystem:FileSystem",
        attached(
            "aws:efs/backupPolicy:BackupPolicy",
            by="fileSystemId",
            check=equals("backupPolicy.status", "ENABLED"),
            wanted="an aws.efs.BackupPolicy with status ENABLED",
        ),
        severity=Severity.MEDIUM,
        mend='Add `aws.efs.BackupPolicy(name, file_system_id=fs.id, backup_policy={"status": "ENABLED"})`.',
        url="https://docs.aws.amazon.com/efs/latest/ug/awsbackup.html",
        controls=c.BACKUP,
    ),
    rule(
        "aws-backup-vault-customer-managed-key",
        "Every backup vault is encrypted with a customer-managed key",
        "aws:backup/vault:Vault",
        customer_key("kmsKeyArn"),
        severity=Severity.MEDIUM,
        mend="Set `kms_key_arn=key.arn`; an existing vault is replaced by it.",
        url="https://docs.aws.amazon.com/aws-backup/latest/devguide/encryption.html",
        controls=(*c.ENCRYPTION_AT_REST, *c.BACKUP),
    ),
    rule(
        "aws-backup-vault-locked",
        "Where stores are protected, every backup vault is locked",
        "aws:backup/vault:Vault",
        where_setting(
            PROTECTED,
            attached(
                "aws:backup/vaultLockConfiguration:VaultLockConfiguration",
                by="backupVaultName",
                check=present("minRetentionDays"),
                wanted="an aws.backup.VaultLockConfiguration with min_retention_days",
            ),
        ),
        severity=Severity.MEDIUM,
        mend="Add `aws.backup.VaultLockConfiguration(name, backup_vault_name=vault.name, min_retention_days=...)`.",
        url="https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html",
        controls=(*c.DELETION_PROTECTION, *c.BACKUP),
    ),
)
