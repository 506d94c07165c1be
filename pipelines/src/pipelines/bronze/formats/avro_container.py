"""Avro's object container files (Avro 1.12, "Object Container Files"): header, blocks, sync markers.

fastavro decodes the records; the container is walked here, because a file is cut at its sync markers, and because
snappy and Zstandard are at hand in Arrow.
"""

from __future__ import annotations

import bz2
import io
import json
import lzma
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import IO, Any, cast

import fastavro
import pyarrow as pa

from pipelines.bronze.formats.form import BrokenError
from pipelines.bronze.formats.octets import Readable, read_fully

MAGIC = b"Obj\x01"
SYNC_BYTES = 16
MAX_BLOCK_BYTES = 256 << 20
"""Bytes of a block; a larger one does not fit a worker's memory, or its length is no length."""
_LONG = fastavro.parse_schema({"type": "long"})
_METADATA = fastavro.parse_schema({"type": "map", "values": "bytes"})
_CRC_BYTES = 4
_VARINT_BYTES = 10


@dataclass(frozen=True, slots=True)
class Header:
    """What stands before the blocks.

    Attributes:
        schema: The writer's schema, parsed by fastavro.
        codec: How blocks are compressed.
        sync: What ends every block.
        metadata: All that the header says, by key.
    """

    schema: Any
    codec: str
    sync: bytes
    metadata: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class AvroBlock:
    """One block.

    Attributes:
        start: Its first byte, counted from where reading began.
        records: Records in it.
        data: Their bytes, decompressed.
    """

    start: int
    records: int
    data: bytes


