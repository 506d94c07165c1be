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
KINDS = SUBJECT, RECORD = "subject", "record"
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
    """Who was erased under one key, of one type of subject.

    Attributes:
        subject_type: The type.
        key: Where the key is.
        subjects: Keyed hashes of subjects.
        records: Keyed hashes of records.
    """

    subject_type: str
    key: SecretReference | None
    subjects: frozenset[str]
    records: frozenset[str]


def record_hash(key: bytes, raw: bytes) -> str:
    """Return the keyed hash of a record's bytes, without the end of its line, which the last of a file may lack."""
    return hmac.digest(derived(key, "record"), raw.rstrip(b"\r\n"), "sha256").hex()


def suppressed(engine: Engine, settings: RunSettings, subject_type: str) -> tuple[Suppressed, ...]:
    """Return the list of one type of subject, by key.

    Raises:
        PipelineError: some were erased under a key that is not here, and would not be known again.
    """
    path = settings.record_path(TABLE)
    columns = ["kind", "hash", "key_id"]
    rows = engine.rows(path, columns, {"subject_type": subject_type}).to_pylist() if engine.exists(path) else []
    keys = {key_id(read_key(one)): one for one in (settings.pseudonym_key, *settings.former_keys)} if rows else {}
    found = []
    for name in sorted({row["key_id"] for row in rows}):
        if name not in keys:
            raise PipelineError(
                f"{subject_type}s were erased under the key {name}, which is not here: they would not be known again",
                where=path,
                fix="name the former key in LEVEE_FORMER_KEYS, as env:NAME or file:/path",
            )
        mine = {kind: {row["hash"] for row in rows if (row["key_id"], row["kind"]) == (name, kind)} for kind in KINDS}
        found.append(Suppressed(subject_type, keys[name], frozenset(mine[SUBJECT]), frozenset(mine[RECORD])))
    return tuple(found)


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
    there = {(SUBJECT, each) for one in known for each in one.subjects}
    there |= {(RECORD, each) for one in known for each in one.records}
    wanted = {(SUBJECT, subject_hash(key, subject_type, value)) for value in subjects}
    wanted |= {(RECORD, record_hash(key, raw)) for raw in records}
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
    keep = partial(_keep, lists=listed, subjects=len(expressions))
    return engine.map_arrow(named, keep, parsed.schema)


def _keep(
    batches: Iterator[pa.RecordBatch], *, lists: tuple[Suppressed, ...], subjects: int
) -> Iterator[pa.RecordBatch]:
    lookups = [_Lookup(one, read_key(one.key)) for one in lists]
    for batch in batches:
        erased = [False] * batch.num_rows
        for number in range(subjects):
            encoded = batch.column(f"_subject_{number}").dictionary_encode()
            listed = [any(lookup.is_subject(value) for lookup in lookups) for value in encoded.dictionary.to_pylist()]
            for row, index in enumerate(encoded.indices.to_pylist()):
                erased[row] = erased[row] or (index is not None and listed[index])
        broken = [error is not None for error in batch.column("_parse_error").to_pylist()]
        if any(broken) or any(one.records for one in lists):
            for row, raw in enumerate(batch.column("_raw").to_pylist()):
                if raw is not None and not erased[row]:
                    erased[row] = any(lookup.is_record(raw, broken=broken[row]) for lookup in lookups)
        kept = batch.drop_columns([f"_subject_{number}" for number in range(subjects)])
        yield kept.filter(pa.array([not gone for gone in erased], pa.bool_()))


@dataclass(frozen=True, slots=True)
class _Lookup:
    """One list with its key, in a worker."""

    listed: Suppressed
    key: bytes

    def is_subject(self, value: str | None) -> bool:
        return value is not None and subject_hash(self.key, self.listed.subject_type, value) in self.listed.subjects

    def is_record(self, raw: bytes, *, broken: bool) -> bool:
        if self.listed.records and record_hash(self.key, raw) in self.listed.records:
            return True
        words = {word for pattern in _WORDS for word in pattern.findall(raw)} if broken else ()
        return any(self.is_subject(word.decode("utf-8", "replace")) for word in words)
