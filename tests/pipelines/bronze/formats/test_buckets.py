"""Files behind Arrow's file systems, as buckets are, are read like those of this machine."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import IO, Any

import fastavro
import pyarrow as pa
import pyarrow.fs as pa_fs
import pyarrow.parquet as pq
import pytest

from pipelines.bronze import inspection, parser
from pipelines.bronze.formats.avro import AvroFormat
from pipelines.bronze.formats.delimited import CsvFormat
from pipelines.bronze.formats.form import Form
from pipelines.bronze.formats.json_document import JsonFormat
from pipelines.bronze.formats.json_lines import JsonLinesFormat
from pipelines.bronze.formats.parquet import ParquetFormat
from pipelines.bronze.storage import StoredFile

COUNT = 2000
LINES = b"".join(b'{"a": "%d"}\n' % number for number in range(COUNT))


def parquet() -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({"a": [str(number) for number in range(COUNT)]}), out, row_group_size=100)
    return out.getvalue()


def avro() -> bytes:
    out = io.BytesIO()
    schema = {"type": "record", "name": "r", "fields": [{"name": "a", "type": "string"}]}
    fastavro.writer(out, schema, [{"a": str(number)} for number in range(COUNT)], sync_interval=500)
    return out.getvalue()


@pytest.mark.parametrize(
    ("form", "data", "cut"),
    [
        (CsvFormat(fields=("a",), quote=None), LINES.replace(b'{"a": "', b"").replace(b'"}', b""), True),
        (JsonLinesFormat(fields=("a",)), LINES, True),
        (JsonLinesFormat(fields=("a",)), gzip.compress(LINES), False),
        (JsonFormat(fields=("a",)), b"[" + LINES.replace(b"}\n{", b"},\n{") + b"]", False),
        (ParquetFormat(fields=("a",)), parquet(), True),
        (AvroFormat(fields=("a",)), avro(), True),
    ],
    ids=["csv", "jsonl", "gzip", "json", "parquet", "avro"],
)
def test_a_stored_file_is_read_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: Form, data: bytes, cut: bool
) -> None:
    def opened(path: str) -> IO[bytes]:
        stream: Any = pa_fs.LocalFileSystem().open_input_file(path)
        return stream

    for module in (inspection, parser):
        monkeypatch.setattr(module, "open_file", opened)
    path = tmp_path / "f"
    path.write_bytes((b"a\n" if isinstance(form, CsvFormat) else b"") + data)
    found = inspection.Inspector(form, {}, 2000).inspect(StoredFile(str(path), "f", path.stat().st_size, 0))
    assert found.problem is None
    assert (len(found.pieces) > 1) is cut
    rows = [
        (str(path), "f", found.sha256, piece.start, piece.end, piece.line, piece.sha256)
        for piece in reversed(found.pieces)
    ]
    named = pa.table([list(column) for column in zip(*rows, strict=True)], schema=parser.PIECES)
    read = pa.Table.from_batches(parser.parse_deliveries(iter(named.to_batches()), form)).sort_by("_line")
    assert read["a"].to_pylist() == [str(number) for number in range(COUNT)]
