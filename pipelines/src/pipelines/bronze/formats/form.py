"""What every form has in common: what it is asked, and how what it reads becomes bronze's rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import IO, Literal, Self

import pyarrow as pa

from pipelines.bronze.formats.values import json_array, rescued
from pipelines.bronze.span import Span
from pipelines.contracts.extensions.ingestion import RESERVED
from pipelines.engine.arrow_types import TIMESTAMP

Drift = Literal["fail", "add", "rescue"]

LINEAGE: tuple[tuple[str, pa.DataType], ...] = (
    ("_rescued", pa.string()),
    ("_file", pa.string()),
    ("_file_sha256", pa.string()),
    ("_line", pa.int64()),
    ("_raw", pa.binary()),
    ("_parse_error", pa.string()),
)
"""Columns that tell of a record where it comes from."""
CHANGE: tuple[tuple[str, pa.DataType], ...] = (
    ("_op", pa.string()),
    ("_sequence", pa.int64()),
    ("_changed_at", TIMESTAMP),
)
"""Columns that an envelope adds: what happened to the record, its place in the order of changes, and when."""
NO_NAMES = frozenset(" ,;{}()\n\t=")
"""Characters that no column of a Delta table may have."""


def addable(names: Iterable[str], known: Sequence[str]) -> list[str]:
    """Return those of the names that can be columns beside the known ones; the others stay in `_rescued`."""
    taken = {name.lower() for name in (*known, *RESERVED)}
    found: list[str] = []
    for name in names:
        if name and name.lower() not in taken and not NO_NAMES & set(name):
            found.append(name)
            taken.add(name.lower())
    return found


class BrokenError(ValueError):
    """A file of which no record may be taken, with the reason: ``kind: detail``."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Type of a column in a file that has types.

    Attributes:
        text: The type as the format spells it.
        logical: The contract's word for it (``integer``, ``number``, ...); ``None`` where it has none.
    """

    text: str
    logical: str | None


@dataclass(frozen=True, slots=True)
class Look:
    """What a form learns of a file before a row of it is read.

    Attributes:
        columns: The file's columns; their types where the format has such.
        whole: Whether these are all that a record could have: a schema or a header. Of JSON they are those that some
            record has, and of JSON lines that are not read through (policy `rescue`) none.
    """

    columns: Mapping[str, Kind | None] = field(default_factory=dict)
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Rows:
    """Some records of a file, column by column, all of one length.

    Attributes:
        columns: The file's columns as text, by name.
        raw: The records' own bytes.
        lines: Number of each record's first line, or of the record itself where the format has no lines; from 1.
        errors: ``kind: detail`` of malformed records; ``None`` where all are well.
        rescued: JSON of what the contract does not know; ``None`` where it is to be made of `columns`.
        change: The columns of `CHANGE`, of records in an envelope.
    """

    columns: Mapping[str, pa.Array]
    raw: pa.Array
    lines: pa.Array
    errors: pa.Array | None = None
    rescued: pa.Array | None = None
    change: Sequence[pa.Array] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Form(ABC):
    """How the files of one dataset are written: plain values, pickled with the function that reads them.

    Attributes:
        fields: Source fields that the contract knows; bronze's text columns, in order.
        added: Further text columns that bronze has (drift policy `add`).
        drift: What becomes of columns that the contract does not know.
    """

    fields: tuple[str, ...]
    added: tuple[str, ...] = ()
    drift: Drift = "rescue"

    @property
    def known(self) -> tuple[str, ...]:
        """Every column that has a place of its own in bronze."""
        return self.fields + self.added

    @property
    def enveloped(self) -> bool:
        """Whether records come in an envelope that says what happened to them."""
        return False

    @property
    def empty_is_whole(self) -> bool:
        """Whether a file of no bytes is a delivery of no rows, and not one that was cut off."""
        return True

    @property
    def arrow_schema(self) -> pa.Schema:
        """Columns that reading yields."""
        change = CHANGE if self.enveloped else ()
        return pa.schema([*((name, pa.string()) for name in self.known), *LINEAGE, *change])

    def without(self, names: Sequence[str]) -> Self:
        """The form of files whose fields `names` are elsewhere: in the names of their folders."""
        if not names:
            return self
        return replace(self, fields=tuple(name for name in self.fields if name not in names))

    def beside(self, there: Iterable[str], new: Iterable[str]) -> Self:
        """The form of a table that has further columns, and is to get others (`addable` says which it can)."""
        kept = tuple(name for name in there if name not in RESERVED and name not in self.fields)
        return replace(self, added=(*kept, *addable(new, (*self.fields, *kept))))

    @abstractmethod
    def look(self, raw: IO[bytes]) -> Look:
        """Look at a file before any row is read.

        Args:
            raw: The file, from its start, seekable.

        Raises:
            BrokenError: no record of it may be taken.
        """

    def record_start(self, raw: IO[bytes]) -> Callable[[bytes], bool] | None:
        """Return what tells lines that begin a record, wherever they stand; ``None`` where nothing does.

        Args:
            raw: The file, from its start, seekable.
        """
        del raw
        return None

    def marks(self, raw: IO[bytes]) -> Iterable[tuple[int, int]]:
        """Return the bytes at which a file that has no lines may be cut, each with the number of its first record.

        Args:
            raw: The file, from its start, seekable.
        """
        del raw
        return ()

    @abstractmethod
    def read(self, span: Span) -> Iterator[Rows]:
        """Read a file, or a piece of it that begins where `cuts` said.

        Raises:
            BrokenError: it is not what was looked at.
        """

    def batch(self, rows: Rows, file: str, sha256: str, folders: Mapping[str, str | None]) -> pa.RecordBatch:
        """Make bronze's rows of what was read.

        Args:
            rows: What was read.
            file: Name of the delivery.
            sha256: Its content.
            folders: Fields that the names of its folders tell.
        """
        count = len(rows.lines)
        constant = {name: pa.repeat(pa.scalar(value, pa.string()), count) for name, value in folders.items()}
        columns = {name: array for name, array in rows.columns.items() if name not in constant} | constant
        more = rows.rescued
        if more is None:
            known = {*self.known} - constant.keys()
            more = rescued(
                {name: json_array(array) for name, array in rows.columns.items() if name not in known}, count
            )
        absent = pa.nulls(count, pa.string())
        return pa.RecordBatch.from_arrays(
            [
                *(columns.get(name, absent) for name in self.known),
                more,
                pa.repeat(pa.scalar(file, pa.string()), count),
                pa.repeat(pa.scalar(sha256, pa.string()), count),
                rows.lines.cast(pa.int64()),
                rows.raw,
                absent if rows.errors is None else rows.errors,
                *rows.change,
            ],
            schema=self.arrow_schema,
        )
