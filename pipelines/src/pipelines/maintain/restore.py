"""Takes tables back to what they were, or out of a damaged log, so that the next run puts right what that undid.

The ledger is told first: what came since is *undone*, and the next run does it again, in place of whatever the tables
have of it. So nothing is lost, wherever this dies; what the ledger entered before the time is in the tables as of then,
because it is entered after the commits.

Silver, its history and its quarantine are one function of bronze and go back together. A gold table is built anew by
the next run: taking it back helps until then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.bronze.storage import list_files
from pipelines.engine import care
from pipelines.errors import PipelineError, SchemaError, UsageError
from pipelines.failpoints import failpoint
from pipelines.ledger import Entry, Ledger, Status, latest
from pipelines.maintain.audit import version_at
from pipelines.maintain.names import TableName
from pipelines.runs import recorded
from pipelines.settings import Layer, RunSettings
from pipelines.storage import is_url

if TYPE_CHECKING:
    from pipelines.contracts.model import Contract
    from pipelines.engine import Engine

MARGIN = timedelta(seconds=60)
"""What a log's clock and the ledger's may differ by: what was entered so shortly before is done again too."""
TOGETHER = (Layer.SILVER, Layer.QUARANTINE)
"""Layers that are one function of bronze."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did.

    Attributes:
        tables: Version before and version whose rows are there now, by table.
        undone: Deliveries that the next run does again, by name.
        set_aside: Entries of a damaged log that were taken out of it.
    """

    tables: dict[str, tuple[int, int]]
    undone: tuple[str, ...]
    set_aside: tuple[str, ...] = ()


def restore(
    engine: Engine,
    settings: RunSettings,
    contract: Contract,
    name: TableName,
    *,
    version: int | None = None,
    at: datetime | None = None,
) -> Restored:
    """Take a dataset's table, and those that belong to it, back to a version or a time.

    Args:
        engine: The open engine.
        settings: Roots and domain.
        contract: The dataset's contract.
        name: The table.
        version: Number of its version.
        at: A time, with its zone; where there is no `version`.

    Raises:
        UsageError: there is no such version.
        SchemaError: deliveries that would be undone are no longer in landing, so they would be lost.
    """
    path = settings.table_path(name.layer, name.dataset)
    commits = care.commits(engine, path)
    chosen = version_at(commits, at, str(name)) if version is None else version
    known = {commit.version: commit for commit in commits}
    if chosen not in known:
        raise UsageError(
            f"{name} has no version {chosen}",
            where=path,
            fix=f"choose one of {min(known)} to {max(known)}: levee audit {name}",
        )
    time = known[chosen].at if at is None else at
    # Where the clock went back, what came after the version has an earlier time than it.
    since = min([time, *(commit.at for commit in commits if commit.version > chosen)])
    with recorded(engine, settings, "restore", contract):
        undone = _undo(engine, settings, contract, name.layer, since)
        restored = {}
        for layer, table in _siblings(engine, settings, contract, name):
            history = care.commits(engine, table)
            target = chosen if table == path else version_at(history, max(time, _first(history)), str(layer))
            before = history[0].version
            if target != before:
                care.restore(engine, table, target)
            failpoint("restore.committed")
            restored[f"{layer}.{Path(table).name}"] = (before, target)
    return Restored(restored, undone)


def repair(engine: Engine, settings: RunSettings, contract: Contract | None, name: TableName) -> Restored:
    """Take the entries that cannot be read, and all after them, out of a table's log.

    Args:
        engine: The open engine.
        settings: Roots and domain.
        contract: The dataset's contract; ``None`` for a table of records.
        name: The table.

    Raises:
        UsageError: the log is not damaged, or lies where it cannot be mended from here.
    """
    path = settings.table_path(name.layer, name.dataset)
    if is_url(path):
        raise UsageError(
            "a log in a bucket is mended where it lies", where=path, fix="move the damaged entry away, then restore"
        )
    from pipelines.engine import local

    found = local.damage(path)
    if found is None:
        raise UsageError(f"the log of {name} is not damaged", where=path, fix=f"levee audit {name}")
    bad = int(Path(found[0].split(".json")[0]).name)
    if bad == 0:
        raise PipelineError(
            "the table's first entry is damaged: nothing says what it was",
            where=found[0],
            fix="move the table's folder away and run again: it is made anew from the layer before it",
        )
    time = _last_readable(path, bad)
    undone = () if contract is None else _undo(engine, settings, contract, name.layer, time)
    failpoint("restore.told")
    moved = local.set_aside(path, bad)
    return Restored({str(name): (bad, bad - 1)}, undone, tuple(moved))


def _undo(engine: Engine, settings: RunSettings, contract: Contract, layer: Layer, time: datetime) -> tuple[str, ...]:
    """Tell the ledger that what it entered since a time is undone; return the deliveries' names.

    What it entered behind anything of that is undone too, whatever time it has: its own order is not a clock's.
    """
    told = {Layer.BRONZE: Layer.BRONZE}.get(layer, Layer.SILVER if layer in TOGETHER else None)
    if told is None:
        return ()
    ledger = Ledger(engine, settings)
    entries = ledger.entries(told, contract.dataset)
    first = min((entry.sequence for entry in entries if entry.recorded_at > time - MARGIN), default=None)
    since = [
        entry
        for entry in latest(entries).values()
        if entry.status is Status.COMMITTED and first is not None and entry.sequence >= first
    ]
    if told is Layer.BRONZE:
        _must_be_in_landing(settings, contract, since)
    words = {(entry.file_sha256, entry.batch_id): entry for entry in entries if entry.status is Status.ACCEPTED}
    ledger.add([_undone(entry, words.get((entry.file_sha256, entry.batch_id)), settings) for entry in since])
    return tuple(sorted(entry.file for entry in since))


def _undone(entry: Entry, word: Entry | None, settings: RunSettings) -> Entry:
    """What the ledger is told of a delivery; one of a batch that somebody let go on is not held again.

    Args:
        entry: What it said last.
        word: What it said when the batch was accepted; ``None`` where nobody had to.
        settings: The run's.
    """
    told = replace(entry, status=Status.UNDONE, detail=None) if word is None else word
    return replace(told, run_id=settings.run_id, recorded_at=datetime.now(UTC))


def _must_be_in_landing(settings: RunSettings, contract: Contract, entries: Sequence[Entry]) -> None:
    there = {(file.name, file.size) for file in list_files(settings.deliveries(contract.dataset))}
    gone = sorted(entry.file for entry in entries if (entry.file, entry.size) not in there)
    if gone:
        raise SchemaError(
            f"{len(gone)} deliveries came since and are no longer in landing: they would be lost; the first: {gone[0]}",
            where=settings.deliveries(contract.dataset),
            fix="put the files back into landing, or choose a later version",
        )


def _siblings(engine: Engine, settings: RunSettings, contract: Contract, name: TableName) -> list[tuple[Layer, str]]:
    """The table and those that go back with it."""
    if name.layer not in TOGETHER or contract.model is not None:
        return [(name.layer, settings.table_path(name.layer, name.dataset))]
    names = [*((Layer.SILVER, table) for table in contract.silver_tables), (Layer.QUARANTINE, contract.dataset)]
    paths = [(layer, settings.table_path(layer, dataset)) for layer, dataset in names]
    return [(layer, path) for layer, path in paths if engine.exists(path)]


def _first(commits: Sequence[care.Commit]) -> datetime:
    return min(commits, key=lambda commit: commit.version).at


def _last_readable(path: str, bad: int) -> datetime:
    """When the last entry before the damaged one was written, by its file."""
    entry = Path(path, "_delta_log", f"{bad - 1:020d}.json")
    return datetime.fromtimestamp(entry.stat().st_mtime, UTC)
