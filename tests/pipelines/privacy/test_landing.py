"""A person is in deliveries of every form and compression: found before, and out of the landing files after."""

from __future__ import annotations

import bz2
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.bronze.ingest import ingest
from pipelines.contracts import Contract, Domain
from pipelines.engine import Engine
from pipelines.errors import QualityError, SchemaError
from pipelines.privacy.erase import ErasureRequest, erase
from pipelines.privacy.lake_files import read_cells
from pipelines.privacy.needles import Needle
from pipelines.privacy.search import search
from pipelines.secret_references import SecretReference
from pipelines.settings import Layer
from pipelines.silver.refine import refine
from tests.pipelines.bronze.formats.test_parquet_avro import recompressed

if TYPE_CHECKING:
    from conftest import Lake, MakeContract

ANN, BOB = 4711017, 4711018
COLUMNS = (
    {"name": "id", "logicalType": "integer", "physicalType": "int", "required": True},
    {
        "name": "customer",
        "logicalType": "string",
        "classification": "personal",
        "customProperties": [{"property": "masking", "value": {"method": "hash"}}],
    },
)
SUBJECT = {"type": "customer", "columns": ["customer"]}
ROWS = [{"id": 1, "customer": ANN}, {"id": 2, "customer": BOB}, {"id": 3, "customer": ANN}]
MANY = [{"id": number, "customer": 5_000_000 + number} for number in range(4, 6_000)]
HISTORY = {"type": 1, "businessKey": ["id"]}


def zstd(data: bytes) -> bytes:
    out = pa.BufferOutputStream()
    with pa.CompressedOutputStream(out, "zstd") as packed:
        packed.write(data)
    return out.getvalue().to_pybytes()


def csv(rows: list[dict[str, int]]) -> bytes:
    return "".join(["id,customer\n", *(f"{row['id']},{row['customer']}\n" for row in rows)]).encode()


def lines(rows: list[Any]) -> bytes:
    return "".join(f"{json.dumps(row)}\n" for row in rows).encode()


def parquet(rows: list[dict[str, int]]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), out, compression="zstd", row_group_size=1)
    return out.getvalue()


def avro(rows: list[dict[str, int]]) -> bytes:
    fields = [{"name": name, "type": "long"} for name in ("id", "customer")]
    out = io.BytesIO()
    fastavro.writer(out, {"type": "record", "name": "r", "fields": fields}, rows, codec="deflate")
    return out.getvalue()


def feed(rows: list[dict[str, int]]) -> bytes:
    """A row a change; the last one makes of somebody who is erased somebody else."""
    events = [{"op": "c", "before": None, "after": row, "source": {"lsn": n}} for n, row in enumerate(rows, 1)]
    became = {"op": "u", "before": rows[-1], "after": {**rows[-1], "customer": 4711019}, "source": {"lsn": 99}}
    return lines([*events, became])


Case = tuple[str, Callable[[list[dict[str, int]]], bytes], dict[str, Any], bytes | None]
CASES: dict[str, Case] = {
    "csv, bzip2": ("a.csv.bz2", lambda r: bz2.compress(csv(r)), {"format": "csv"}, bz2.compress(csv(ROWS[1:2]))),
    "csv, split": ("a.csv", lambda r: csv(r + MANY), {"format": "csv", "splitBytes": 65_536}, csv(ROWS[1:2] + MANY)),
    "csv, a partition": ("id=7/a.csv", csv, {"format": "csv"}, csv(ROWS[1:2])),
    "jsonl, zstd": ("a.jsonl.zst", lambda rows: zstd(lines(rows)), {"format": "jsonl"}, zstd(lines(ROWS[1:2]))),
    "json, gzip": ("a.json.gz", lambda r: gzip.compress(json.dumps(r).encode(), mtime=0), {"format": "json"}, None),
    "Parquet": ("a.parquet", parquet, {"format": "parquet"}, None),
    "Avro": ("a.avro", avro, {"format": "avro"}, None),
    "Debezium": (
        "a.jsonl",
        feed,
        {"format": "jsonl", "envelope": "debezium"},
        lines([json.loads(feed(ROWS).splitlines()[1])]),
    ),
}


def domain_of(contract: Contract) -> Domain:
    return Domain("test", contract.path.parent, (contract,), ())


