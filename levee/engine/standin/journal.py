"""What the stand-in made up, could not decide or was told to break: JSON lines, flushed one by one.

Every line has ``kind`` and ``time`` (seconds since the epoch). The kinds and their fields are in
``docs/reference/simulated-cloud.md``.
"""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any, Literal, TextIO

Kind = Literal[
    "invented_lookup",
    "invented_config",
    "fidelity",
    "replacement_unknown",
    "fault",
    "open_enum",
    "unchecked_property",
    "unreadable_secret",
    "not_evaluated",
    "not_run",
]


class Journal:
    """Appends to one file; safe to share between threads.

    Args:
        path: The file, or ``None`` to drop every line (an ordinary plugin without ``--log``).
    """

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.Lock()
        self._file: TextIO | None = None
        self._once: set[str] = set()
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a", encoding="utf-8")

    def write(self, kind: Kind, *, once: str | None = None, **fields: Any) -> None:
        """Append one line.

        Args:
            kind: What happened.
            once: A key; a second line with the same kind and key is dropped.
            fields: JSON values. A caller passes no secrets.
        """
        with self._lock:
            if once is not None:
                key = f"{kind}|{once}"
                if key in self._once:
                    return
                self._once.add(key)
            if self._file is not None:
                line = {"kind": kind, "time": round(time.time(), 3), **fields}
                self._file.write(json.dumps(line, separators=(",", ":"), default=repr) + "\n")
                self._file.flush()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None
