"""Files of the landing folder: staged under names that no delivery has, then renamed, then recorded.

A name says which range of the source its file covers and nothing of the run, so that a run which was killed is made
good by one that lands the same names. Staged names begin with ``_``, which bronze passes over, and are a run's own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, Any, cast

import pyarrow as pa
import pyarrow.fs as pa_fs
import pyarrow.parquet as pq

from pipelines.bronze.formats.values import json_of
from pipelines.contracts.extensions import Extraction
from pipelines.failpoints import failpoint
from pipelines.storage import file_system

STAGED = "_extract-"
"""How the names of staged files begin."""

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Landed:
    """One file.

    Attributes:
        name: Its name in the landing folder.
        sha256: Its bytes' digest, hexadecimal; ``None`` where Spark wrote it.
        rows: Records.
        bytes: Size.
    """

    name: str
    sha256: str | None
    rows: int
    bytes: int


class Landing:
    """The landing folder of one dataset.

    Args:
        folder: The folder or bucket URL.
        extraction: Form and compression of the files.
        owner: Name of the run, which staged files carry.
    """

    def __init__(self, folder: str, extraction: Extraction, owner: str) -> None:
        self._system, self._root = file_system(folder)
        self._extraction, self._owner = extraction, owner
        self._system.create_dir(self._root, recursive=True)

    def names(self, prefix: str) -> list[str]:
        """Names of the files in place that begin with `prefix`, in order."""
        folder, slash, begin = prefix.rpartition("/")
        selector = pa_fs.FileSelector(f"{self._root}/{folder}", allow_not_found=True)
        found = [info.base_name for info in self._system.get_file_info(selector) if info.is_file]
        return sorted(f"{folder}{slash}{name}" for name in found if name.startswith(begin))

    def sweep(self) -> None:
        """Delete what earlier runs staged and did not land; a run beside this one then fails, and lands nothing."""
        for name in self.names(STAGED):
            self._system.delete_file(f"{self._root}/{name}")

    def stage(self, stem: str, records: Iterable[Sequence[Record]], fields: Sequence[str] = ()) -> Landed:
        """Write one file beside the deliveries, with bounded memory.

        Args:
            stem: Its name without the suffix.
            records: Blocks of records.
            fields: Their fields, where each is text or null; without, they are objects of any form.
        """
        name = stem + self._extraction.suffix
        with self._system.open_output_stream(self._staged(name), compression=None) as raw:
            counted = _Counted(cast("IO[bytes]", raw))
            codec = self._extraction.compression
            if self._extraction.format == "parquet":
                rows = _write_parquet(counted, records, fields, codec)
            else:
                rows = _write_lines(counted, records, codec, _of_texts if fields else json_of)
        return Landed(name, counted.digest.hexdigest(), rows, counted.size)

    def publish(self, staged: Sequence[Landed]) -> None:
        """Give staged files their names, one after another."""
        failpoint("extract.staged")
        for file in staged:
            self._system.create_dir(str(PurePosixPath(self._root, file.name).parent), recursive=True)
            self._system.move(self._staged(file.name), f"{self._root}/{file.name}")
            failpoint("extract.landed")

    def discard(self, staged: Sequence[Landed]) -> None:
        """Delete staged files."""
        for file in staged:
            self._system.delete_file(self._staged(file.name))

    def _staged(self, name: str) -> str:
        return f"{self._root}/{STAGED}{self._owner}-{name.replace('/', '-')}"


class _Counted:
    """A stream that digests and counts what is written."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw, self.digest, self.size, self.closed = raw, hashlib.sha256(), 0, False

    def write(self, octets: bytes) -> int:
        """Write bytes."""
        self.digest.update(octets)
        size = memoryview(octets).nbytes
        self.size += size
        self._raw.write(octets)
        return size

    def tell(self) -> int:
        """Bytes so far."""
        return self.size

    def flush(self) -> None:
        """Nothing: whoever opened the stream closes it."""

    def close(self) -> None:
        """Nothing: whoever opened the stream closes it."""

    def writable(self) -> bool:
        """Yes."""
        return True

    def readable(self) -> bool:
        """No."""
        return False

    def seekable(self) -> bool:
        """No."""
        return False


_of_texts = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""JSON of an object of texts, six times as fast as `json_of`."""


def _write_lines(
    out: _Counted, records: Iterable[Sequence[Record]], codec: str, encode: Callable[[Record], str]
) -> int:
    rows = 0
    sink = pa.PythonFile(out, mode="w")
    stream = sink if codec == "none" else pa.CompressedOutputStream(sink, codec)
    try:
        for block in records:
            rows += len(block)
            stream.write("".join(f"{encode(record)}\n" for record in block).encode())
    finally:
        stream.close()
    return rows


def _write_parquet(out: _Counted, records: Iterable[Sequence[Record]], fields: Sequence[str], codec: str) -> int:
    rows = 0
    schema = pa.schema([(name, pa.string()) for name in fields])
    with pq.ParquetWriter(pa.PythonFile(out, mode="w"), schema, compression=codec) as writer:
        for block in records:
            rows += len(block)
            columns = [pa.array([record[name] for record in block], pa.string()) for name in fields]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
    return rows
