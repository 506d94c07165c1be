"""Looks for values in every byte of a folder: in files as they are, unpacked, and in the pages of Parquet.

Written for the tests, and knows nothing of how the platform searches.
"""

from __future__ import annotations

import base64
import bz2
import gzip
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import fastavro
import pyarrow as pa
import pyarrow.parquet as pa_parquet
import zstandard

PACKED = {b"\x1f\x8b": gzip.decompress, b"BZh": bz2.decompress}


def forms(value: str) -> Iterator[re.Pattern[bytes]]:
    """A value as text, in UTF-16, hexadecimal and Base64; a number stands alone."""
    octets = value.encode()
    alone = (rb"(?<![0-9A-Za-z.\-])", rb"(?![0-9A-Za-z\-])") if value.isdigit() else (b"", b"")
    yield re.compile(alone[0] + re.escape(octets) + alone[1], re.IGNORECASE)
    for encoding in ("utf-16-le", "utf-16-be"):
        yield re.compile(re.escape(value.encode(encoding)), re.IGNORECASE)
    yield re.compile(octets.hex().encode(), re.IGNORECASE)
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + octets)
        sure = whole[-(-before * 8 // 6) : (before + len(octets)) * 8 // 6]
        if len(sure) >= 6:
            yield re.compile(re.escape(sure))


def contents(path: Path) -> Iterator[bytes]:
    """A file's bytes, and what they say when unpacked."""
    data = path.read_bytes()
    yield data
    for magic, unpack in PACKED.items():
        if data.startswith(magic):
            yield unpack(data)
    if data.startswith(b"\x28\xb5\x2f\xfd"):
        yield zstandard.ZstdDecompressor().stream_reader(data).read()
    if data.startswith(b"Obj\x01"):
        with path.open("rb") as file:
            yield json.dumps(list(fastavro.reader(file)), default=str).encode()
    if data.startswith(b"PAR1"):
        yield from pages(path)


def pages(path: Path) -> Iterator[bytes]:
    """The texts of every column of a Parquet file; of numbers and times, no more than a text may say."""
    with pa_parquet.ParquetFile(path) as file:
        yield repr(file.metadata.metadata).encode()
        for batch in file.iter_batches(batch_size=1 << 16):
            for column in batch.columns:
                yield from texts(column)


def texts(column: pa.Array) -> Iterator[bytes]:
    """The texts of a column, one a line."""
    kind = column.type
    if pa.types.is_nested(kind):
        yield json.dumps(column.to_pylist(), default=str).encode()
    elif pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind):
        yield b"\n".join(value for value in column.unique().to_pylist() if value)
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        yield "\n".join(value for value in column.unique().to_pylist() if value).encode()


def found(folder: Path, values: Sequence[str]) -> list[str]:
    """Files in which one of the values stands, each with the form it was found by."""
    patterns = [pattern for value in values for pattern in forms(value)]
    return [
        f"{path.relative_to(folder)}: {pattern.pattern!r} in {data[max(0, hit.start() - 40) : hit.end() + 20]!r}"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        for data in contents(path)
        for pattern in patterns
        if (hit := pattern.search(data))
    ]
