"""A corrected record as a delivery of its own: bytes in the dataset's format, and a name that its glob takes.

What is written is read back by the parser that bronze uses, and has to be exactly that record.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from pipelines.bronze.folders import folder_fields
from pipelines.bronze.formats.form import BrokenError
from pipelines.bronze.formats.json_text import JsonReader
from pipelines.bronze.formats.octets import Text
from pipelines.bronze.formats.values import json_of, text_of
from pipelines.bronze.forms import form_of, ingestion_of
from pipelines.bronze.parser import parse_stream
from pipelines.contracts.extensions.ingestion import COMPRESSED, SUFFIXES
from pipelines.errors import UsageError

if TYPE_CHECKING:
    from pipelines.contracts.extensions import Ingestion
    from pipelines.contracts.model import Contract

Fields = Mapping[str, str | None]
Written = tuple[str, Fields]
"""A record's text, and the fields that bronze is to read in it."""

MARK: Final = "-correction-"
"""What stands between the name of a delivery and the id of the record of it that is corrected."""
_MARKED: Final = re.compile(rf"{MARK}[0-9a-f]+-\d+$")
_CODECS: Final = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd", "gzip": "gzip", "bzip2": "bz2", "zstd": "zstd"}
"""Arrow's name of a compression by the end of a file's name, and by the contract's word."""
_TYPED: Final = ("integer", "number", "boolean", "object", "array")
"""Logical types whose values JSON writes without quotes."""


@dataclass(frozen=True, slots=True)
class Correction:
    """What is wrong in a record, and what it should have been.

    Attributes:
        quarantine_id: The record's id.
        file: Name of the delivery that it came in.
        raw: Its bytes; ``None`` where it is malformed, and nothing of it is known.
        fields: Its fields as bronze has them; empty where it is malformed.
        edits: The corrected fields.
        number: Which correction of the record this is, from 1.
    """

    quarantine_id: str
    file: str
    raw: bytes | None
    fields: Fields
    edits: Fields
    number: int = 1

    @property
    def corrected(self) -> dict[str, str | None]:
        """The record as it should have been."""
        return {**self.fields, **self.edits}


def check_correctable(contract: Contract) -> None:
    """Refuse datasets to which one record cannot be delivered.

    Raises:
        UsageError: a delivery is a whole table, records are changes in an envelope, or the format has types.
    """
    ingestion = ingestion_of(contract)
    why = None
    if contract.keeps_snapshots:
        why = "each delivery is the whole table"
    elif contract.change_feed:
        why = "its records are a database's changes"
    elif ingestion.format not in WRITERS:
        why = f"a record of {ingestion.format} is no text"
    if why:
        raise UsageError(
            f"a single record of {contract.dataset} cannot be corrected: {why}",
            where=str(contract.path),
            fix="deliver a corrected file, then `levee quarantine replay`",
        )


def check_fields(correction: Correction, contract: Contract) -> None:
    """Refuse fields that a correction cannot have.

    Raises:
        UsageError: a field is unknown, is told by the delivery's folder, is not given though nothing is known of the
            record, or nothing is changed. No value is repeated.
    """
    fields = contract.source_fields
    strange = sorted(correction.edits.keys() - {*fields, *correction.fields})
    if strange:
        raise UsageError(
            f"{contract.dataset} has no field {', '.join(map(repr, strange))}",
            where=str(contract.path),
            fix=f"set one of {', '.join(fields)}",
        )
    folders = folder_fields(correction.file, fields)
    if told := sorted(correction.edits.keys() & folders.keys()):
        raise UsageError(
            f"{', '.join(told)} is told by the folder of {correction.file}, which a correction shares",
            where=correction.quarantine_id,
            fix="deliver the record in a file in the right folder, and waive this one",
        )
    lacking = [name for name in fields if name not in correction.corrected and name not in folders]
    if lacking:
        raise UsageError(
            f"the record is malformed, so nothing is known of {', '.join(lacking)}",
            where=f"{correction.file}, record {correction.quarantine_id}",
            fix="give every field; FIELD= for an empty one",
        )
    if correction.raw is not None and all(correction.fields[name] == now for name, now in correction.edits.items()):
        raise UsageError(
            "the correction changes nothing", where=correction.quarantine_id, fix="set a field to another value"
        )


def name_of(correction: Correction, contract: Contract) -> str:
    """Name the delivery: as the one that the record came in, in the same folder, marked with the record's id.

    Raises:
        UsageError: the contract's glob takes no name that can be made for it.
    """
    ingestion = ingestion_of(contract)
    path = PurePosixPath(correction.file)
    endings = [f"{suffix}{more}" for suffix in SUFFIXES[ingestion.format] for more in COMPRESSED]
    ending = max((end for end in (*endings, path.suffix) if path.name.endswith(end)), key=len, default="")
    stem = _MARKED.sub("", path.name.removesuffix(ending))
    mark = f"{MARK}{correction.quarantine_id}-{correction.number}"
    names = [str(path.with_name(f"{stem}{mark}{ending}"))]
    names += [glob.replace("**/", "").replace("*", mark.lstrip("-"), 1).replace("*", "") for glob in ingestion.globs]
    folders = folder_fields(correction.file, contract.source_fields)
    for name in names:
        told = folder_fields(name, contract.source_fields)
        if mark.lstrip("-") in name and ingestion.takes(name) and told == folders:
            return name
    raise UsageError(
        f"the glob {' or '.join(ingestion.globs)} takes no name that a correction of {correction.file} can have",
        where=str(contract.path),
        fix="deliver a corrected file by hand, and waive the record",
    )


