"""JSON files that several threads and processes share: what was read of an SDK."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from levee.files import write_whole


def load(path: Path | None) -> dict[str, Any] | None:
    """What the file holds; ``None`` where there is none, or it cannot be read and is to be made anew."""
    if path is None:
        return None
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None


def save(path: Path | None, data: Mapping[str, Any]) -> None:
    """Write the file; nothing where no cache is kept."""
    if path is not None:
        write_whole(path, json.dumps(data, separators=(",", ":")))
