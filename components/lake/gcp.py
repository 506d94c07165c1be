"""The lake on Google Cloud Storage: a bucket a layer, one Cloud KMS key, and a bucket for the usage logs."""

from __future__ import annotations

from typing import ClassVar, Final

import pulumi
import pulumi_gcp as gcp

from components import names
from components.lake.lake import Gcp, Lake, LakeArgs
from components.lake.lifecycle import LOCKED, TABLES, Rule, rules
from pipelines.contracts import Layer

_LOGS: Final = "logs"
_DAY: Final = 86_400
_SOFT_DELETE_DAYS: Final = (7, 90)
_RULES: Final = 100
_PREFIXES_A_RULE: Final = 50


class GcpLake(Lake):
    """A lake on Cloud Storage.

    Attributes:
        target: Where it is.
        buckets: Bucket name by layer.
    """

    cloud: ClassVar[str] = "gcp"

    def __init__(self, name: str, args: LakeArgs, target: Gcp, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self.target = target
        key = _Key(f"{name}-key", args, target, pulumi.ResourceOptions(parent=self))
        # Cloud Storage proves that it may use the key when a bucket is made with it.
        after = pulumi.ResourceOptions(parent=self, depends_on=[key])
        logs = _Logs(f"{name}-{_LOGS}", args, target, key.id, after)
        stores = {
            layer: _Store(f"{name}-{layer.value}", layer, args, target, key=key.id, logs=logs.bucket, opts=after)
            for layer in Layer
        }
        self.buckets = {layer: store.bucket for layer, store in stores.items()}
        urls = {layer: bucket.apply(lambda bucket: f"gs://{bucket}") for layer, bucket in self.buckets.items()}
        self.finish(urls, key.id)


class _Key(pulumi.ComponentResource):
    """The key of the lake, rotated every 90 days, usable by Cloud Storage's service agent alone."""

    def __init__(self, name: str, args: LakeArgs, target: Gcp, opts: pulumi.ResourceOptions) -> None:
        super().__init__("levee:lake:GcpKey", name, None, opts)
        # Without a name of ours: Google never deletes a key ring, so that one of the same name could not be made again.
        ring = gcp.kms.KeyRing(name, location=target.region, opts=pulumi.ResourceOptions(parent=self))
        key = gcp.kms.CryptoKey(
            name,
            key_ring=ring.id,
            purpose="ENCRYPT_DECRYPT",
            rotation_period=f"{90 * _DAY}s",
            destroy_scheduled_duration=f"{30 * _DAY}s",
            version_template=gcp.kms.CryptoKeyVersionTemplateArgs(
                algorithm="GOOGLE_SYMMETRIC_ENCRYPTION", protection_level="HSM" if target.hsm else "SOFTWARE"
            ),
            labels=args.tags.gcp(),
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        # Asked for, not spelled out: a project has no service agent of Cloud Storage until somebody asks for it.
        agent = gcp.storage.get_project_service_account_output(
            project=target.project, opts=pulumi.InvokeOutputOptions(parent=self)
        )
        gcp.kms.CryptoKeyIAMMember(
            name,
            crypto_key_id=key.id,
            role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
            member=agent.member,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.id = key.id
        self.register_outputs({"id": self.id})


class _Logs(pulumi.ComponentResource):
    """Where Cloud Storage writes its usage logs."""

    def __init__(
        self, name: str, args: LakeArgs, target: Gcp, key: pulumi.Output[str], opts: pulumi.ResourceOptions
    ) -> None:
        super().__init__("levee:lake:GcpLogs", name, None, opts)
        lifecycle = (Rule(_LOGS, expire_after_days=args.ageing.log_days, noncurrent_days=1),)
        bucket = _bucket(name, self, args, target, purpose=_LOGS, labels=args.tags.gcp(), key=key, lifecycle=lifecycle)
        gcp.storage.BucketIAMMember(
            name,
            bucket=bucket.name,
            role="roles/storage.objectCreator",
            member="group:cloud-storage-analytics@google.com",
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.bucket = bucket.name
        self.register_outputs({"bucket": self.bucket})


class _Store(pulumi.ComponentResource):
    """The bucket of one layer."""

    def __init__(
        self,
        name: str,
        layer: Layer,
        args: LakeArgs,
        target: Gcp,
        *,
        key: pulumi.Output[str],
        logs: pulumi.Output[str],
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__("levee:lake:GcpStore", name, None, opts)
        bucket = _bucket(
            name,
            self,
            args,
            target,
            purpose=layer.value,
            labels=args.tags_of(layer).gcp(),
            key=key,
            lifecycle=rules(layer, args.ageing, args.datasets),
            logs=logs,
        )
        self.bucket = bucket.name
        self.register_outputs({"bucket": self.bucket})


def _bucket(
    name: str,
    parent: pulumi.Resource,
    args: LakeArgs,
    target: Gcp,
    *,
    purpose: str,
    labels: dict[str, str],
    key: pulumi.Output[str],
    lifecycle: tuple[Rule, ...],
    logs: pulumi.Output[str] | None = None,
) -> gcp.storage.Bucket:
    """A bucket without ACLs, closed to the public, encrypted with the lake's key and no other."""
    locked = purpose in LOCKED
    soft = max(_SOFT_DELETE_DAYS[0], min(args.ageing.noncurrent_days, _SOFT_DELETE_DAYS[1]))
    return gcp.storage.Bucket(
        name,
        name=names.bucket(args.company, args.environment, purpose, account=target.project),
        location=target.region.upper(),
        storage_class="STANDARD",
        uniform_bucket_level_access=True,
        public_access_prevention="enforced",
        encryption=_encryption(key),
        # Cloud Storage refuses versioning on a bucket with a retention policy, which keeps every object anyway.
        versioning=None if locked else gcp.storage.BucketVersioningArgs(enabled=True),
        retention_policy=(
            gcp.storage.BucketRetentionPolicyArgs(
                retention_period=str(args.ageing.audit_days * _DAY), is_locked=args.lock
            )
            if locked
            else None
        ),
        soft_delete_policy=gcp.storage.BucketSoftDeletePolicyArgs(retention_duration_seconds=soft * _DAY),
        autoclass=(
            gcp.storage.BucketAutoclassArgs(enabled=True, terminal_storage_class="ARCHIVE")
            if purpose in TABLES
            else None
        ),
        lifecycle_rules=lifecycle_rules(lifecycle),
        logging=gcp.storage.BucketLoggingArgs(log_bucket=logs, log_object_prefix=purpose) if logs else None,
        force_destroy=args.force_destroy,
        labels=labels,
        opts=pulumi.ResourceOptions(parent=parent, protect=args.protect),
    )


def _encryption(key: pulumi.Output[str]) -> gcp.storage.BucketEncryptionArgs:
    refused = "FullyRestricted"
    return gcp.storage.BucketEncryptionArgs(
        default_kms_key_name=key,
        google_managed_encryption_enforcement_config=(
            gcp.storage.BucketEncryptionGoogleManagedEncryptionEnforcementConfigArgs(restriction_mode=refused)
        ),
        customer_supplied_encryption_enforcement_config=(
            gcp.storage.BucketEncryptionCustomerSuppliedEncryptionEnforcementConfigArgs(restriction_mode=refused)
        ),
    )


def lifecycle_rules(lifecycle: tuple[Rule, ...]) -> list[gcp.storage.BucketLifecycleRuleArgs]:
    """Google's words for rules: one action each.

    Raises:
        ValueError: More rules than a bucket may have.
    """
    found = [rule for neutral in lifecycle for rule in _rules(neutral)]
    if len(found) > _RULES:
        raise ValueError(
            f"{len(found)} lifecycle rules, a bucket may have {_RULES}: give datasets fewer different retentions"
        )
    return found


def _rules(rule: Rule) -> list[gcp.storage.BucketLifecycleRuleArgs]:
    found = []
    for start in range(0, max(len(rule.prefixes), 1), _PREFIXES_A_RULE):
        prefixes = list(rule.prefixes[start : start + _PREFIXES_A_RULE]) or None
        for storage_class, days in (("NEARLINE", rule.cool_after_days), ("ARCHIVE", rule.cold_after_days)):
            if days is not None:
                found.append(_rule("SetStorageClass", age=days, prefixes=prefixes, storage_class=storage_class))
        if rule.expire_after_days is not None:
            found.append(_rule("Delete", age=rule.expire_after_days, prefixes=prefixes))
        if rule.noncurrent_days is not None:
            condition = gcp.storage.BucketLifecycleRuleConditionArgs(
                days_since_noncurrent_time=rule.noncurrent_days, with_state="ARCHIVED", matches_prefixes=prefixes
            )
            action = gcp.storage.BucketLifecycleRuleActionArgs(type="Delete")
            found.append(gcp.storage.BucketLifecycleRuleArgs(action=action, condition=condition))
    if not rule.prefixes:
        condition = gcp.storage.BucketLifecycleRuleConditionArgs(age=7)
        action = gcp.storage.BucketLifecycleRuleActionArgs(type="AbortIncompleteMultipartUpload")
        found.append(gcp.storage.BucketLifecycleRuleArgs(action=action, condition=condition))
    return found


def _rule(
    action: str, *, age: int, prefixes: list[str] | None, storage_class: str | None = None
) -> gcp.storage.BucketLifecycleRuleArgs:
    return gcp.storage.BucketLifecycleRuleArgs(
        action=gcp.storage.BucketLifecycleRuleActionArgs(type=action, storage_class=storage_class),
        condition=gcp.storage.BucketLifecycleRuleConditionArgs(age=age, with_state="LIVE", matches_prefixes=prefixes),
    )
