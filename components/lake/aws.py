"""The lake on Amazon S3: a bucket a layer, one KMS key, and a bucket for the access logs."""

from __future__ import annotations

import json
from typing import ClassVar

import pulumi
import pulumi_aws as aws

from components import names
from components.lake import aws_policies as policies
from components.lake.lake import Aws, Lake, LakeArgs
from components.lake.lifecycle import LOCKED, Rule, rules
from pipelines.contracts import Layer

_LOGS = "logs"


class AwsLake(Lake):
    """A lake on S3.

    Attributes:
        target: Where it is.
        buckets: Bucket name by layer.
    """

    cloud: ClassVar[str] = "aws"

    def __init__(self, name: str, args: LakeArgs, target: Aws, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self.target = target
        child = pulumi.ResourceOptions(parent=self)
        key = _Key(f"{name}-key", args, target, child)
        logs = _Logs(f"{name}-{_LOGS}", args, target, child)
        stores = {
            layer: _Store(f"{name}-{layer.value}", layer, args, target, key=key.arn, logs=logs, opts=child)
            for layer in Layer
        }
        self.buckets = {layer: store.bucket for layer, store in stores.items()}
        urls = {layer: bucket.apply(lambda bucket: f"s3://{bucket}") for layer, bucket in self.buckets.items()}
        self.finish(urls, key.arn)


class _Key(pulumi.ComponentResource):
    """The key of the lake, rotated every year."""

    def __init__(self, name: str, args: LakeArgs, target: Aws, opts: pulumi.ResourceOptions) -> None:
        super().__init__("levee:lake:AwsKey", name, None, opts)
        key = aws.kms.Key(
            name,
            description=f"Lake of {args.environment}",
            policy=json.dumps(policies.key(target.account, target.region)),
            enable_key_rotation=True,
            rotation_period_in_days=365,
            deletion_window_in_days=7 if args.force_destroy else 30,
            tags=args.tags.aws(),
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        aws.kms.Alias(
            name,
            name=f"alias/{names.plain(args.company, args.environment, 'lake')}",
            target_key_id=key.key_id,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.arn = key.arn
        self.register_outputs({"arn": self.arn})


class _Bucket(pulumi.ComponentResource):
    """What every bucket of the lake has; the kinds below add the rest.

    Attributes:
        bucket: Name of the bucket, which is known before it exists.
    """

    def __init__(self, name: str, kind: str, opts: pulumi.ResourceOptions) -> None:
        super().__init__(f"levee:lake:{kind}", name, None, opts)
        self.name = name
        self.child = pulumi.ResourceOptions(parent=self)

    def make(self, args: LakeArgs, target: Aws, purpose: str, tags: dict[str, str], *, lock: bool = False) -> None:
        """The bucket itself: owned by the account, closed to the public, versioned."""
        bucket = aws.s3.Bucket(
            self.name,
            bucket=names.bucket(args.company, args.environment, purpose, account=target.account),
            object_lock_enabled=lock or None,
            force_destroy=args.force_destroy,
            tags=tags,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        self.bucket = bucket.bucket
        aws.s3.BucketPublicAccessBlock(
            self.name,
            bucket=self.bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self.child,
        )
        aws.s3.BucketOwnershipControls(
            self.name,
            bucket=self.bucket,
            rule=aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
            opts=self.child,
        )
        aws.s3.BucketVersioning(
            self.name,
            bucket=self.bucket,
            versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
            opts=self.child,
        )

    def encrypt(self, key: pulumi.Input[str] | None) -> None:
        """Encrypt with ``key``, or with S3's own where there is none; never with a key of the caller (SSE-C)."""
        aws.s3.BucketServerSideEncryptionConfiguration(
            self.name,
            bucket=self.bucket,
            rules=[
                aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                    apply_server_side_encryption_by_default=(
                        aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
                            sse_algorithm="aws:kms" if key else "AES256", kms_master_key_id=key
                        )
                    ),
                    bucket_key_enabled=bool(key) or None,
                    blocked_encryption_types=["SSE-C"],
                )
            ],
            opts=self.child,
        )

    def allow(self, document: policies.Document) -> None:
        """Attach the bucket policy."""
        aws.s3.BucketPolicy(self.name, bucket=self.bucket, policy=json.dumps(document), opts=self.child)

    def age(self, lifecycle: tuple[Rule, ...]) -> None:
        """Attach the lifecycle."""
        aws.s3.BucketLifecycleConfiguration(
            self.name,
            bucket=self.bucket,
            rules=[rule for neutral in lifecycle for rule in lifecycle_rules(neutral)],
            opts=self.child,
        )


class _Logs(_Bucket):
    """Where S3 writes who accessed what. S3 refuses KMS and object lock for the target of its access logs."""

    def __init__(self, name: str, args: LakeArgs, target: Aws, opts: pulumi.ResourceOptions) -> None:
        super().__init__(name, "AwsLogs", opts)
        self.make(args, target, _LOGS, args.tags.aws())
        self.encrypt(None)
        sources = [names.bucket(args.company, args.environment, layer, account=target.account) for layer in Layer]
        itself = names.bucket(args.company, args.environment, _LOGS, account=target.account)
        self.allow(policies.logs(itself, target.account, sources))
        self.age((Rule(_LOGS, expire_after_days=args.ageing.log_days, noncurrent_days=1),))
        self.register_outputs({"bucket": self.bucket})


class _Store(_Bucket):
    """The bucket of one layer."""

    def __init__(
        self,
        name: str,
        layer: Layer,
        args: LakeArgs,
        target: Aws,
        *,
        key: pulumi.Output[str],
        logs: _Logs,
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__(name, "AwsStore", opts)
        locked = layer in LOCKED
        self.make(args, target, layer.value, args.tags_of(layer).aws(), lock=locked)
        self.encrypt(key)
        itself = names.bucket(args.company, args.environment, layer, account=target.account)
        self.allow(policies.store(itself, target.account))
        self.age(rules(layer, args.ageing, args.datasets))
        aws.s3.BucketLogging(
            name,
            bucket=self.bucket,
            target_bucket=logs.bucket,
            target_prefix=f"{layer.value}/",
            target_object_key_format=aws.s3.BucketLoggingTargetObjectKeyFormatArgs(
                partitioned_prefix=aws.s3.BucketLoggingTargetObjectKeyFormatPartitionedPrefixArgs(
                    partition_date_source="EventTime"
                )
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[logs]),
        )
        if locked:
            self._retain(args)
        self.register_outputs({"bucket": self.bucket})

    def _retain(self, args: LakeArgs) -> None:
        retention = aws.s3.BucketObjectLockConfigurationRuleDefaultRetentionArgs(
            mode="COMPLIANCE" if args.lock else "GOVERNANCE", days=args.ageing.audit_days
        )
        aws.s3.BucketObjectLockConfiguration(
            self.name,
            bucket=self.bucket,
            rule=aws.s3.BucketObjectLockConfigurationRuleArgs(default_retention=retention),
            opts=self.child,
        )


def lifecycle_rules(rule: Rule) -> list[aws.s3.BucketLifecycleConfigurationRuleArgs]:
    """S3's words for a rule: one S3 rule for each prefix, since S3 has one prefix a rule."""
    return [_rule(rule, prefix) for prefix in rule.prefixes or ("",)]


def _rule(rule: Rule, prefix: str) -> aws.s3.BucketLifecycleConfigurationRuleArgs:
    tiers = [
        ("INTELLIGENT_TIERING", 0 if rule.by_access else None),
        ("STANDARD_IA", rule.cool_after_days),
        ("GLACIER_IR", rule.cold_after_days),
    ]
    replaced = rule.noncurrent_days
    return aws.s3.BucketLifecycleConfigurationRuleArgs(
        id=f"{rule.name}-{prefix.strip('/').replace('/', '-')}" if prefix else rule.name,
        status="Enabled",
        filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=prefix),
        transitions=[
            aws.s3.BucketLifecycleConfigurationRuleTransitionArgs(storage_class=tier, days=days)
            for tier, days in tiers
            if days is not None
        ],
        expiration=_expiration(rule),
        noncurrent_version_expiration=(
            aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(noncurrent_days=replaced)
            if replaced
            else None
        ),
        abort_incomplete_multipart_upload=(
            aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(days_after_initiation=7)
        ),
    )


def _expiration(rule: Rule) -> aws.s3.BucketLifecycleConfigurationRuleExpirationArgs | None:
    """Expiry by age, or the end of delete markers behind which no version is left.

    A marker would stay for ever, and every listing reads past it. Expiry by age ends markers by itself, and S3 takes
    one of the two in a rule. Source: Amazon S3 API Reference, "LifecycleExpiration".
    """
    if rule.expire_after_days:
        return aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=rule.expire_after_days)
    if rule.noncurrent_days:
        return aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(expired_object_delete_marker=True)
    return None
