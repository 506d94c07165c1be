"""Where one subject is in bronze: record by record, found in the workers, which alone read who it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from pipelines import sql
from pipelines.engine.arrow_types import from_arrow_schema
from pipelines.errors import PipelineError
from pipelines.privacy.lake_files import texts_of
from pipelines.privacy.needles import SHORTEST, Needle
from pipelines.privacy.subjects import SubjectColumns
from pipelines.secret_references import SecretReference

if TYPE_CHECKING:
    from pipelines.engine import Engine

SUBJECT: Final = "subject"
"""The record is about the subject: a column that names it says so."""
MALFORMED: Final = "malformed"
"""The record could not be split into fields, and the value is in its bytes."""
MENTION: Final = "mention"
"""The record is about somebody else, and the value is in one of its texts."""
COINCIDENCE: Final = "coincidence"
"""A field that is no person's has the same text, such as an article's number; the record stays."""

_FOUND = pa.schema(
    [
        ("_file_sha256", pa.string()),
        ("_file", pa.string()),
        ("_line", pa.int64()),
        ("_raw", pa.binary()),
        ("_why", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Trace:
    """One record of bronze in which the value is.

    Attributes:
        file_sha256: Content of its delivery.
        file: Name of its delivery.
        line: Its line.
        raw: Its own bytes, without the end of its line.
        why: `SUBJECT`, `MALFORMED`, `MENTION` or `COINCIDENCE`.
    """

    file_sha256: str
    file: str
    line: int
    raw: bytes
    why: str

    @property
    def leaves(self) -> bool:
        """Whether the record is erased."""
        return self.why != COINCIDENCE


@dataclass(frozen=True, slots=True)
class _Subject:
    """How rows are read, for the workers.

    Attributes:
        columns: How many columns name the subject.
        texts: Fields in whose text a subject may be mentioned.
        codes: Fields of which a whole value may equal the subject's by chance.
        images: Fields that name the subject in the images of a change event; none where rows are no events.
    """

    columns: int
    texts: tuple[str, ...]
    codes: frozenset[str]
    images: frozenset[str]


def subject_value(reference: SecretReference) -> str:
    """Return who the subject is.

    Raises:
        PipelineError: it cannot be read, is no text, or is too short to be looked for.
    """
    try:
        value = reference.read().decode()
    except UnicodeDecodeError:
        raise PipelineError("the subject's value is not UTF-8", where=str(reference), fix="write it as text") from None
    if len(value) < SHORTEST:
        raise PipelineError(
            f"the subject's value has {len(value)} characters; one of fewer than {SHORTEST} cannot be looked for",
            where=str(reference),
            fix="erase by another column of the subject: `dataSubject` in its contract",
        )
    return value


def traces(engine: Engine, bronze: str, subject: SubjectColumns, value: SecretReference) -> list[Trace]:
    """Find the records of a bronze table in which the value is.

    Args:
        engine: The open engine.
        bronze: The table.
        subject: How its subject is read.
        value: Where the value is, for the workers.
    """
    if not engine.exists(bronze):
        return []
    named = [f"{expression} AS _subject_{n}" for n, expression in enumerate(subject.expressions)]
    fields = [sql.name(field) for field in subject.contract.source_fields]
    lineage = ["_file_sha256", "_file", "_line", "_raw", "_parse_error", "_rescued"]
    rows = engine.read(bronze).selectExpr(*lineage, *fields, *named)
    images = subject.names if subject.contract.change_feed else frozenset[str]()
    look = partial(_look, value=value, subject=_Subject(len(named), subject.texts, subject.codes, images))
    found = engine.map_arrow(rows, look, from_arrow_schema(_FOUND)).toArrow()
    return [
        Trace(row["_file_sha256"], row["_file"], row["_line"], (row["_raw"] or b"").rstrip(b"\r\n"), row["_why"])
        for row in found.to_pylist()
    ]


def _look(
    batches: Iterator[pa.RecordBatch],
    *,
    value: SecretReference,
    subject: _Subject,
) -> Iterator[pa.RecordBatch]:
    """Yield the records of `_FOUND`."""
    text = subject_value(value)  # read anew each time: a worker outlives an erasure
    needle = Needle((text,))
    for batch in batches:
        why: dict[int, str] = {}
        for number in range(subject.columns):
            names = batch.column(f"_subject_{number}").to_pylist()
            why.update((index, SUBJECT) for index, name in enumerate(names) if name == text)
        for index in _holding(batch.column("_raw"), needle) - why.keys():
            row = batch.slice(index, 1).to_pylist()[0]
            why[index] = _judged(row, needle, text, subject)
        picked = sorted(why)
        columns = [batch.column(name).take(pa.array(picked, pa.int64())) for name in _FOUND.names[:-1]]
        yield pa.RecordBatch.from_arrays([*columns, pa.array([why[i] for i in picked], pa.string())], schema=_FOUND)


def _holding(raws: pa.Array, needle: Needle) -> set[int]:
    """Return the rows whose bytes hold the value in any form."""
    whole = b"\n".join(raw or b"" for raw in raws.to_pylist())
    if next(needle.found(whole), None) is None:  # most batches: one search for all rows
        return set()
    return {i for i, raw in enumerate(raws.to_pylist()) if raw and next(needle.found(raw), None) is not None}


def _judged(row: dict[str, Any], needle: Needle, value: str, subject: _Subject) -> str:
    texts, codes, images = subject.texts, subject.codes, subject.images
    if row["_parse_error"] is not None:
        return MALFORMED
    for name in (*texts, "_rescued"):
        cell = row[name]
        by_chance = name in codes and cell == value
        if isinstance(cell, str) and not by_chance and next(needle.found(cell.encode()), None) is not None:
            return MENTION
    return MENTION if images and _in_an_image(bytes(row["_raw"]), needle, value, images, codes) else COINCIDENCE


def _in_an_image(raw: bytes, needle: Needle, value: str, names: frozenset[str], codes: frozenset[str]) -> bool:
    """Whether a change event speaks of the subject in the image of the row that bronze has no fields of.

    An update has the row as it was, too; bronze has the fields of the row as it is.
    """
    try:
        event = json.loads(raw)
    except ValueError:
        return True
    return any(
        not (key in codes and text == value) and next(needle.found(text.encode()), None) is not None
        for key, text in texts_of(event, "", names)
    )
