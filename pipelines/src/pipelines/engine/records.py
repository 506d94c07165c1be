"""Tables of records: small ones that the driver reads and appends to (ledger, runs, counts), one row an event.

A commit costs ten milliseconds or more, and each adds a file that every later reading opens. A job of hundreds of
tables makes several a table, so it gathers them: what is appended is read back at once by the same run, and committed
every so many rows and at the end. A run that dies loses what it had gathered; whoever relies on a record must be able
to do again what it tells of, as after a death between a commit and its record.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

GATHERED_ROWS = 512
"""Rows of one table that are gathered before they are committed."""


class Store(Protocol):
    """What commits and reads tables of records: an engine."""

    def version_of_records(self, path: str) -> int:
        """Number of the table's newest commit; -1 where there is no table."""
        ...

    def read_records(self, path: str) -> pa.Table:
        """Every row of the table; none, and no columns, where there is no table."""
        ...

    def commit_records(self, path: str, rows: pa.Table) -> None:
        """Commit rows; where there is no table, make it."""
        ...


@dataclass(slots=True)
class _Book:
    """One table: what its newest version had when it was read, and what is not committed yet."""

    version: int = -1
    stored: list[pa.Table] = field(default_factory=list)
    waiting: list[pa.Table] = field(default_factory=list)


@dataclass(slots=True)
class Records:
    """What one engine gathers for its tables of records."""

    _books: dict[str, _Book] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _depth: int = 0

    @property
    def gathering(self) -> bool:
        """Whether appends wait."""
        return self._depth > 0

    @contextlib.contextmanager
    def gathered(self, store: Store) -> Generator[None]:
        """Gather appends inside the block, of all threads; at its end they are committed, also where it raised."""
        with self._lock:
            self._depth += 1
        try:
            yield
        finally:
            with self._lock:
                self._depth -= 1
                if not self.gathering:
                    for path, book in self._books.items():
                        _commit(store, path, book)
                    self._books.clear()

    def add(self, store: Store, path: str, rows: pa.Table) -> None:
        """Gather rows; many of one table are committed."""
        with self._lock:
            book = self._books.setdefault(path, _Book())
            book.waiting.append(rows)
            if sum(table.num_rows for table in book.waiting) >= GATHERED_ROWS:
                _commit(store, path, book)

    def all(self, store: Store, path: str) -> list[pa.Table]:
        """Return every row of a table, those that wait included: read again where another writer has committed."""
        with self._lock:
            book = self._books.setdefault(path, _Book())
            newest = store.version_of_records(path)
            if newest != book.version:
                book.stored, book.version = [store.read_records(path)], newest
            if len(book.waiting) > 1:  # a filter takes as long for one table as for a hundred
                book.waiting = [pa.concat_tables(book.waiting, promote_options="default")]
            return [*book.stored, *book.waiting]


def _commit(store: Store, path: str, book: _Book) -> None:
    if book.waiting:
        store.commit_records(path, pa.concat_tables(book.waiting, promote_options="default"))
        book.waiting = []


def selected(tables: Sequence[pa.Table], columns: Sequence[str] | None, matching: Mapping[str, str]) -> pa.Table:
    """Return the rows of `tables` whose columns have the values of `matching`."""
    conditions = [pc.field(name) == value for name, value in matching.items()]
    condition = reduce(lambda one, other: one & other, conditions) if conditions else None
    found = [table if condition is None else table.filter(condition) for table in tables]
    together = pa.concat_tables(found, promote_options="default") if found else pa.table({})
    return together.select(list(columns)) if columns and together.num_columns else together


def greatest(tables: Sequence[pa.Table], column: str) -> int | None:
    """Return the greatest value of an integer column of tables; ``None`` where there is none."""
    # pyarrow makes its functions when it is imported.
    values = [pc.max(table[column]).as_py() for table in tables]  # ty: ignore[missing-attribute]
    return max((value for value in values if value is not None), default=None)