def erased(engine: Engine, lake: Lake, contract: Contract, number: int) -> dict[str, Any]:
    file = lake.folder / "value"
    file.write_text(str(ANN))
    file.chmod(0o600)
    request = ErasureRequest("customer", SecretReference("file", str(file)), "dpo@example.org")
    return erase(engine, lake.run(number), domain_of(contract), request)


def run(engine: Engine, lake: Lake, contract: Contract, number: int) -> None:
    ingest(engine, contract, lake.run(number))
    refine(engine, contract, lake.run(number))


def found(lake: Lake, value: int) -> set[str]:
    """Files of the landing folder in which the search finds somebody."""
    folder = lake.settings.deliveries("things")
    finds = search([folder], Needle((str(value),)), numbers={folder: ("customer",)}).finds
    return {str(Path(find.file).relative_to(folder)) for find in finds}


@pytest.mark.parametrize("case", CASES)
def test_a_file_loses_the_person_and_keeps_the_others(
    sail: Engine, lake: Lake, make_contract: MakeContract, case: str
) -> None:
    name, write, ingestion, left = CASES[case]
    more: dict[str, Any] = {"history": HISTORY} if case == "Debezium" else {}
    contract = make_contract(*COLUMNS, dataSubject=SUBJECT, ingestion=ingestion, **more)
    lake.deliver(name, write(ROWS))
    run(sail, lake, contract, 1)
    assert found(lake, ANN) == {name}
    assert ("splitBytes" in ingestion) == (Path(lake.settings.deliveries("things"), name).stat().st_size > 65_536)

    certificate = erased(sail, lake, contract, 2)

    assert (certificate["search"]["found"], certificate["search"]["unread"]) == (0, [])
    assert found(lake, ANN) == set()
    assert found(lake, BOB) == {name}, "what others have in it stays"
    if left is not None:
        assert Path(lake.settings.deliveries("things"), name).read_bytes() == left
    removed = {one["layer"]: one["rows"] for one in certificate["removed"]}
    assert removed["landing"] == removed["bronze"] == (3 if case == "Debezium" else 2)
    before = lake.rows(sail, Layer.BRONZE)
    run(sail, lake, contract, 3)
    assert lake.rows(sail, Layer.BRONZE) == before, "what is left of the file is no new delivery"
    assert len(before) == 1 + (len(MANY) if case == "csv, split" else 0)


def test_a_file_that_cannot_be_read_to_its_end_is_no_proof(
    sail: Engine, lake: Lake, make_contract: MakeContract
) -> None:
    contract = make_contract(*COLUMNS, dataSubject=SUBJECT, ingestion={"format": "csv"})
    lake.deliver("a.csv", csv(ROWS))
    lake.deliver("b.csv.gz", gzip.compress(csv(ROWS) * 99)[:-20])
    run(sail, lake, contract, 1)
    with pytest.raises(QualityError, match=r"1 files cannot be read to their end.*b[.]csv[.]gz"):
        erased(sail, lake, contract, 2)
    Path(lake.settings.deliveries("things"), "b.csv.gz").unlink()
    assert erased(sail, lake, contract, 3)["search"]["found"] == 0


def test_a_folder_that_names_people_is_refused(sail: Engine, lake: Lake, make_contract: MakeContract) -> None:
    contract = make_contract(*COLUMNS, ingestion={"format": "csv"})
    lake.deliver(f"customer={ANN}/a.csv", "id\n1\n")
    with pytest.raises(SchemaError, match="personal: its folder's name tells 'customer'"):
        ingest(sail, contract, lake.settings)


@pytest.mark.parametrize("codec", ["snappy", "zstandard", "xz", "bzip2"])
def test_every_codec_of_avro_is_searched(tmp_path: Path, codec: str) -> None:
    """fastavro asks for further packages for the first two."""
    path = tmp_path / "a.avro"
    out = io.BytesIO()
    plain = codec in ("snappy", "zstandard")
    schema = {"type": "record", "name": "r", "fields": [{"name": "who", "type": "string"}]}
    fastavro.writer(out, schema, [{"who": str(ANN) * 9}], codec="null" if plain else codec)
    path.write_bytes(recompressed(out.getvalue(), codec) if plain else out.getvalue())
    assert str(ANN).encode() in b"\n".join(value for cells in read_cells(str(path)) for value in cells.values)
