"""Every file of a lake, and what stands in it, decoded.

Parquet is read column by column, compressed files are unpacked, JSON is read value by value with its keys, Avro record
by record; anything else is its bytes. Numbers of Parquet and JSON are no texts: only strings and bytes are handed on,
and the numbers of columns that are asked for.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs as pa_fs
import pyarrow.parquet as pa_parquet

from pipelines.bronze.formats.form import BrokenError
from pipelines.bronze.formats.octets import UTF_8, Readable, read_fully
from pipelines.storage import is_url, open_file

BLOCK = 16 << 20
OVERLAP = 4096
"""Bytes of the block before that are looked at again with the next: longer than any value."""
LONGEST_JSON = 64 << 20
RECORDS = frozenset({"_raw", "_rescued"})
"""Columns that hold a source's records: texts, whatever they look like."""
PARQUET, AVRO = b"PAR1", b"Obj\x01"
"""How files of these formats begin."""


@dataclass(frozen=True, slots=True)
class Cells:
    """Values of one column of one file.

    Attributes:
        column: Name, the innermost of a nested one; empty for the bytes of a file without columns.
        values: Distinct within one block of the file.
    """

    column: str
    values: tuple[bytes, ...]


def absolute(place: str) -> str:
    """A place as `lake_files` begins the names of what lies below it."""
    return place.rstrip("/") if is_url(place) else str(Path(place.removeprefix("file://")).absolute())


def lake_files(root: str) -> Iterator[tuple[str, int]]:
    """Yield place and size of every file below a root, in order; a root that is not there has none."""
    if is_url(root):
        system, inner = pa_fs.FileSystem.from_uri(root)
    else:
        system, inner = pa_fs.LocalFileSystem(), absolute(root)
    infos = system.get_file_info(pa_fs.FileSelector(inner, recursive=True, allow_not_found=True))
    prefix = absolute(root)
    for info in sorted((info for info in infos if info.is_file), key=lambda info: info.path):
        yield prefix + info.path[len(inner.rstrip("/")) :], info.size or 0


def read_cells(path: str, numbers: Collection[str] = ()) -> Iterator[Cells]:
    """Yield what stands in a file.

    Args:
        path: The file.
        numbers: Columns whose numbers are handed on too, as text.

    Raises:
        BrokenError: it is cut off or corrupt; what stands before that was yielded.
    """
    with open_file(path) as raw:
        magic = raw.read(4)
        raw.seek(0)
        if magic == PARQUET:
            yield from _parquet(raw, numbers)
        elif magic == AVRO:
            yield from _avro(raw, numbers)
        else:
            yield from _plain(UTF_8.open(raw), numbers)


def read_bytes(path: str) -> Iterator[Cells]:
    """Yield a file's bytes as they are."""
    with open_file(path) as raw:
        yield from _blocks(raw, raw.read(BLOCK))


def _plain(stream: Readable, numbers: Collection[str]) -> Iterator[Cells]:
    head = read_fully(stream, LONGEST_JSON)
    if head[:1] in (b"{", b"[") and len(head) < LONGEST_JSON:
        try:
            texts = [json.loads(line) for line in head.splitlines() if line.strip()]
        except ValueError:
            try:
                texts = [json.loads(head)]
            except ValueError:
                texts = []
        if texts:
            yield from (Cells(key, (value.encode(),)) for key, value in texts_of(texts, "", numbers))
            return
    yield from _blocks(stream, head)


def _blocks(stream: Readable, head: bytes) -> Iterator[Cells]:
    while head:
        yield Cells("", (head,))
        more = stream.read(BLOCK)
        head = head[-OVERLAP:] + more if more else b""


def texts_of(value: Any, key: str, numbers: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield every text below a JSON value with its key; a text that is JSON itself is read likewise."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield key, str(name)
            yield from texts_of(inner, str(name), numbers)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_of(inner, key, numbers)
    elif isinstance(value, str):
        if value[:1] in ("{", "["):
            try:
                yield from texts_of(json.loads(value), key, numbers)
            except ValueError:
                yield key, value
        else:
            yield key, value
    elif value is not None and not isinstance(value, bool) and key in numbers:
        yield key, str(value)


def _parquet(raw: IO[bytes], numbers: Collection[str]) -> Iterator[Cells]:
    try:
        yield from _columns(raw, numbers)
    except pa.ArrowException as error:
        raise BrokenError(f"corrupt: {error}") from None
    except OSError as error:
        if error.errno is not None:
            raise  # the storage's own
        raise BrokenError(f"corrupt: {error}") from None


def _columns(raw: IO[bytes], numbers: Collection[str]) -> Iterator[Cells]:
    with pa_parquet.ParquetFile(raw) as file:
        for key, value in (file.metadata.metadata or {}).items():
            if key != b"ARROW:schema":
                yield Cells("", (key, value))
        for batch in file.iter_batches():
            for name, column in zip(batch.schema.names, batch.columns, strict=True):
                yield from _column(name, column, numbers)


def _column(name: str, column: pa.Array, numbers: Collection[str]) -> Iterator[Cells]:
    kind = column.type
    if pa.types.is_struct(kind):
        for field, inner in zip(kind, column.flatten(), strict=True):
            yield from _column(field.name, inner, numbers)
    elif pa.types.is_map(kind):
        yield from _column(name, column.keys, numbers)
        yield from _column(name, column.items, numbers)
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        yield from _column(name, column.flatten(), numbers)
    elif pa.types.is_dictionary(kind):
        yield from _column(name, column.dictionary, numbers)
    elif _is_text(kind) or name in numbers:
        distinct = pc.unique(column if _is_text(kind) else column.cast(pa.string()))  # ty: ignore[missing-attribute]
        values = [v.encode() if isinstance(v, str) else v for v in distinct.to_pylist() if v is not None]
        documents = [value for value in values if name not in RECORDS and value[:1] in (b"{", b"[")]
        yield Cells(name, tuple(value for value in values if value not in documents))
        for document in documents:  # statistics of Delta's, counts by rule, ...
            texts = texts_of(document.decode("utf-8", "replace"), name, numbers)
            yield from (Cells(key, (text.encode(),)) for key, text in texts)


def _is_text(kind: pa.DataType) -> bool:
    return any(
        check(kind)
        for check in (
            pa.types.is_string,
            pa.types.is_large_string,
            pa.types.is_string_view,
            pa.types.is_binary,
            pa.types.is_large_binary,
            pa.types.is_binary_view,
            pa.types.is_fixed_size_binary,
        )
    )


def _avro(raw: IO[bytes], numbers: Collection[str]) -> Iterator[Cells]:
    from pipelines.bronze.formats.avro_container import read_blocks, read_header, read_records

    header = read_header(raw)
    for key, value in header.metadata.items():
        yield Cells(key, (value,))
    for block in read_blocks(raw, header):
        for record in read_records(block, header):
            yield from (Cells(key, (text.encode(),)) for key, text in texts_of(_plain_json(record), "", numbers))


def _plain_json(value: Any) -> Any:
    return json.loads(
        json.dumps(value, default=lambda other: other.decode("latin-1") if isinstance(other, bytes) else str(other))
    )
