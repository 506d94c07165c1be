"""Subjects that were erased and must not come back: keyed hashes, which bronze asks about every record it takes in.

Who is on the list cannot be read from it, nor tried out without the key. A record is suppressed where a column of its
dataset's subject names one who is on the list; a record that cannot be split into fields, where one of its words does;
and a record that an erasure took for what it mentioned, where it comes again byte by byte.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa

from pipelines.engine.arrow_types import TIMESTAMP
from pipelines.errors import PipelineError
from pipelines.privacy.keys import derived, key_id, read_key, subject_hash
from pipelines.privacy.subjects import SubjectColumns
from pipelines.secret_references import SecretReference
from pipelines.settings import RunSettings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from pipelines.contracts.model import Contract
    from pipelines.engine import Engine

TABLE = "suppressions"
"""Table under checkpoints."""
SUBJECT, RECORD = "subject", "record"
"""What a hash is of: the subject's value, or the bytes of a record."""
_SCHEMA = pa.schema(
    [
        ("subject_type", pa.string()),
        ("kind", pa.string()),
        ("hash", pa.string()),
        ("key_id", pa.string()),
        ("erasure_id", pa.string()),
        ("suppressed_at", TIMESTAMP),
    ]
)
_WORDS = (re.compile(rb"[^\s,;|\"'<>]+"), re.compile(rb"[0-9A-Za-z]+"))
"""What a broken record is taken apart into."""


@dataclass(frozen=True, slots=True)
class Suppressed:
    """What is on the list for one type of subject.

    Attributes:
        subject_type: The type.
        subjects: Keyed hashes of subjects.
        records: Keyed hashes of records.
    """

    subject_type: str
    subjects: frozenset[str]
    records: frozenset[str]

    def __bool__(self) -> bool:
        """Whether there is anybody."""
        return bool(self.subjects or self.records)


def record_hash(key: bytes, raw: bytes) -> str:
    """Return the keyed hash of a record's bytes, without the end of its line, which the last of a file may lack."""
    return hmac.digest(derived(key, "record"), raw.rstrip(b"\r\n"), "sha256").hex()


def suppressed(engine: Engine, settings: RunSettings, subject_type: str) -> Suppressed:
    """Return the list of one type of subject.

    Raises:
        PipelineError: the list was made with another key, under which nobody on it can be known again.
    """
    path = settings.record_path(TABLE)
    columns = ["kind", "hash", "key_id"]
    rows = engine.rows(path, columns, {"subject_type": subject_type}).to_pylist() if engine.exists(path) else []
    if rows:
        here = key_id(read_key(settings.pseudonym_key))
        if other := sorted({row["key_id"] for row in rows} - {here}):
            raise PipelineError(
                f"{subject_type}s were erased under the key {other[0]}, and the key here is {here}: "
                "they would not be known again",
                where=path,
                fix="set LEVEE_PSEUDONYM_KEY_FILE to the former key, or erase them again under the new one "
                "and delete the former key's rows of the table",
            )
    return Suppressed(
        subject_type,
        frozenset(row["hash"] for row in rows if row["kind"] == SUBJECT),
        frozenset(row["hash"] for row in rows if row["kind"] == RECORD),
    )


def suppress(
    engine: Engine,
    settings: RunSettings,
    subject_type: str,
    erasure_id: str,
    *,
    subjects: Iterable[str] = (),
    records: Iterable[bytes] = (),
) -> None:
    """Put subjects (by their values) and records (by their bytes) on the list; who is on it stays there once."""
    key = read_key(settings.pseudonym_key)
    known = suppressed(engine, settings, subject_type)
    wanted = {(SUBJECT, subject_hash(key, subject_type, value)) for value in subjects}
    wanted |= {(RECORD, record_hash(key, raw)) for raw in records}
    there = {(SUBJECT, one) for one in known.subjects} | {(RECORD, one) for one in known.records}
    rows = [
        {
            "subject_type": subject_type,
            "kind": kind,
            "hash": digest,
            "key_id": key_id(key),
            "erasure_id": erasure_id,
            "suppressed_at": datetime.now(UTC),
        }
        for kind, digest in sorted(wanted - there)
    ]
    if rows:
        engine.append(settings.record_path(TABLE), pa.Table.from_pylist(rows, schema=_SCHEMA))


def without_erased(engine: Engine, parsed: DataFrame, contract: Contract, settings: RunSettings) -> DataFrame:
    """Return a delivery's records without those of erased subjects; all of them where nobody was erased.

    Args:
        engine: The open engine.
        parsed: Rows as bronze takes them in, before the run's columns.
        contract: Contract of the dataset.
        settings: Where the list and the key are.
    """
    if contract.data_subject is None:
        return parsed
    listed = suppressed(engine, settings, contract.data_subject.type)
    if not listed:
        return parsed
    expressions = SubjectColumns(contract).expressions
    named = parsed.selectExpr("*", *(f"{expression} AS _subject_{n}" for n, expression in enumerate(expressions)))
    keep = partial(_keep, key=settings.pseudonym_key, listed=listed, subjects=len(expressions))
    return engine.map_arrow(named, keep, parsed.schema)


def _keep(
    batches: Iterator[pa.RecordBatch], *, key: SecretReference | None, listed: Suppressed, subjects: int
) -> Iterator[pa.RecordBatch]:
    secret = read_key(key)

    def is_listed(value: str | None) -> bool:
        return value is not None and subject_hash(secret, listed.subject_type, value) in listed.subjects

    for batch in batches:
        wanted = [True] * batch.num_rows
        for number in range(subjects):
            encoded = batch.column(f"_subject_{number}").dictionary_encode()
            erased = [is_listed(value) for value in encoded.dictionary.to_pylist()]
            for row, index in enumerate(encoded.indices.to_pylist()):
                wanted[row] = wanted[row] and not (index is not None and erased[index])
        broken = [error is not None for error in batch.column("_parse_error").to_pylist()]
        if listed.records or any(broken):
            for row, raw in enumerate(batch.column("_raw").to_pylist()):
                if wanted[row] and raw is not None:
                    known = listed.records and record_hash(secret, raw) in listed.records
                    words = {word for pattern in _WORDS for word in pattern.findall(raw)} if broken[row] else ()
                    wanted[row] = not (known or any(is_listed(word.decode("utf-8", "replace")) for word in words))
        kept = batch.drop_columns([f"_subject_{number}" for number in range(subjects)])
        yield kept.filter(pa.array(wanted, pa.bool_()))
