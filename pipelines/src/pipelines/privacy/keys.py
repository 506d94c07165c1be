"""The masking key: read where it is used, known elsewhere by its id.

One key serves every purpose through a key of its own for each (`derived`), as NIST SP 800-108r1 has it: what is learnt
of one says nothing of another.
"""

from __future__ import annotations

import hmac
from functools import lru_cache

from pipelines.errors import UsageError
from pipelines.secret_references import SecretReference

SHORTEST = 32
"""Bytes that HMAC-SHA256 wants of a key (RFC 2104, section 3)."""
ID_CHARACTERS = 8


def read_key(reference: SecretReference | None) -> bytes:
    """Return the masking key.

    Args:
        reference: Where it is; ``None`` where the surroundings name none.

    Raises:
        UsageError: there is none, it is not there or is open to others, or it is too short.
        PipelineError: the disk or the mount failed.
    """
    if reference is None:
        raise UsageError(
            "a column must be masked and no key is set",
            fix=f"set LEVEE_PSEUDONYM_KEY_FILE to a file of mode 0600 that holds at least {SHORTEST} random bytes",
        )
    key = reference.read()
    if len(key) < SHORTEST:
        raise UsageError(
            f"the masking key has {len(key)} bytes; HMAC-SHA256 wants {SHORTEST} or more (RFC 2104, section 3)",
            where=str(reference),
            fix="make a new key with `openssl rand -hex 32`, and mask anew with it: `levee privacy rotate`",
        )
    return key


@lru_cache(maxsize=64)
def derived(key: bytes, purpose: str) -> bytes:
    """Return the key of one purpose, 32 bytes."""
    return hmac.digest(key, b"levee/" + purpose.encode(), "sha256")


def key_id(key: bytes) -> str:
    """Return what a key is called in records: it tells two keys apart, and nothing else of them."""
    return derived(key, "id").hex()[:ID_CHARACTERS]


def subject_hash(key: bytes, subject_type: str, value: str) -> str:
    """Return the keyed hash under which a subject is remembered after its erasure."""
    return hmac.digest(derived(key, f"subject/{subject_type}"), value.encode(), "sha256").hex()
