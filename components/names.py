"""Physical names: the same for the same environment every time, inside each cloud's limits, and free of clashes.

Names that the whole world shares (buckets, storage accounts, vaults) end in six hexadecimal digits of the account they
are in, so that two companies, or two accounts of one, never ask for the same name. See ``docs/decisions/0006``.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from typing import Final

_DIGITS: Final = 6
_NAMESPACE: Final = uuid.UUID("6f6b2f0e-3c53-5d5e-9a0a-0f4f9d3a7c11")


def bucket(company: str, environment: str, purpose: str, *, account: str) -> str:
    """Name of an S3 or GCS bucket: 3 to 63 of ``a-z 0-9 -``.

    Args:
        company: Short name of the company.
        environment: Name of the environment.
        purpose: What is in it.
        account: Account or project that owns it; only its digest enters the name.

    Returns:
        A name without dots, which Databricks cannot use, and without ``goog``, which Google refuses.
    """
    return _fit(_words(company, environment, purpose), account, limit=63, separator="-")


def storage_account(company: str, environment: str, purpose: str, *, account: str) -> str:
    """Name of an Azure storage account: 3 to 24 of ``a-z 0-9``."""
    return _fit(_words(company, environment, purpose), account, limit=24, separator="")


def key_vault(company: str, environment: str, purpose: str, *, once: str) -> str:
    """Name of an Azure key vault: 3 to 24 of ``a-z 0-9 -``, a letter first, no two hyphens in a row.

    Args:
        company: Short name of the company.
        environment: Name of the environment.
        purpose: What is in it.
        once: Something that differs each time the vault is made anew: a vault that cannot be purged keeps its name for
            90 days after it was deleted.
    """
    return _fit(_words(company, environment, purpose), once, limit=24, separator="-")


def plain(*parts: str, limit: int = 63) -> str:
    """Name of a thing whose name only its own account sees: ``a-z 0-9 -``, cut to ``limit`` with a digest."""
    text = "-".join(_words(*parts))
    return text if len(text) <= limit else _fit(_words(*parts), text, limit=limit, separator="-")


def identifier(*parts: str) -> str:
    """An SQL identifier that needs no quotes: ``a-z 0-9 _``, a letter or ``_`` first, at most 255 long."""
    text = "_".join(_words(*parts)).replace("-", "_")
    return (text if text[:1].isalpha() else f"_{text}")[:255]


def guid(*parts: str) -> str:
    """A GUID that is the same for the same parts (UUID version 5), for Azure resources that are named by one."""
    return str(uuid.uuid5(_NAMESPACE, "\n".join(parts)))


def _words(*parts: str) -> list[str]:
    words = [re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-") for part in parts]
    return [word.replace("goog", "g") for word in words if word]


def _fit(words: list[str], account: str, *, limit: int, separator: str) -> str:
    """Join, begin with a letter, and end in a digest that also tells apart what was cut off."""
    whole = separator.join(word.replace("-", separator) for word in words)
    digest = hashlib.sha256(f"{account}\n{'/'.join(words)}".encode()).hexdigest()[:_DIGITS]
    room = limit - _DIGITS - len(separator)
    head = whole if whole[:1].isalpha() else f"x{whole}"
    return f"{head[:room].rstrip('-')}{separator}{digest}"
