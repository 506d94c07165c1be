"""Progress events of a task, one JSON line each, for whoever draws the bars.

``{"task": "bronze sales.online_retail", "done": 120, "total": 305, "unit": "files"}``
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a task says how far it is.

    Attributes:
        task: What is being done.
        sink: File that lines are appended to; ``None``: nobody listens.
    """

    task: str
    sink: Path | None

    def report(self, done: int, total: int, unit: str) -> None:
        """Say that `done` of `total` units are done. A listener that is gone is no reason to stop."""
        if self.sink is None:
            return
        line = json.dumps({"task": self.task, "done": done, "total": total, "unit": unit})
        with self.sink.open("a", encoding="utf-8") as sink:
            sink.write(line + "\n")
