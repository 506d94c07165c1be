"""S3: no public access, TLS only, customer-managed keys, versions, access logs, a locked audit store."""

from __future__ import annotations

from typing import Final

from levee.compliance.rule import Severity
from levee.compliance.rules import controls as c
from levee.compliance.rules.build import rule
from levee.compliance.rules.checks import equals, every
from levee.compliance.rules.relations import attached

BUCKETS: Final = ("aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2")
_BLOCK: Final = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
_VERSIONING: Final = ("aws:s3/bucketVersioning:BucketVersioning", "aws:s3/bucketVersioningV2:BucketVersioningV2")
_GUIDE: Final = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/"

_ALL_BLOCKED: Final = every(
    equals("blockPublicAcls", True),
    equals("blockPublicPolicy", True),
    equals("ignorePublicAcls", True),
    equals("restrictPublicBuckets", True),
)

RULES: Final = (
    rule(
        "aws-s3-public-access-blocked",
        "Every bucket blocks public access in all four ways",
        BUCKETS,
        attached(
            _BLOCK, by="bucket", check=_ALL_BLOCKED, wanted="an aws.s3.BucketPublicAccessBlock with all four True"
        ),
        severity=Severity.HIGH,
        mend="Add `aws.s3.BucketPublicAccessBlock(name, bucket=bucket.id, block_public_acls=True, "
        "block_public_policy=True, ignore_public_acls=True, restrict_public_buckets=True)`.",
        url=f"{_GUIDE}access-control-block-public-access.html",
        controls=(*c.NO_PUBLIC_ACCESS, *c.cis_aws("2.1.4")),
    ),
    rule(
        "aws-s3-versioning-enabled",
        "Every bucket keeps the versions of its objects",
        BUCKETS,
        attached(
            *_VERSIONING,
            by="bucket",
            check=equals("versioningConfiguration.status", "Enabled"),
            wanted="an aws.s3.BucketVersioning with status Enabled",
        ),
        severity=Severity.MEDIUM,
        mend='Add `aws.s3.BucketVersioning(name, bucket=bucket.id, versioning_configuration={"status": "Enabled"})`.',
        url=f"{_GUIDE}Versioning.html",
        controls=c.VERSIONING,
    ),
)
