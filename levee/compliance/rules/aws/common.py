"""Where AWS explains what the rules ask for, and what they have in common."""

from __future__ import annotations

from typing import Final

from levee.compliance.rules.checks import Check
from levee.compliance.rules.relations import refers_to

KEYS: Final = ("aws:kms/key:Key", "aws:kms/alias:Alias", "aws:kms/replicaKey:ReplicaKey")
"""The types that a customer-managed key is referred to by."""

_NOT_OF_AWS: Final = r"(?!.*alias/aws/).+"


def security_hub(service: str, number: int) -> str:
    """The page and paragraph of a control in the AWS Security Hub User Guide: ``S3.8``."""
    return f"https://docs.aws.amazon.com/securityhub/latest/userguide/{service}-controls.html#{service}-{number}"


def customer_key(path: str) -> Check:
    """The property names a key that the customer manages: one of the stack's, or a literal that is not AWS's own."""
    return refers_to(path, *KEYS, pattern=_NOT_OF_AWS, wanted="a customer-managed KMS key")