def content_of(correction: Correction, contract: Contract, name: str) -> bytes:
    """Write the corrected record as a delivery of that name.

    Raises:
        UsageError: the format cannot say it: what is read back is another record. No value is repeated.
    """
    ingestion = ingestion_of(contract)
    folders = folder_fields(name, contract.source_fields)
    fields = {field: value for field, value in correction.corrected.items() if field not in folders}
    content = b""
    try:
        text, meant = WRITERS[ingestion.format](correction, fields, contract)
        content = _compressed(text.encode(Text(ingestion.encoding).codec), ingestion, name)
        wrong = _misread(content, meant, contract, name)
    except UnicodeEncodeError:
        wrong = f"{ingestion.encoding} lacks a character of it"
    except (csv.Error, BrokenError) as error:
        wrong = str(error)
    if wrong:
        raise UsageError(
            f"the corrected record cannot be written as {ingestion.format} by the contract: {wrong}",
            where=str(contract.path),
            fix="deliver a corrected file by hand, and waive the record",
        )
    return content


def _misread(content: bytes, meant: Fields, contract: Contract, name: str) -> str | None:
    """Say what is read back wrongly; ``None`` where all is well."""
    ingestion = ingestion_of(contract)
    batches = list(parse_stream(io.BytesIO(content), name, "", form_of(contract, ingestion)))
    rows = [row for batch in batches for row in batch.to_pylist()]
    if len(rows) != 1:
        return f"it is read as {len(rows)} records"
    if error := rows[0]["_parse_error"]:
        return error.split(":")[0]
    nulls = {None, *ingestion.null_values}
    for field in contract.source_fields:
        if field in meant and (read := rows[0][field]) != meant[field] and not {read, meant[field]} <= nulls:
            return f"{field} is read as something else"
    return None


def _csv(_correction: Correction, fields: Fields, contract: Contract) -> Written:
    ingestion = ingestion_of(contract)
    known = [field for field in contract.source_fields if field in fields]
    names = [*known, *(field for field in fields if field not in contract.source_fields)]
    out = io.StringIO(newline="")
    writer = csv.writer(
        out,
        delimiter=" " if ingestion.delimiter == "whitespace" else ingestion.delimiter,
        quotechar=ingestion.quote,
        quoting=csv.QUOTE_NONE if ingestion.quote is None else csv.QUOTE_MINIMAL,
        lineterminator="\n",
    )
    null = next(iter(ingestion.null_values), "")
    if ingestion.header != "none":
        writer.writerow(names)
    writer.writerow([null if (value := fields[name]) is None else value for name in names])
    return out.getvalue(), fields


def _json(correction: Correction, fields: Fields, contract: Contract) -> Written:
    """An object: the record's own with the corrected fields in their places."""
    reader = JsonReader()
    record: dict[str, Any] = {}
    if correction.raw is not None:
        codec = Text(ingestion_of(contract).encoding).codec
        record, _ = reader.line(correction.raw.decode(codec).removeprefix("\ufeff"))
    types = {field: column.logical_type for column in contract.columns for field in column.sources}
    changes = {
        field: _value(reader, value, types.get(field)) for field, value in correction.edits.items() if field in fields
    }
    for field, value in changes.items():
        _put(record, field, value)
    return json_of(record), {**fields, **{field: text_of(value) for field, value in changes.items()}}


def _put(record: dict[str, Any], field: str, value: Any) -> None:
    """Set a field where bronze reads it: by its name, or by the path that its name is."""
    *outer, last = [field] if field in record else field.split(".")
    for name in outer:
        if not isinstance(record.get(name), dict):
            record[name] = {}
        record = record[name]
    record[last] = value


def _value(reader: JsonReader, text: str | None, logical: str | None) -> Any:
    """A text as JSON has it: a number, a boolean or an object where the contract says so and it is one."""
    if text is None or logical not in _TYPED:
        return text
    value, error = reader.line(text)
    return text if error else value


def _json_line(correction: Correction, fields: Fields, contract: Contract) -> Written:
    text, meant = _json(correction, fields, contract)
    return f"{text}\n", meant


WRITERS: Final[Mapping[str, Callable[[Correction, Fields, Contract], Written]]] = {
    "csv": _csv,
    "json": _json,
    "jsonl": _json_line,
}
"""What writes a record, by format, and says what is to be read; the others have types, which a text has not."""


def _compressed(content: bytes, ingestion: Ingestion, name: str) -> bytes:
    told = PurePosixPath(name).suffix if ingestion.compression == "auto" else ingestion.compression
    if (codec := _CODECS.get(told)) is None:
        return content
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, codec) as out:
        out.write(content)
    return sink.getvalue().to_pybytes()


__all__ = ["Correction", "check_correctable", "check_fields", "content_of", "name_of"]
