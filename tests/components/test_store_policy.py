"""Whom the bucket policy of a store lets write, asked of the document by IAM's own rules for conditions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Final

import pytest

from components.lake import aws_policies

ACCOUNT: Final = "222222222222"
POLICY: Final = aws_policies.store("acme-gold", ACCOUNT)
OBJECT: Final = "arn:aws:s3:::acme-gold/sales/part-0.parquet"
ENCRYPTION: Final = "s3:x-amz-server-side-encryption"
JOB: Final[Mapping[str, str]] = {
    "aws:PrincipalAccount": ACCOUNT,
    "aws:PrincipalIsAWSService": "false",
    "aws:SecureTransport": "true",
    "s3:TlsVersion": "1.3",
}
"""The condition keys of an ordinary request: one of our roles, over TLS, without a word on encryption."""

OPERATORS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "StringEquals": lambda found, wanted: found == wanted,
    "StringNotEquals": lambda found, wanted: found != wanted,
    "Bool": lambda found, wanted: found.lower() == wanted.lower(),
    "NumericLessThan": lambda found, wanted: float(found) < float(wanted),
}


def holds(operator: str, value: str | None, wanted: str) -> bool:
    """One condition on one key, as IAM reads it.

    Source: AWS IAM User Guide, "IAM JSON policy elements: Condition operators": an absent key matches ``Null: true``,
    every operator that ends in ``IfExists``, and every negated one.
    """
    if operator == "Null":
        return (value is None) == (wanted == "true")
    plain = operator.removesuffix("IfExists")
    if value is None:
        return plain != operator or "Not" in plain
    return OPERATORS[plain](value, wanted)


def refusals(action: str, resource: str, request: Mapping[str, str]) -> list[str]:
    """Ids of the statements that deny a request: every condition of a statement must hold."""
    return [
        statement["Sid"]
        for statement in POLICY["Statement"]
        if statement["Effect"] == "Deny"
        and any(fnmatchcase(action, pattern) for pattern in statement["Action"])
        and any(fnmatchcase(resource, pattern) for pattern in statement["Resource"])
        and all(
            holds(operator, request.get(key), wanted)
            for operator, keys in statement["Condition"].items()
            for key, wanted in keys.items()
        )
    ]


@pytest.mark.parametrize(
    ("request_keys", "refused"),
    [
        pytest.param({}, [], id="no header: the bucket's own key"),
        pytest.param({ENCRYPTION: "aws:kms"}, [], id="the key named"),
        pytest.param({ENCRYPTION: "AES256"}, ["DenyOtherEncryption"], id="S3's own key"),
        pytest.param({ENCRYPTION: "aws:kms:dsse"}, ["DenyOtherEncryption"], id="another kind of KMS"),
        pytest.param({"aws:SecureTransport": "false"}, ["DenyInsecureTransport"], id="http"),
        pytest.param({"s3:TlsVersion": "1.1"}, ["DenyOldTls"], id="TLS 1.1"),
        pytest.param({"aws:PrincipalAccount": "999999999999"}, ["DenyOtherAccounts"], id="another account"),
    ],
)
def test_a_write_is_refused_for_what_is_wrong_with_it(request_keys: dict[str, str], refused: list[str]) -> None:
    assert refusals("s3:PutObject", OBJECT, {**JOB, **request_keys}) == refused


def test_nobody_is_refused_as_somebody() -> None:
    nobody = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3"}
    assert refusals("s3:GetObject", OBJECT, nobody) == ["DenyOtherAccounts"]


def test_a_service_of_aws_is_no_outsider() -> None:
    service = {"aws:PrincipalIsAWSService": "true", "aws:SecureTransport": "true", "s3:TlsVersion": "1.3"}
    assert refusals("s3:PutObject", OBJECT, service) == []


def test_reading_asks_for_no_encryption() -> None:
    assert refusals("s3:GetObject", OBJECT, {**JOB, ENCRYPTION: "AES256"}) == []
