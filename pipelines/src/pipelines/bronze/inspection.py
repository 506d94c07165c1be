"""Looks at a delivery before any row of it is read: its content's name, and whether it can be a delivery at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from pipelines.bronze.cutting import cut, whole
from pipelines.bronze.drift import compare, expected_types
from pipelines.bronze.folders import content_of, folder_fields
from pipelines.bronze.formats.form import BrokenError, Form
from pipelines.bronze.forms import form_of
from pipelines.bronze.span import Piece
from pipelines.bronze.storage import StoredFile
from pipelines.storage import open_file

if TYPE_CHECKING:
    from pipelines.contracts.extensions import Ingestion
    from pipelines.contracts.model import Contract

THREADS = 8
"""Files looked at at once: hashing and inflating leave the interpreter lock."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A file of the landing folder, looked at.

    Attributes:
        stored: Where it is.
        sha256: Its content: its bytes' digest, hexadecimal; where its folders tell fields, of these too.
        problem: Why no record of it may be taken; ``None`` where they may.
        added: Columns that the contract does not know and bronze is to have.
        pieces: What it is read in.
    """

    stored: StoredFile
    sha256: str
    problem: str | None
    added: tuple[str, ...] = ()
    pieces: tuple[Piece, ...] = ()


@dataclass(frozen=True, slots=True)
class Inspector:
    """What files are looked at with.

    Attributes:
        form: How they are written.
        types: Types that their columns must have, by field.
        split_bytes: Size above which a file is cut; ``None`` for never.
        personal: Source fields that a personal column is made from.
    """

    form: Form
    types: Mapping[str, str]
    split_bytes: int | None = None
    personal: frozenset[str] = frozenset()

    @classmethod
    def of(cls, contract: Contract, ingestion: Ingestion) -> Inspector:
        """What the contract says of its files."""
        return cls(
            form_of(contract, ingestion), expected_types(contract), ingestion.split_bytes, contract.personal_fields
        )

    def inspect_all(
        self, files: Iterable[StoredFile], seen: Callable[[int], None] = lambda done: None
    ) -> Iterator[Delivery]:
        """Look at files, several at once; `seen` is told how many are done. Order is kept."""
        with ThreadPoolExecutor(THREADS) as pool:
            for done, delivery in enumerate(pool.map(self.inspect, files), start=1):
                seen(done)
                yield delivery

    def inspect(self, stored: StoredFile) -> Delivery:
        """Look at one file.

        The whole of it is read, for its digest. What has an end mark or a structure (compressed texts, wide encodings,
        JSON documents, Parquet, Avro) is read through once more: a file that stops in the middle is an incomplete
        delivery and none of its rows may be taken in.
        """
        folders = folder_fields(stored.name, self.form.fields)
        with open_file(stored.path) as raw:
            try:
                added = self._look(raw, stored, folders)
            except BrokenError as error:
                problem, added = str(error), ()
            else:
                problem = None
            raw.seek(0)
            large = problem is None and self.split_bytes is not None and stored.size > self.split_bytes
            digest, pieces = cut(raw, self.form, self.split_bytes or 0) if large else whole(raw)
        return Delivery(stored, content_of(digest, stored.name, self.form.fields), problem, added, pieces)

    def _look(self, raw: IO[bytes], stored: StoredFile, folders: Mapping[str, str | None]) -> tuple[str, ...]:
        """Look at a file; return the columns that bronze is to have beyond the contract's.

        Raises:
            BrokenError: no record of it may be taken.
        """
        if told := sorted(self.personal & folders.keys()):
            # Every layer, the ledger and the log name the files that rows come from.
            raise BrokenError(f"personal: its folder's name tells {told[0]!r}, and names of files are kept as they are")
        form = self.form.without(tuple(folders))
        if not stored.size:
            if form.empty_is_whole:
                return ()
            raise BrokenError("truncated: the file is empty")
        try:
            look = form.look(raw)
        except (BrokenError, OSError):
            raise
        except Exception as error:  # whatever a poisoned file makes a decoder do, the others go on
            raise BrokenError(f"unreadable: {type(error).__name__}: {error}") from error
        drift = compare(look, form, self.types, folders)
        if (violation := drift.violation(form)) is not None:
            raise BrokenError(violation)
        return tuple(drift.added) if form.drift == "add" else ()
