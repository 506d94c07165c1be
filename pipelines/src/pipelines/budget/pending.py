"""How many bytes a task will read, known before it starts: what has landed, and what the ledger knows of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.bronze.storage import list_files
from pipelines.ledger import Ledger, Status, latest
from pipelines.observe.facts import TaskRun
from pipelines.settings import Layer

if TYPE_CHECKING:
    from pipelines.engine import Engine


def pending_bytes(engine: Engine, run: TaskRun) -> int | None:
    """Bytes of deliveries that a bronze or silver task has before it; ``None`` for tasks that read no deliveries."""
    if run.contract.ingestion is None or run.task not in ("bronze", "silver", "replay"):
        return None
    ledger = Ledger(engine, run.settings)
    taken = ledger.entries(Layer.BRONZE, run.contract.dataset)
    if run.task == "bronze":
        seen = {(entry.file, entry.size, entry.modified) for entry in taken}
        landed = list_files(run.settings.deliveries(run.contract.dataset), run.contract.ingestion.takes)
        return sum(stored.size for stored in landed if (stored.name, stored.size, stored.modified) not in seen)
    there = {sha: entry for sha, entry in latest(taken).items() if entry.status is Status.COMMITTED}
    if run.task == "silver":
        refined = latest(ledger.entries(Layer.SILVER, run.contract.dataset))
        done = {sha for sha, entry in refined.items() if entry.status is Status.COMMITTED}
        there = {sha: entry for sha, entry in there.items() if sha not in done}
    return sum(entry.size for entry in there.values())
