"""Delta tables through deltalake, in this process: what their logs tell, and the rows of small ones.

A query of an engine takes 10 ms and more, on Spark a second, for what a log tells in one or two. A Databricks runtime
has no deltalake: there nothing imports this module.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import deltalake
import pyarrow as pa
import pyarrow.compute as pc
from deltalake.exceptions import DeltaError

from pipelines.errors import PipelineError

HANDLES = 4096
"""Tables that are kept open."""

T = TypeVar("T")


@dataclass(slots=True)
class _Handle:
    """A table that is kept open.

    Attributes:
        identity: Of its log's folder: inode and time of the last change, nanoseconds.
        table: As it was when the folder was like that, or later.
        told: What was asked of a version of it, by question and version.
    """

    identity: tuple[int, int]
    table: deltalake.DeltaTable
    told: dict[tuple[str, int], Any] = field(default_factory=dict)

    def is_newest(self, log: Path, identity: tuple[int, int]) -> bool:
        """Whether nothing was committed since.

        The folder's time alone would not tell of a commit within the same tick of the clock, and the next entry alone
        not of one that was cleared away with its successors.
        """
        return self.identity == identity and not (log / f"{self.table.version() + 1:020d}.json").exists()


_handles: dict[str, _Handle] = {}


def exists(path: str) -> bool:
    """Whether there is a Delta table at `path`."""
    if "://" in path:
        return deltalake.DeltaTable.is_deltatable(path)
    try:  # at a hundredth of what deltalake takes to say so
        inode = Path(path, "_delta_log").stat().st_ino
    except OSError:
        return False
    known = _handles.get(path)
    return (known is not None and known.identity[0] == inode) or deltalake.DeltaTable.is_deltatable(path)


def _newest(path: str) -> deltalake.DeltaTable:
    """The table as it is now.

    To open a table anew takes four to ten times as long as to look at what was added to its log. What lies in a bucket
    is opened anew: a folder's identity tells whether the table is still the same one, and a bucket has none.
    """
    return _handle(path).table


def _handle(path: str) -> _Handle:
    log = Path(path, "_delta_log")
    try:
        stat = log.stat()
    except OSError:
        return _Handle((0, 0), deltalake.DeltaTable(path))
    identity = stat.st_ino, stat.st_mtime_ns
    try:
        known = _handles.get(path)
        if known is not None and known.identity[0] == identity[0]:
            if not known.is_newest(log, identity):
                known.table.update_incremental()
                known.identity = identity
            return known
        table = deltalake.DeltaTable(path)
    except DeltaError as error:
        raise _damaged(path, error) from error
    # An empty entry is passed over, and what it added is missing without a word.
    if any(entry.stat().st_size == 0 for entry in log.glob("*.json")):
        raise _damaged(path, None)
    if len(_handles) >= HANDLES:
        _handles.clear()
    _handles[path] = handle = _Handle(identity, table)
    return handle


def _remembered(path: str, question: str, ask: Callable[[deltalake.DeltaTable], T], at: int | None = None) -> T:
    """Ask a version of the table, the newest by default, what no later commit changes; asked again it costs nothing."""
    handle = _handle(path)
    version = handle.table.version()
    if at is not None and at != version:
        return ask(deltalake.DeltaTable(path, version=at))
    if (question, version) in handle.told:
        return handle.told[question, version]
    answer = ask(handle.table)
    if handle.table.version() != version:  # another thread has moved it on meanwhile
        return answer if at is None else ask(deltalake.DeltaTable(path, version=at))
    handle.told = {key: told for key, told in handle.told.items() if key[1] == version} | {(question, version): answer}
    return answer


def forget() -> None:
    """Close every table that is kept open."""
    _handles.clear()


def _damaged(path: str, error: DeltaError | None) -> Exception:
    """What is wrong with a table whose log cannot be read; deltalake's own error where the log is whole."""
    found = damage(path)
    if found is None and error is not None:
        return error
    where, what = found or (path, "cannot be read")
    return PipelineError(
        f"the log of a table is damaged: an entry {what}",
        where=where,
        fix=f"levee restore LAYER.{Path(path).name} --repair, then run again: what the entry added is done again",
    )


def _asked(path: str, at: int | None, ask: Callable[[deltalake.DeltaTable], T]) -> T:
    """Ask a version of the table, the newest by default."""
    table = _newest(path)
    if at is None:
        return ask(table)
    if table.version() == at:
        told = ask(table)
        if table.version() == at:  # no other thread has moved it on meanwhile
            return told
    return ask(deltalake.DeltaTable(path, version=at))


def version(path: str) -> int:
    """Number of the table's newest commit."""
    return _newest(path).version()


def history(path: str) -> list[dict[str, Any]]:
    """The table's commits, newest first."""
    return _newest(path).history()


def schema(path: str) -> pa.Schema:
    """Columns of the table."""
    return _remembered(path, "schema", lambda table: pa.schema(table.schema().to_arrow()))


def count(path: str, at: int | None = None) -> int | None:
    """Rows of a version of the table, the newest by default; ``None`` where its log does not tell.

    A writer may leave out a file's number of rows, and a deletion vector takes from it.
    """
    return _remembered(path, "count", _count, at)


def _count(table: deltalake.DeltaTable) -> int | None:
    if _has_deletion_vectors(table):
        return None
    numbers = pa.table(table.get_add_actions(flatten=True))["num_records"]
    # pyarrow makes its functions when it is imported.
    return None if numbers.null_count else int(pc.sum(numbers, min_count=0).as_py())  # ty: ignore[missing-attribute]


