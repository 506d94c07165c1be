"""Cloud Storage and Cloud KMS: our keys, no public access, versions, logs, a locked audit store, keys that rotate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from levee.compliance.rule import Finding, Parameter, Severity, Undecidable
from levee.compliance.rules import controls as c
from levee.compliance.rules.build import rule
from levee.compliance.rules.checks import (
    by_type,
    differs,
    either,
    equals,
    every,
    not_matching,
    only_where,
    present,
    reads,
    where_setting,
)
from levee.compliance.rules.gcp.common import DOCS
from levee.compliance.rules.scope import Scope
from levee.compliance.rules.settings import AUDIT_DAYS, BACKUP_DAYS, PROTECTED, Setting, setting_value

_BUCKET: Final = "gcp:storage/bucket:Bucket"
_ACL_ENTRIES: Final = (
    "gcp:storage/bucketAccessControl:BucketAccessControl",
    "gcp:storage/objectAccessControl:ObjectAccessControl",
    "gcp:storage/defaultObjectAccessControl:DefaultObjectAccessControl",
)
_ACLS: Final = ("gcp:storage/bucketACL:BucketACL", "gcp:storage/objectACL:ObjectACL")
_DEFAULT_ACL: Final = "gcp:storage/defaultObjectACL:DefaultObjectACL"
_EVERYBODY: Final = "allUsers|allAuthenticatedUsers"
_KEY: Final = "gcp:kms/cryptoKey:CryptoKey"
_DAY: Final = 86_400
_GUIDE: Final = f"{DOCS}storage/docs/"
_KMS_GUIDE: Final = f"{DOCS}kms/docs/"

_LOCKED: Final = present("retentionPolicy")


def seconds(duration: object) -> float | None:
    """Seconds of a duration as Google writes it, ``7776000s`` or ``7776000``; ``None`` where it is none."""
    try:
        return float(str(duration).removesuffix("s"))
    except ValueError:
        return None


@reads("retentionPolicy.retentionPeriod", settings=(AUDIT_DAYS,))
def _kept_long_enough(scope: Scope) -> Iterator[Finding]:
    found = scope.one("retentionPolicy.retentionPeriod")
    days = setting_value(AUDIT_DAYS, scope.facts)
    if found.undecidable:
        yield Undecidable(found.path).finding()
    elif found.value is not None and (seconds(found.value) or 0) < days * _DAY:
        yield Finding(f"`{found.path}` is {found.value}: it must be at least {days} days", property=found.path)


@reads("softDeletePolicy.retentionDurationSeconds", settings=(BACKUP_DAYS,))
def _soft_deleted(scope: Scope) -> Iterator[Finding]:
    found = scope.one("softDeletePolicy.retentionDurationSeconds")
    days = setting_value(BACKUP_DAYS, scope.facts)
    kept = 7 * _DAY if found.value is None else seconds(found.value)  # seven days are the default
    if found.undecidable:
        yield Undecidable(found.path).finding()
    elif (kept or 0) < days * _DAY:
        yield Finding(f"`{found.path}` is {found.value}: it must be at least {days} days", property=found.path)


ROTATION_DAYS: Final = Setting(
    "rotation_days",
    Parameter(90, "Most days between two rotations of a key.", {"type": "integer", "minimum": 1}),
)
"""Stricter than elsewhere: CIS GCP Foundation 3.0.0, 1.10."""


@reads("rotationPeriod", settings=(ROTATION_DAYS,))
def _rotates(scope: Scope) -> Iterator[Finding]:
    found = scope.one("rotationPeriod")
    days = setting_value(ROTATION_DAYS, scope.facts)
    if found.undecidable:
        yield Undecidable(found.path).finding()
    elif not 0 < (seconds(found.value) or 0) <= days * _DAY:
        yield Finding(f"`{found.path}` is {found.value}: it must be at most {days} days", property=found.path)


@reads("destroyScheduledDuration")
def _destroyed_late(scope: Scope) -> Iterator[Finding]:
    found = scope.one("destroyScheduledDuration")
    if found.undecidable:
        yield Undecidable(found.path).finding()
    elif found.value is not None and (seconds(found.value) or 0) < 30 * _DAY:
        yield Finding(f"`{found.path}` is {found.value}: it must be at least 30 days", property=found.path)


RULES: Final = (
    rule(
        "gcp-storage-customer-managed-key",
        "Every bucket is encrypted with a key of ours",
        _BUCKET,
        present("encryption.defaultKmsKeyName"),
        severity=Severity.HIGH,
        mend='Set `encryption={"default_kms_key_name": key.id}`.',
        url=f"{_GUIDE}encryption/customer-managed-keys",
        controls=c.ENCRYPTION_AT_REST,
    ),
    rule(
        "gcp-storage-no-public-access",
        "No bucket can be made public",
        _BUCKET,
        equals("publicAccessPrevention", "enforced"),
        severity=Severity.HIGH,
        mend='Set `public_access_prevention="enforced"`.',
        url=f"{_GUIDE}public-access-prevention",
        controls=(*c.NO_PUBLIC_ACCESS, *c.cis_gcp("5.1")),
    ),
    rule(
        "gcp-storage-uniform-access",
        "IAM alone says who reads a bucket, no object's own list",
        _BUCKET,
        equals("uniformBucketLevelAccess", True),
        severity=Severity.HIGH,
        mend="Set `uniform_bucket_level_access=True`.",
        url=f"{_GUIDE}uniform-bucket-level-access",
        controls=(*c.LEAST_PRIVILEGE, *c.cis_gcp("5.2")),
    ),
    rule(
        "gcp-storage-acl-not-public",
        "No access control list lets everybody in",
        (*_ACL_ENTRIES, *_ACLS, _DEFAULT_ACL),
        by_type(
            {
                **dict.fromkeys(_ACL_ENTRIES, not_matching("entity", _EVERYBODY, "everybody")),
                **dict.fromkeys(
                    _ACLS,
                    every(
                        not_matching("roleEntities[*]", rf"\w+:({_EVERYBODY})", "everybody"),
                        not_matching("predefinedAcl", "(?i)public-?read(-?write)?|authenticated-?read", "everybody's"),
                    ),
                ),
                _DEFAULT_ACL: not_matching("roleEntities[*]", rf"\w+:({_EVERYBODY})", "everybody"),
            }
        ),
        severity=Severity.CRITICAL,
        mend="Remove the entry; give a role with `gcp.storage.BucketIAMMember`.",
        url=f"{_GUIDE}access-control/lists",
        controls=(*c.NO_PUBLIC_ACCESS, *c.cis_gcp("5.1")),
    ),
    rule(
        "gcp-storage-versioned",
        "Every bucket keeps the versions of its objects, or holds them for a time",
        _BUCKET,
        either(equals("versioning.enabled", True), _LOCKED),
        severity=Severity.MEDIUM,
        mend='Set `versioning={"enabled": True}`.',
        url=f"{_GUIDE}object-versioning",
        controls=c.VERSIONING,
    ),
    rule(
        "gcp-storage-soft-delete",
        "Deleted objects can be had back for as many days as the environment asks",
        _BUCKET,
        _soft_deleted,
        severity=Severity.MEDIUM,
        mend='Set `soft_delete_policy={"retention_duration_seconds": 2592000}`.',
        url=f"{_GUIDE}soft-delete",
        controls=c.VERSIONING,
    ),
    rule(
        "gcp-storage-audit-retention",
        "What a bucket holds for a time it holds as long as the environment keeps audit records",
        _BUCKET,
        _kept_long_enough,
        severity=Severity.HIGH,
        mend="Set `retention_period` of `retention_policy` to the environment's `retention.audit_days`, in seconds.",
        url=f"{_GUIDE}bucket-lock",
        controls=(*c.LOG_RETENTION, *c.cis_gcp("2.3")),
    ),
    rule(
        "gcp-storage-retention-locked",
        "Where data must resist deletion, what a bucket holds for a time nobody can shorten",
        _BUCKET,
        where_setting(PROTECTED, only_where(_LOCKED, equals("retentionPolicy.isLocked", True))),
        severity=Severity.HIGH,
        mend="Set `is_locked=True` in `retention_policy`; it cannot be undone.",
        url=f"{_GUIDE}bucket-lock",
        controls=(*c.LOG_INTEGRITY, *c.cis_gcp("2.3")),
    ),
    rule(
        "gcp-storage-deletion",
        "Where data must resist deletion, no bucket is deleted with what it holds",
        _BUCKET,
        where_setting(PROTECTED, differs("forceDestroy", True)),
        severity=Severity.HIGH,
        mend="Remove `force_destroy=True`.",
        url="https://www.pulumi.com/registry/packages/gcp/api-docs/storage/bucket/",
        controls=c.DELETION_PROTECTION,
    ),
    rule(
        "gcp-kms-rotated",
        "Every key rotates as often as the environment asks",
        _KEY,
        only_where(equals("purpose", "ENCRYPT_DECRYPT", default="ENCRYPT_DECRYPT"), _rotates),
        severity=Severity.HIGH,
        mend='Set `rotation_period="7776000s"` (90 days).',
        url=f"{_KMS_GUIDE}key-rotation",
        controls=(*c.KEY_ROTATION, *c.cis_gcp("1.10")),
    ),
    rule(
        "gcp-kms-destroyed-late",
        "A key that is to be destroyed can be saved for 30 days",
        _KEY,
        _destroyed_late,
        severity=Severity.MEDIUM,
        mend='Set `destroy_scheduled_duration="2592000s"`, when the key is made.',
        url=f"{_KMS_GUIDE}destroy-restore",
        controls=(*c.KEY_MANAGEMENT, *c.DELETION_PROTECTION),
    ),
)
