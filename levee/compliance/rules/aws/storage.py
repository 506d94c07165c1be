"""S3: no public access, TLS only, customer-managed keys, versions, logs, retention."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from levee.compliance.rule import Finding, Severity
from levee.compliance.rules import controls as c
from levee.compliance.rules.aws.common import customer_key, security_hub
from levee.compliance.rules.aws.policy import Statement, covers, many, not_public, principals, some_statement
from levee.compliance.rules.build import rule
from levee.compliance.rules.checks import (
    Check,
    at_least,
    by_type,
    differs,
    each,
    either,
    equals,
    every,
    not_matching,
    one_of,
    present,
    reads,
    unless,
    where_setting,
)
from levee.compliance.rules.relations import attached, beside
from levee.compliance.rules.scope import Scope
from levee.compliance.rules.settings import AUDIT_DAYS, PROTECTED, setting_value

BUCKET: Final = "aws:s3/bucket:Bucket"
BUCKET_V2: Final = "aws:s3/bucketV2:BucketV2"
BUCKETS: Final = (BUCKET, BUCKET_V2)
_ACL: Final = ("aws:s3/bucketAcl:BucketAcl", "aws:s3/bucketAclV2:BucketAclV2")
_ACCOUNT_BLOCK: Final = "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock"
_BLOCK: Final = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
_ENCRYPTION: Final = (
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2",
)
_LOCK: Final = (
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
    "aws:s3/bucketObjectLockConfigurationV2:BucketObjectLockConfigurationV2",
)
_LOGGING: Final = ("aws:s3/bucketLogging:BucketLogging", "aws:s3/bucketLoggingV2:BucketLoggingV2")
_OWNERSHIP: Final = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
_POLICY: Final = "aws:s3/bucketPolicy:BucketPolicy"
_VERSIONING: Final = ("aws:s3/bucketVersioning:BucketVersioning", "aws:s3/bucketVersioningV2:BucketVersioningV2")
_S3_GUIDE: Final = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/"


def _own_or(separate: Check, inline: Check) -> Check:
    """As a resource of its own, or as the bucket's inline property that provider 7 still reads."""
    return by_type({BUCKET: unless(inline, separate), BUCKET_V2: separate})


def _refuses_plain_http(statement: Statement) -> bool:
    tests = (statement.get("Condition") or {}).get("Bool") or {}
    secure = next((value for key, value in tests.items() if key.lower() == "aws:securetransport"), None)
    return (
        statement.get("Effect") == "Deny"
        and "*" in principals(statement)
        and covers(statement, "s3:GetObject")
        and [str(value).lower() for value in many(secure)] == ["false"]
    )


@reads("rule.defaultRetention.days", "rule.defaultRetention.years", settings=(AUDIT_DAYS,))
def _kept_for_audit(scope: Scope) -> Iterator[Finding]:
    years = at_least("rule.defaultRetention.years", setting_value(AUDIT_DAYS, scope.facts) / 366)
    yield from either(at_least("rule.defaultRetention.days", AUDIT_DAYS), years).run(scope)


_ALL_BLOCKED: Final = every(
    equals("blockPublicAcls", True),
    equals("blockPublicPolicy", True),
    equals("ignorePublicAcls", True),
    equals("restrictPublicBuckets", True),
)
_PRIVATE_ACL: Final = differs("acl", "public-read", "public-read-write", "authenticated-read")
_EVERYBODY: Final = r"https?://acs\.amazonaws\.com/groups/global/(AllUsers|AuthenticatedUsers)"


def _grants_private(path: str) -> Check:
    """No grant of an access control list is to one of S3's two groups of everybody."""
    return not_matching(path, _EVERYBODY, "everybody")


_IS_LOG_TARGET: Final = attached(*_LOGGING, by="targetBucket", wanted="an aws.s3.BucketLogging")
_TLS_ONLY: Final = some_statement(
    "policy", _refuses_plain_http, "denies s3:* to everybody where aws:SecureTransport is false"
)
_BY_CUSTOMER_KEY: Final = each(
    "rules[*].applyServerSideEncryptionByDefault",
    every(one_of("sseAlgorithm", "aws:kms", "aws:kms:dsse"), customer_key("kmsMasterKeyId")),
)