class _Counted:
    """A stream that knows how far it was read."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self.position = 0

    def read(self, size: int = -1, /) -> bytes:
        octets = self._stream.read(size)
        self.position += len(octets)
        return octets


def read_header(stream: Readable) -> Header:
    """Read the header, after which the first block stands.

    Raises:
        BrokenError: this is no container, or of a codec that is not read.
    """
    if read_fully(stream, len(MAGIC)) != MAGIC:
        raise BrokenError("not-avro: it does not begin as an object container file")
    try:
        metadata = cast("dict[str, bytes]", fastavro.schemaless_reader(cast("Any", stream), _METADATA, None))
        schema = fastavro.parse_schema(json.loads(metadata["avro.schema"]))
        codec = metadata.get("avro.codec", b"null").decode()
    except Exception as error:  # noqa: BLE001 - the decoder raises whatever the bytes make it stumble over
        raise BrokenError(f"corrupt: its header cannot be read ({type(error).__name__}: {error})") from None
    if codec not in CODECS:
        raise BrokenError(f"not-avro: its codec is {codec}; read are {', '.join(CODECS)}")
    sync = read_fully(stream, SYNC_BYTES)
    if len(sync) < SYNC_BYTES:
        raise BrokenError("truncated: it ends within its header")
    return Header(schema, codec, sync, metadata)


def read_blocks(stream: Readable, header: Header) -> Iterator[AvroBlock]:
    """Read blocks to the end of the stream.

    Raises:
        BrokenError: a block is cut off, corrupt, or does not end in the file's sync marker.
    """
    counted = _Counted(stream)
    while True:
        start = counted.position
        first = counted.read(1)
        if not first:
            return
        records, size = _long(counted, first), _long(counted, counted.read(1))
        if records < 0 or not 0 <= size <= MAX_BLOCK_BYTES:
            raise BrokenError(f"corrupt: a block of {records} records in {size} bytes")
        data = read_fully(counted, size)
        sync = read_fully(counted, SYNC_BYTES)
        if len(data) < size or len(sync) < SYNC_BYTES:
            raise BrokenError("truncated: the file ends within a block; the delivery is incomplete")
        if sync != header.sync:
            raise BrokenError("corrupt: a block does not end in the file's sync marker")
        try:
            yield AvroBlock(start, records, CODECS[header.codec](data))
        except (ValueError, OSError, EOFError, zlib.error, lzma.LZMAError, pa.ArrowException) as error:
            raise BrokenError(f"corrupt: a block cannot be decompressed ({error})") from None


def read_records(block: AvroBlock, header: Header) -> Iterator[Any]:
    """Decode a block's records.

    Raises:
        BrokenError: the bytes are not those of so many records of the schema.
    """
    return (value for value, _ in place_records(block, header))


def place_records(block: AvroBlock, header: Header) -> Iterator[tuple[Any, bytes]]:
    """Decode a block's records, each with its own bytes.

    Raises:
        BrokenError: the bytes are not those of so many records of the schema.
    """
    data = io.BytesIO(block.data)
    try:
        for _ in range(block.records):
            start = data.tell()
            value = fastavro.schemaless_reader(data, header.schema, None)
            yield value, block.data[start : data.tell()]
    except GeneratorExit:
        raise
    except Exception as error:  # noqa: BLE001 - the decoder raises whatever the bytes make it stumble over
        raise BrokenError(f"corrupt: a record cannot be decoded ({type(error).__name__}: {error})") from None
    if data.tell() != len(block.data):
        raise BrokenError("corrupt: bytes are left behind a block's last record")


def write_header(out: IO[bytes], header: Header) -> Header:
    """Write a header with the same schema and sync marker; return it: blocks that were compressed get `deflate`."""
    codec = "null" if header.codec == "null" else "deflate"
    metadata = {**header.metadata, "avro.codec": codec.encode()}
    out.write(MAGIC)
    fastavro.schemaless_writer(cast("Any", out), _METADATA, cast("Any", metadata))
    out.write(header.sync)
    return replace(header, codec=codec, metadata=metadata)


def write_block(out: IO[bytes], header: Header, records: Sequence[bytes]) -> None:
    """Write a block of encoded records."""
    data = b"".join(records)
    if header.codec == "deflate":
        packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        data = packer.compress(data) + packer.flush()
    fastavro.schemaless_writer(cast("Any", out), _LONG, cast("Any", len(records)))
    fastavro.schemaless_writer(cast("Any", out), _LONG, cast("Any", len(data)))
    out.write(data + header.sync)


def _long(stream: Readable, octet: bytes) -> int:
    """Read a zigzag number of variable length whose first byte is `octet`."""
    value = 0
    for shift in range(0, 7 * _VARINT_BYTES, 7):
        if not octet:
            raise BrokenError("truncated: the file ends within a block; the delivery is incomplete")
        value |= (octet[0] & 0x7F) << shift
        if octet[0] < 0x80:
            return (value >> 1) ^ -(value & 1)
        octet = stream.read(1)
    raise BrokenError("corrupt: a length without an end")


def _snappy(data: bytes) -> bytes:
    """Snappy's block format, which begins with its length, and a checksum of what comes out of it."""
    body, checksum = data[:-_CRC_BYTES], data[-_CRC_BYTES:]
    size = 0
    for place, octet in enumerate(body[:5]):
        size |= (octet & 0x7F) << (7 * place)
        if octet < 0x80:
            break
    if size > MAX_BLOCK_BYTES:
        raise ValueError(f"{size} bytes")
    plain = cast("bytes", pa.decompress(body, decompressed_size=size, codec="snappy", asbytes=True))
    if zlib.crc32(plain).to_bytes(_CRC_BYTES, "big") != checksum:
        raise ValueError("its checksum is another")
    return plain


def _zstandard(data: bytes) -> bytes:
    return pa.CompressedInputStream(pa.BufferReader(data), "zstd").read()


CODECS: dict[str, Callable[[bytes], bytes]] = {
    "null": lambda data: data,
    "deflate": lambda data: zlib.decompress(data, -zlib.MAX_WBITS),
    "bzip2": bz2.decompress,
    "xz": lzma.decompress,
    "snappy": _snappy,
    "zstandard": _zstandard,
}
"""What decompresses a block, by the codec's name in the header."""
