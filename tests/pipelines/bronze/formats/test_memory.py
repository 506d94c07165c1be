"""A file of any size is read in bounded memory, whatever its form."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

RECORDS = 1_000_000
MOST = 320 << 20
"""Bytes that reading may add to a process; the files have 250 MB and more once they are decoded."""

PROGRAM = """
import resource, sys
from pathlib import Path
from pipelines.bronze.forms import FORMS
from pipelines.bronze.inspection import Inspector
from pipelines.bronze.parser import parse_span
from pipelines.bronze.span import Span
from pipelines.bronze.storage import StoredFile

path, form = Path(sys.argv[1]), FORMS[sys.argv[2]][0](fields=("id", "text"))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
looked = Inspector(form, {}).inspect(StoredFile(str(path), "f", path.stat().st_size, 0))
assert looked.problem is None, looked.problem
with path.open("rb") as raw:
    rows = sum(batch.num_rows for batch in parse_span(Span(raw), "f", looked.sha256, form))
print(rows, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10)
"""


def records() -> Iterator[dict[str, Any]]:
    for number in range(RECORDS):
        yield {"id": number, "text": f"{number * 7919 % 1_000_003:0240d}"}


def write(path: Path, form: str) -> None:
    with path.open("wb") as out:
        if form == "avro":
            fields = [{"name": "id", "type": "long"}, {"name": "text", "type": "string"}]
            fastavro.writer(out, {"type": "record", "name": "r", "fields": fields}, records())
        elif form == "parquet":
            rows = list(records())
            table = pa.table({name: [row[name] for row in rows] for name in ("id", "text")})
            pq.write_table(table, out, row_group_size=RECORDS, use_dictionary=False, compression="none")
        else:
            between = {"json": (b"[", b",", b"]"), "jsonl": (b"", b"\n", b"\n"), "csv": (b"id,text\n", b"\n", b"\n")}
            start, separator, end = between[form]
            out.write(start)
            for number, row in enumerate(records()):
                line = f"{row['id']},{row['text']}" if form == "csv" else json.dumps(row)
                out.write((separator if number else b"") + line.encode())
            out.write(end)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["csv", "json", "jsonl", "parquet", "avro"])
def test_memory_is_bounded(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"large.{form}"
    write(path, form)
    assert path.stat().st_size > 240 * RECORDS
    told = subprocess.run([sys.executable, "-c", PROGRAM, path, form], capture_output=True, text=True, check=True)
    rows, added = map(int, told.stdout.split())
    assert rows == RECORDS
    assert added < MOST, f"{added >> 20} MB"
