"""A delivery written anew without some of its records, in the form and under the compression that it has.

Records are known by their own bytes, as bronze has them in `_raw`: wherever a file was rewritten before, their numbers
may be others. A file is read and written a part at a time.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import mmap
import tempfile
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, cast

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.bronze.formats.avro import AvroFormat
from pipelines.bronze.formats.delimited import CsvFormat
from pipelines.bronze.formats.json_document import JsonFormat
from pipelines.bronze.formats.json_lines import JsonLinesFormat
from pipelines.bronze.formats.octets import Text, read_fully
from pipelines.bronze.formats.parquet import BATCH_ROWS, ParquetFormat
from pipelines.bronze.formats.records import raw_of
from pipelines.bronze.span import Span
from pipelines.bronze.storage import CHUNK

if TYPE_CHECKING:
    from pipelines.bronze.formats.form import Form

LINE_ENDS = b"\r\n"


class Leaving:
    """Records that are to leave a file, each as often as it is there.

    Args:
        raws: Their bytes, without the ends of their lines.
    """

    def __init__(self, raws: Iterable[bytes]) -> None:
        self._left = Counter(raws)

    def take(self, raw: bytes) -> bool:
        """Whether a record leaves; it counts as gone."""
        there = self._left[raw.rstrip(LINE_ENDS)] > 0
        if there:
            self._left[raw.rstrip(LINE_ENDS)] -= 1
        return there

    def beginning(self, line: bytes) -> list[bytes]:
        """The records whose first line this is, the longest first."""
        return sorted((raw for raw in self._by_first_line.get(line, ()) if self._left[raw]), key=len, reverse=True)

    @property
    def gone(self) -> bool:
        """Whether all of them were found."""
        return not any(self._left.values())

    @property
    def _by_first_line(self) -> Mapping[bytes, list[bytes]]:
        if not hasattr(self, "_index"):
            self._index: dict[bytes, list[bytes]] = {}
            for raw in self._left:
                self._index.setdefault(raw.split(b"\n", 1)[0].rstrip(LINE_ENDS), []).append(raw)
        return self._index


def rewrite(form: Form, source: IO[bytes], out: IO[bytes], raws: Iterable[bytes]) -> bool:
    """Write a file without records.

    Args:
        form: How it is written.
        source: The file, from its start, seekable.
        out: Where the new one goes.
        raws: Bytes of each record that leaves, without the end of its line.

    Returns:
        Whether each of them was found and left; where not, what is in `out` is of no use, and the file had better go as
        a whole.

    Raises:
        BrokenError: the file cannot be read to its end.
    """
    leaving = Leaving(raws)
    writer = _WRITERS.get(type(form))
    return writer is not None and writer(form, source, out, leaving) and leaving.gone


def _lines(form: Form, source: IO[bytes], out: IO[bytes], leaving: Leaving) -> bool:
    text = cast("CsvFormat | JsonLinesFormat", form).text
    if text.wide:
        return False
    with tempfile.TemporaryFile() as plain, _compressed(text, source, out) as packed:  # decompressed, for a second look
        stream = text.open(source)
        while octets := stream.read(CHUNK):
            plain.write(octets)
        plain.flush()
        if not plain.tell():
            return True
        with mmap.mmap(plain.fileno(), 0, access=mmap.ACCESS_READ) as whole:
            for start, end in _kept(whole, leaving):
                packed.write(whole[start:end])
    return True


def _kept(text: mmap.mmap, leaving: Leaving) -> Iterator[tuple[int, int]]:
    """Yield the pieces of a text between the records that leave."""
    start = at = 0
    while at < len(text):
        end = text.find(b"\n", at) + 1 or len(text)
        for raw in leaving.beginning(text[at:end].rstrip(LINE_ENDS)):
            behind = at + len(raw)
            rest = text[behind : behind + 2]
            if text[at:behind] == raw and (not rest or rest[:1] == b"\n" or rest == LINE_ENDS) and leaving.take(raw):
                yield start, at
                start = end = behind + (2 if rest == LINE_ENDS else len(rest[:1]))
                break
        at = end
    yield start, len(text)


def _document(form: Form, source: IO[bytes], out: IO[bytes], leaving: Leaving) -> bool:
    document = cast("JsonFormat", form)
    if document.text.wide:
        return False
    with _compressed(document.text, source, out) as packed:
        packed.write(b"[")
        first = True
        for record in document.records(source):
            if not leaving.take(raw := raw_of(record)):
                packed.write(raw if first else b",\n" + raw)
                first = False
        packed.write(b"]\n")
    return True


def _parquet(form: Form, source: IO[bytes], out: IO[bytes], leaving: Leaving) -> bool:
    file = pq.ParquetFile(source)
    groups = file.metadata.num_row_groups and file.metadata.num_columns
    compression = file.metadata.row_group(0).column(0).compression if groups else "snappy"
    schema = file.schema_arrow
    with (
        tempfile.TemporaryFile() as copy,  # read side by side with the first: once as rows, once as bronze has them
        pq.ParquetWriter(out, schema, compression=compression.lower().replace("uncompressed", "none")) as writer,
    ):
        source.seek(0)
        while octets := source.read(CHUNK):
            copy.write(octets)
        for batch, rows in zip(file.iter_batches(BATCH_ROWS), form.read(Span(cast("IO[bytes]", copy))), strict=True):
            stay = pa.array([not leaving.take(raw) for raw in rows.raw.to_pylist()], pa.bool_())
            writer.write_batch(batch.filter(stay))
    return True


def _avro(form: Form, source: IO[bytes], out: IO[bytes], leaving: Leaving) -> bool:
    del form
    from pipelines.bronze.formats.avro_container import (
        place_records,
        read_blocks,
        read_header,
        write_block,
        write_header,
    )
    from pipelines.bronze.formats.records import Record

    header = read_header(source)
    kept = write_header(out, header)
    for block in read_blocks(source, header):
        stay = [
            octets for value, octets in place_records(block, header) if not leaving.take(raw_of(Record(value, None, 0)))
        ]
        if stay:
            write_block(out, kept, stay)
    return True


_WRITERS: dict[type[Form], Callable[[Form, IO[bytes], IO[bytes], Leaving], bool]] = {
    CsvFormat: _lines,
    JsonLinesFormat: _lines,
    JsonFormat: _document,
    ParquetFormat: _parquet,
    AvroFormat: _avro,
}


@contextmanager
def _compressed(text: Text, source: IO[bytes], out: IO[bytes]) -> Generator[IO[bytes]]:
    """What writes under the compression that a file has."""
    match text.compressed(source):
        case "gzip":
            with gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as packed:
                yield cast("IO[bytes]", packed)
        case "bzip2":
            with bz2.BZ2File(out, "wb") as packed:
                yield cast("IO[bytes]", packed)
        case "zstd":
            with pa.CompressedOutputStream(pa.PythonFile(_Open(out), mode="w"), "zstd") as packed:
                yield cast("IO[bytes]", packed)
        case _:
            yield out


class _Open:
    """A file that Arrow does not close when it has written what it holds back."""

    closed = False

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out

    def write(self, octets: bytes) -> int:
        return self._out.write(octets)

    def flush(self) -> None:
        self._out.flush()

    def close(self) -> None:
        self.flush()


def sha256_of(file: IO[bytes]) -> str:
    """Digest of a file from its start, hexadecimal."""
    file.seek(0)
    digest = hashlib.sha256()
    while octets := read_fully(file, CHUNK):
        digest.update(octets)
    return digest.hexdigest()


__all__ = ["rewrite", "sha256_of"]
