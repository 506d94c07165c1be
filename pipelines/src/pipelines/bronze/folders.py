"""Fields that are told by the names of a delivery's folders, as Hive and Spark write them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from urllib.parse import unquote

HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"
"""What Hive and Spark call the folder of a null."""


def folder_fields(file: str, fields: Sequence[str]) -> Mapping[str, str | None]:
    """Return the fields that a file's folders tell, ``dt=2024-01-01/country=DE/part.csv``, where the contract has them.

    Args:
        file: Name of the delivery, relative to the landing folder.
        fields: Source fields of the contract.
    """
    if "=" not in file:
        return {}
    pairs = (part.partition("=") for part in PurePosixPath(file).parts[:-1] if "=" in part)
    told = {unquote(name): None if value == HIVE_NULL else unquote(value) for name, _, value in pairs}
    return {name: value for name, value in told.items() if name in fields}


def content_of(digest: str, file: str, fields: Sequence[str]) -> str:
    """Name a delivery's content, hexadecimal: the same bytes in another partition's folder are other rows.

    Args:
        digest: sha256 of its bytes.
        file: Name of the delivery.
        fields: Source fields of the contract.
    """
    told = folder_fields(file, fields)
    return hashlib.sha256(f"{digest}\n{json.dumps(told, sort_keys=True)}".encode()).hexdigest() if told else digest