def count_if_known(path: str, at: int) -> int | None:
    """Rows of a version; ``None`` where its log does not tell, or no longer has the version."""
    try:
        return _count(deltalake.DeltaTable(path, version=at))
    except DeltaError:
        return None


def damage(path: str) -> tuple[str, str] | None:
    """Find the first entry of a table's log that cannot be read, newest version included.

    Returns:
        The entry's file and what is wrong with it; ``None`` where every entry can be read.
    """
    entries = sorted(Path(path, "_delta_log").glob("*.json"))
    expected: int | None = None
    for entry in entries:
        number = int(entry.stem)
        if expected is not None and number != expected:
            return str(entry.with_name(f"{expected:020d}.json")), "is not there"
        expected = number + 1
        lines = entry.read_bytes().splitlines()
        if not lines:
            return str(entry), "is empty"
        for position, line in enumerate(lines, start=1):
            try:
                action = json.loads(line)
            except ValueError:
                return f"{entry}:{position}", "is no JSON"
            if not isinstance(action, dict):
                return f"{entry}:{position}", "is no action of Delta's"
    return None


def set_aside(path: str, first: int) -> list[str]:
    """Take the log's entries from version `first` on out of the log, into ``_set_aside`` beside it.

    The files that they added stay, unread, and go with VACUUM. Checkpoints and checksums go with their entries.
    """
    log, aside = Path(path, "_delta_log"), Path(path, "_set_aside")
    aside.mkdir(exist_ok=True)
    (log / "_last_checkpoint").unlink(missing_ok=True)  # a hint; without it the log is listed
    moved = []
    # The newest first: what is left is a whole table at every moment.
    for entry in sorted(log.iterdir(), reverse=True):
        number = entry.name.partition(".")[0]
        if number.isdecimal() and int(number) >= first:
            entry.replace(aside / entry.name)
            moved.append(entry.name)
    forget()
    return moved


def count_by(path: str, key: str, marked: str, within: tuple[str, str, str], at: int) -> pa.Table | None:
    """Count a version's rows, and those whose `marked` is not null, by `key`; ``None`` where files hide rows.

    Args:
        path: The table.
        key: Column whose values are told apart.
        marked: Column.
        within: A text column, and the least and the greatest of its values that count; other files are not opened.
        at: Number of the version.
    """
    column, *bounds = within
    lowest, highest = (_text(bound) for bound in bounds)
    query = (
        f'SELECT "{key}", count(*), count("{marked}") FROM asked '  # noqa: S608 - the bounds are quoted
        f'WHERE "{column}" BETWEEN {lowest} AND {highest} GROUP BY 1'
    )
    return _asked(path, at, lambda table: None if _has_deletion_vectors(table) else _queried(table, query))


def greatest(path: str, column: str) -> int | None:
    """Return the greatest value of an integer column, from the table's log; ``None`` where it does not tell."""
    actions = pa.table(_newest(path).get_add_actions(flatten=True))
    name = f"max.{column}"
    if name not in actions.column_names or actions[name].null_count:
        return None
    return pc.max(actions[name]).as_py()  # ty: ignore[missing-attribute]


def rows(path: str, columns: Sequence[str] | None, matching: Mapping[str, str]) -> pa.Table:
    """Return the rows of a small table whose text columns have the values of `matching`."""
    table = _newest(path)
    names = ", ".join(f'"{name}"' for name in columns) if columns else "*"
    wanted = " AND ".join(f'"{name}" = {_text(value)}' for name, value in matching.items()) or "true"
    found = _queried(table, f"SELECT {names} FROM asked WHERE {wanted}")  # noqa: S608 - the values are quoted
    declared = pa.schema(table.schema().to_arrow())
    return found.cast(pa.schema([declared.field(name) for name in found.column_names]))  # views into plain texts


def create(path: str, like: pa.Schema) -> None:
    """Create an empty table, where there is none."""
    deltalake.DeltaTable.create(path, like, mode="ignore")


def append(path: str, added: pa.Table) -> None:
    """Append rows; where there is no table, the same commit makes it."""
    deltalake.write_deltalake(path, added, mode="append")


def file_sizes(path: str) -> tuple[list[int], list[int | None]]:
    """Bytes of each file of the newest version, and how many rows its log says that it has."""
    actions = pa.table(_newest(path).get_add_actions(flatten=True))
    return actions["size_bytes"].to_pylist(), actions["num_records"].to_pylist()


def restore(path: str, version: int) -> None:
    """Make the rows of an earlier version the newest ones."""
    deltalake.DeltaTable(path).restore(version)


def optimize(path: str, cluster_by: Sequence[str] = ()) -> None:
    """Compact the table's small files, in Z-order of `cluster_by` where it is given."""
    optimizer = deltalake.DeltaTable(path).optimize
    _ = optimizer.z_order(list(cluster_by)) if cluster_by else optimizer.compact()


def vacuum(path: str, hours: int) -> None:
    """Delete files that left the table more than `hours` ago, and those as old that never were in it."""
    deltalake.DeltaTable(path).vacuum(retention_hours=hours, dry_run=False, full=True)


def _text(value: str) -> str:
    """A text as SQL writes it."""
    return "'" + value.replace("'", "''") + "'"


def _has_deletion_vectors(table: deltalake.DeltaTable) -> bool:
    return "deletionVectors" in (table.protocol().reader_features or ())


def _queried(table: deltalake.DeltaTable, query: str) -> pa.Table:
    """Answer SQL over the table, which it calls ``asked``."""
    return pa.table(deltalake.QueryBuilder().register("asked", table).execute(query).read_all())
