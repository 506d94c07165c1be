"""KMS, Secrets Manager and SSM parameters: keys that rotate, secrets that are secret."""

from __future__ import annotations

from typing import Final

from levee.compliance.rule import Severity
from levee.compliance.rules import controls as c
from levee.compliance.rules.aws.common import customer_key, security_hub
from levee.compliance.rules.aws.policy import not_public
from levee.compliance.rules.build import rule
from levee.compliance.rules.checks import at_least, at_most, equals, every, only_where, where_setting
from levee.compliance.rules.relations import attached
from levee.compliance.rules.secrets import kept_secret
from levee.compliance.rules.settings import PROTECTED, ROTATION_DAYS

KEY: Final = "aws:kms/key:Key"
_KMS_GUIDE: Final = "https://docs.aws.amazon.com/kms/latest/developerguide/"

_SYMMETRIC: Final = every(
    equals("customerMasterKeySpec", "SYMMETRIC_DEFAULT", default="SYMMETRIC_DEFAULT"),
    equals("keyUsage", "ENCRYPT_DECRYPT", default="ENCRYPT_DECRYPT"),
)
_ROTATED: Final = every(equals("enableKeyRotation", True), at_most("rotationPeriodInDays", ROTATION_DAYS, default=365))

RULES: Final = (
    rule(
        "aws-kms-key-rotated",
        "Every symmetric key rotates, at least as often as the environment asks",
        KEY,
        only_where(_SYMMETRIC, _ROTATED),
        severity=Severity.HIGH,
        mend="Set `enable_key_rotation=True`, and `rotation_period_in_days=365` or less.",
        url=security_hub("kms", 4),
        controls=(*c.KEY_ROTATION, *c.cis_aws("3.6")),
    ),
    rule(
        "aws-kms-policy-not-public",
        "No key policy lets everybody use the key",
        KEY,
        not_public("policy"),
        severity=Severity.CRITICAL,
        mend="Name the principals in the statement, or narrow it by the condition `kms:CallerAccount`.",
        url=security_hub("kms", 5),
        controls=(*c.KEY_MANAGEMENT, *c.NO_PUBLIC_ACCESS),
    ),
    rule(
        "aws-kms-deletion-takes-a-month",
        "Where stores are protected, a key's deletion can be called off for 30 days",
        KEY,
        where_setting(PROTECTED, at_least("deletionWindowInDays", 30, default=30)),
        severity=Severity.MEDIUM,
        mend="Set `deletion_window_in_days=30`.",
        url=f"{_KMS_GUIDE}deleting-keys.html",
        controls=c.DELETION_PROTECTION,
    ),
    rule(
        "aws-secretsmanager-customer-managed-key",
        "Every secret is encrypted with a customer-managed key",
        "aws:secretsmanager/secret:Secret",
        customer_key("kmsKeyId"),
        severity=Severity.LOW,
        mend="Set `kms_key_id=key.arn`.",
        url="https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html",
        controls=c.KEY_MANAGEMENT,
    ),
    rule(
        "aws-secretsmanager-rotated",
        "Every secret is rotated",
        "aws:secretsmanager/secret:Secret",
        attached(
            "aws:secretsmanager/secretRotation:SecretRotation",
            by="secretId",
            check=equals("rotationEnabled", True, default=True),
            wanted="an aws.secretsmanager.SecretRotation",
        ),
        severity=Severity.LOW,
        mend="Add `aws.secretsmanager.SecretRotation(name, secret_id=secret.id, rotation_lambda_arn=..., "
        'rotation_rules={"automatically_after_days": 30})`.',
        url=security_hub("secretsmanager", 1),
        controls=(*c.SECRETS, *c.pci("8.6.3")),
    ),
    rule(
        "aws-secretsmanager-policy-not-public",
        "No secret's policy lets everybody read it",
        ("aws:secretsmanager/secretPolicy:SecretPolicy", "aws:secretsmanager/secret:Secret"),
        not_public("policy"),
        severity=Severity.CRITICAL,
        mend="Name the principals in the statement, and set `block_public_policy=True` on the SecretPolicy.",
        url="https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_resource-policies.html",
        controls=c.NO_PUBLIC_ACCESS,
    ),
    rule(
        "aws-secretsmanager-value-secret",
        "A secret's value is a secret to Pulumi too",
        "aws:secretsmanager/secretVersion:SecretVersion",
        kept_secret("secretString"),
        severity=Severity.CRITICAL,
        mend='Wrap the value: `secret_string=pulumi.Output.secret(value)`, or `config.require_secret("name")`.',
        url="https://www.pulumi.com/docs/iac/concepts/secrets/",
        controls=c.SECRETS,
    ),
    rule(
        "aws-ssm-secure-parameter-customer-managed-key",
        "Every secure parameter is encrypted with a customer-managed key",
        "aws:ssm/parameter:Parameter",
        only_where(equals("type", "SecureString"), customer_key("keyId")),
        severity=Severity.LOW,
        mend="Set `key_id=key.arn`.",
        url="https://docs.aws.amazon.com/systems-manager/latest/userguide/secure-string-parameter-kms-encryption.html",
        controls=c.KEY_MANAGEMENT,
    ),
    rule(
        "aws-ssm-secure-parameter-value-secret",
        "A secure parameter's value is a secret to Pulumi too",
        "aws:ssm/parameter:Parameter",
        only_where(equals("type", "SecureString"), kept_secret("value")),
        severity=Severity.CRITICAL,
        mend='Wrap the value: `value=pulumi.Output.secret(value)`, or `config.require_secret("name")`.',
        url="https://www.pulumi.com/docs/iac/concepts/secrets/",
        controls=c.SECRETS,
    ),
)
