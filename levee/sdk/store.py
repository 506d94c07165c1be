"""JSON files that several threads and processes share: what was read of an SDK."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def load(path: Path | None) -> dict[str, Any] | None:
    """What the file holds; ``None`` where there is none, or it cannot be read and is to be made anew."""
    if path is None:
        return None
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None


def save(path: Path | None, data: Mapping[str, Any]) -> None:
    """Write whole or not at all: several threads and processes share a cache."""
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.tmp")
    temporary.write_text(json.dumps(data, separators=(",", ":")), encoding="utf-8")
    temporary.replace(path)
