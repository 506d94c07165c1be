"""The policy documents of a lake on AWS, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

Document: TypeAlias = Mapping[str, Any]

_KEY_ADMINISTRATION: Final = (
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:CreateGrant",
    "kms:DeleteAlias",
    "kms:DescribeKey",
    "kms:DisableKey",
    "kms:DisableKeyRotation",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListAliases",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListKeyRotations",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:RevokeGrant",
    "kms:RotateKeyOnDemand",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
)
_KEY_USE: Final = ("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*")


def key(account: str, region: str) -> Document:
    """Key policy: the account administers the key and cannot read with it; it is used through S3 only.

    Both statements name the account, which delegates to its IAM policies: nobody has either right by this policy
    alone. Source: AWS KMS Developer Guide, "Default key policy" and "kms:ViaService".
    """
    root = {"AWS": f"arn:aws:iam::{account}:root"}
    through_s3 = {"kms:ViaService": f"s3.{region}.amazonaws.com", "kms:CallerAccount": account}
    return _document(
        {"Sid": "Administer", "Effect": "Allow", "Principal": root, "Action": _KEY_ADMINISTRATION, "Resource": "*"},
        {
            "Sid": "UseThroughS3",
            "Effect": "Allow",
            "Principal": root,
            "Action": _KEY_USE,
            "Resource": "*",
            "Condition": {"StringEquals": through_s3},
        },
    )


def store(bucket: str, account: str) -> Document:
    """Bucket policy of a layer: TLS 1.2 or newer, KMS encryption, and nobody from outside the account.

    A request that names no encryption gets the bucket's own, so only one that names another is refused. Both conditions
    are needed: a negated operator, with ``IfExists`` too, is true where its key is absent. Source: AWS IAM User Guide,
    "IAM JSON policy elements: Condition operators".
    """
    header = "s3:x-amz-server-side-encryption"
    not_kms = {"Null": {header: "false"}, "StringNotEquals": {header: "aws:kms"}}
    return _document(
        *_transport(bucket),
        _deny("DenyOtherEncryption", ("s3:PutObject",), (f"arn:aws:s3:::{bucket}/*",), not_kms),
        _outsiders(bucket, account),
    )


def logs(bucket: str, account: str, sources: Sequence[str]) -> Document:
    """Bucket policy of the access logs: S3's log delivery writes, for our buckets only.

    Source: Amazon S3 User Guide, "Enabling Amazon S3 server access logging", bucket policy.
    """
    delivery = {
        "Sid": "LogDelivery",
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": ["s3:PutObject"],
        "Resource": [f"arn:aws:s3:::{bucket}/*"],
        "Condition": {
            "StringEquals": {"aws:SourceAccount": account},
            "ArnLike": {"aws:SourceArn": [f"arn:aws:s3:::{source}" for source in sources]},
        },
    }
    return _document(*_transport(bucket), _outsiders(bucket, account), delivery)


def _transport(bucket: str) -> tuple[Document, Document]:
    both = (f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*")
    return (
        _deny("DenyInsecureTransport", ("s3:*",), both, {"Bool": {"aws:SecureTransport": "false"}}),
        _deny("DenyOldTls", ("s3:*",), both, {"NumericLessThan": {"s3:TlsVersion": "1.2"}}),
    )


def _outsiders(bucket: str, account: str) -> Document:
    both = (f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*")
    outside = {
        "StringNotEquals": {"aws:PrincipalAccount": account},
        "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
    }
    return _deny("DenyOtherAccounts", ("s3:*",), both, outside)


def _deny(sid: str, actions: Sequence[str], resources: Sequence[str], condition: Document) -> Document:
    return {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": list(actions),
        "Resource": list(resources),
        "Condition": condition,
    }


def _document(*statements: Document) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}