RULES: Final = (
    rule(
        "aws-s3-public-access-blocked",
        "Every bucket is held to blocking public access in all four ways",
        BUCKETS,
        either(
            attached(
                _BLOCK, by="bucket", check=_ALL_BLOCKED, wanted="an aws.s3.BucketPublicAccessBlock with all four True"
            ),
            beside(_ACCOUNT_BLOCK, check=_ALL_BLOCKED, wanted="an aws.s3.AccountPublicAccessBlock with all four True"),
        ),
        severity=Severity.MEDIUM,  # S3 blocks a new bucket by itself since April 2023, until somebody switches it off
        mend="Add `aws.s3.BucketPublicAccessBlock(name, bucket=bucket.id, block_public_acls=True, "
        "block_public_policy=True, ignore_public_acls=True, restrict_public_buckets=True)`.",
        url=security_hub("s3", 8),
        controls=(*c.NO_PUBLIC_ACCESS, *c.cis_aws("2.1.4")),
    ),
    rule(
        "aws-s3-public-access-block-whole",
        "No public access block leaves one of the four ways open",
        _BLOCK,
        _ALL_BLOCKED,
        severity=Severity.HIGH,
        mend="Set all four of `block_public_acls`, `block_public_policy`, `ignore_public_acls` and "
        "`restrict_public_buckets` to True; what is left out is False.",
        url=security_hub("s3", 8),
        controls=(*c.NO_PUBLIC_ACCESS, *c.cis_aws("2.1.4")),
    ),
    rule(
        "aws-s3-account-public-access-blocked",
        "The account blocks public access to all its buckets in all four ways",
        _ACCOUNT_BLOCK,
        _ALL_BLOCKED,
        severity=Severity.HIGH,
        mend="Set all four of `block_public_acls`, `block_public_policy`, `ignore_public_acls` and "
        "`restrict_public_buckets` to True.",
        url=security_hub("s3", 1),
        controls=(*c.NO_PUBLIC_ACCESS, *c.cis_aws("2.1.4")),
    ),
    rule(
        "aws-s3-acl-not-public",
        "No access control list opens a bucket to everybody",
        (*BUCKETS, *_ACL),
        by_type(
            {
                **dict.fromkeys(BUCKETS, every(_PRIVATE_ACL, _grants_private("grants[*].uri"))),
                **dict.fromkeys(
                    _ACL, every(_PRIVATE_ACL, _grants_private("accessControlPolicy.grants[*].grantee.uri"))
                ),
            }
        ),
        severity=Severity.CRITICAL,
        mend="Remove `acl` or the grant, and give access by a bucket policy that names its principals.",
        url=f"{_S3_GUIDE}acl-overview.html",
        controls=(*c.NO_PUBLIC_ACCESS, *c.cis_aws("2.1.4")),
    ),
    rule(
        "aws-s3-policy-not-public",
        "No bucket policy lets everybody in",
        (_POLICY, *BUCKETS),
        not_public("policy"),
        severity=Severity.CRITICAL,
        mend="Name the principals in the statement, or narrow it by a condition such as `aws:PrincipalOrgID`.",
        url=f"{_S3_GUIDE}access-control-block-public-access.html#access-control-block-public-access-policy-status",
        controls=c.NO_PUBLIC_ACCESS,
    ),
    rule(
        "aws-s3-tls-only",
        "Every bucket refuses requests without TLS",
        BUCKETS,
        unless(
            _TLS_ONLY,
            attached(_POLICY, by="bucket", check=_TLS_ONLY, wanted="an aws.s3.BucketPolicy that denies plain HTTP"),
        ),
        severity=Severity.MEDIUM,
        mend="Add to the bucket policy a Deny of `s3:*` for Principal `*` with the condition "
        '`{"Bool": {"aws:SecureTransport": "false"}}`.',
        url=security_hub("s3", 5),
        controls=(*c.ENCRYPTION_IN_TRANSIT, *c.cis_aws("2.1.1")),
    ),
    rule(
        "aws-s3-customer-managed-key",
        "Every bucket but the target of access logs is encrypted with a customer-managed key",
        BUCKETS,
        unless(
            _IS_LOG_TARGET,  # "Enabling Amazon S3 server access logging": the target takes SSE-S3 only
            _own_or(
                attached(
                    *_ENCRYPTION,
                    by="bucket",
                    check=_BY_CUSTOMER_KEY,
                    wanted="an aws.s3.BucketServerSideEncryptionConfiguration with a KMS key of your own",
                ),
                customer_key(
                    "serverSideEncryptionConfiguration.rule.applyServerSideEncryptionByDefault.kmsMasterKeyId"
                ),
            ),
        ),
        severity=Severity.MEDIUM,
        mend='Add `aws.s3.BucketServerSideEncryptionConfiguration` with `sse_algorithm="aws:kms"` and '
        "`kms_master_key_id=key.arn`.",
        url=security_hub("s3", 17),
        controls=(*c.ENCRYPTION_AT_REST, *c.KEY_MANAGEMENT),
    ),
    rule(
        "aws-s3-versioning-enabled",
        "Every bucket keeps the versions of its objects",
        BUCKETS,
        _own_or(
            attached(
                *_VERSIONING,
                by="bucket",
                check=equals("versioningConfiguration.status", "Enabled"),
                wanted="an aws.s3.BucketVersioning with status Enabled",
            ),
            equals("versioning.enabled", True),
        ),
        severity=Severity.MEDIUM,
        mend='Add `aws.s3.BucketVersioning(name, bucket=bucket.id, versioning_configuration={"status": "Enabled"})`.',
        url=security_hub("s3", 14),
        controls=c.VERSIONING,
    ),
    rule(
        "aws-s3-access-logged",
        "Every bucket but the target of access logs records who accesses it",
        BUCKETS,
        unless(
            _IS_LOG_TARGET,
            _own_or(
                attached(*_LOGGING, by="bucket", wanted="an aws.s3.BucketLogging"), present("logging.targetBucket")
            ),
        ),
        severity=Severity.MEDIUM,
        mend="Add `aws.s3.BucketLogging(name, bucket=bucket.id, target_bucket=logs.id, target_prefix=...)`.",
        url=security_hub("s3", 9),
        controls=c.AUDIT_LOGS,
    ),
    rule(
        "aws-s3-acls-disabled",
        "No bucket's access control lists are switched back on",
        _OWNERSHIP,  # a bucket without one is so by itself since April 2023
        equals("rule.objectOwnership", "BucketOwnerEnforced"),
        severity=Severity.MEDIUM,
        mend='Set `rule={"object_ownership": "BucketOwnerEnforced"}`.',
        url=security_hub("s3", 12),
        controls=c.LEAST_PRIVILEGE,
    ),
    rule(
        "aws-s3-lock-keeps-audit-records",
        "What object lock keeps, it keeps as long as the environment keeps audit records",
        _LOCK,
        _kept_for_audit,
        severity=Severity.HIGH,
        mend="Raise `days` or `years` of `default_retention` to the environment's `retention.audit_days`.",
        url=f"{_S3_GUIDE}object-lock.html",
        controls=(*c.LOG_RETENTION, *c.LOG_INTEGRITY),
    ),
    rule(
        "aws-s3-kept-from-being-emptied",
        "Where stores are protected, no bucket may be emptied to be destroyed",
        BUCKETS,
        where_setting(PROTECTED, differs("forceDestroy", True)),
        severity=Severity.HIGH,
        mend="Remove `force_destroy=True`.",
        url=f"{_S3_GUIDE}delete-bucket.html",
        controls=c.DELETION_PROTECTION,
    ),
)
