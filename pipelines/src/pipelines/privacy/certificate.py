"""What proves an erasure: one JSON object, written once into the audit store, signed with the masking key.

Nothing in it says who was erased but to somebody who holds the key and the value: they can make the keyed hash again.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from typing import Any, Final

from pipelines.errors import QualityError
from pipelines.privacy.keys import derived, key_id

KIND: Final = "erasures"
"""Folder of the certificates in a domain's audit."""


def signed(facts: Mapping[str, Any], key: bytes) -> dict[str, Any]:
    """Return the certificate of facts: with the HMAC-SHA256 of their canonical JSON."""
    value = hmac.digest(derived(key, "certificate"), _canonical(facts), "sha256").hex()
    return {**facts, "signature": {"algorithm": "HMAC-SHA256", "key_id": key_id(key), "value": value}}


def verify(certificate: Mapping[str, Any], key: bytes) -> None:
    """Check that a certificate is as it was written, and says that nothing was left.

    Raises:
        QualityError: it was signed with another key, was changed, or tells of something that was found.
    """
    signature = certificate.get("signature", {})
    facts = {name: value for name, value in certificate.items() if name != "signature"}
    where = f"erasure {certificate.get('erasure_id')}"
    if signature.get("key_id") != key_id(key):
        raise QualityError(f"the certificate was signed with the key {signature.get('key_id')}", where=where)
    if not hmac.compare_digest(str(signature.get("value")), signed(facts, key)["signature"]["value"]):
        raise QualityError("the certificate was changed after it was signed", where=where)
    if certificate.get("search", {}).get("found") != 0:
        raise QualityError("the certificate tells of what the search still found", where=where)


def _canonical(facts: Mapping[str, Any]) -> bytes:
    return json.dumps(facts, sort_keys=True, separators=(",", ":"), default=str).encode()
