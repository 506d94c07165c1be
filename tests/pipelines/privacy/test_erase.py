"""A person is erased: from files, tables, their history and their logs; nobody else is; and does not come back."""

from __future__ import annotations

import base64
import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pa_parquet
import pytest

from pipelines.bronze.ingest import ingest
from pipelines.contracts import Contract, Domain, load_contract
from pipelines.engine import Engine
from pipelines.errors import PipelineError, QualityError, UsageError
from pipelines.failpoints import FAILPOINTS
from pipelines.gold.build import holding_path
from pipelines.ledger import Ledger, Status
from pipelines.privacy.certificate import verify
from pipelines.privacy.erase import ErasureRequest, erase
from pipelines.privacy.keys import read_key
from pipelines.secret_references import SecretReference
from pipelines.settings import Layer
from pipelines.silver.refine import refine
from pipelines.silver.refinement import staging_path

if TYPE_CHECKING:
    from conftest import Lake, MakeContract

ANN = "ann.smith@example.org"
COLUMNS = (
    {"name": "id", "logicalType": "integer", "physicalType": "int", "required": True},
    {
        "name": "email",
        "logicalType": "string",
        "classification": "personal",
        "customProperties": [{"property": "masking", "value": {"method": "hash"}}],
    },
    {"name": "note", "logicalType": "string"},
)
SUBJECT = {"type": "customer", "columns": ["email"]}
FIRST = f"id,email,note\n1,{ANN},hello\n2,bob@example.org,tea\n3,{ANN},\n4,carl@example.org,asks for {ANN.upper()}\n"
SECOND = f'id,email,note\n5,bob@example.org,more\nx,{ANN},not a number\n6,"{ANN}\n'


def domain_of(contract: Contract) -> Domain:
    return Domain("test", contract.path.parent, (contract,), ())


@pytest.fixture
def contract(make_contract: MakeContract) -> Contract:
    """Customers with their e-mail addresses."""
    return make_contract(*COLUMNS, dataSubject=SUBJECT, ingestion={"format": "csv", "glob": "*"})


def request(lake: Lake, value: str = ANN) -> ErasureRequest:
    file = lake.folder / "value"
    file.write_text(value)
    file.chmod(0o600)
    return ErasureRequest("customer", SecretReference("file", str(file)), "dpo@example.org")


def run(engine: Engine, lake: Lake, contract: Contract, number: int) -> None:
    ingest(engine, contract, lake.run(number))
    refine(engine, contract, lake.run(number))


def filled(engine: Engine, lake: Lake, contract: Contract) -> None:
    lake.deliver("a.csv", FIRST)
    lake.deliver("b.csv.gz", gzip.compress(SECOND.encode(), mtime=0))
    run(engine, lake, contract, 1)


def forms(value: str) -> list[bytes]:
    return [
        value.encode(),
        value.encode("utf-16-le"),
        value.encode().hex().encode(),
        base64.b64encode(value.encode())[:20],
    ]


def bytes_of(lake: Lake) -> dict[str, bytes]:
    """Every file of the lake, unpacked where it is gzip; Parquet with its columns."""
    import pyarrow.parquet as pq

    found = {}
    for root in Layer:
        for file in (lake.folder / root.value).rglob("*"):
            if file.is_file():
                data = file.read_bytes()
                data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
                if data[:4] == b"PAR1":
                    data += repr(pq.ParquetFile(file).read().to_pylist()).encode()
                found[str(file.relative_to(lake.folder))] = data
    return found


def everything(engine: Engine, lake: Lake) -> dict[str, Any]:
    """Rows of every table, less what tells of a run."""
    return {layer.value: lake.rows(engine, layer) for layer in (Layer.BRONZE, Layer.SILVER, Layer.QUARANTINE)}


def test_a_person_is_nowhere_and_all_others_are(engine: Engine, lake: Lake, contract: Contract) -> None:
    filled(engine, lake, contract)
    assert any(ANN.encode() in data for data in bytes_of(lake).values())
    certificate = erase(engine, lake.run(2), domain_of(contract), request(lake))

    for file, data in bytes_of(lake).items():
        for form in forms(ANN):
            assert form.lower() not in data.lower(), file
    assert lake.rows(engine, Layer.BRONZE, "id") == [("2",), ("5",)]
    assert lake.rows(engine, Layer.SILVER, "id") == [(2,), (5,)]
    assert lake.rows(engine, Layer.QUARANTINE, "_rules") == []
    assert Path(lake.settings.deliveries("things"), "a.csv").read_text() == "id,email,note\n2,bob@example.org,tea\n"
    removed = {(one["layer"], Path(one["from"]).name): one["rows"] for one in certificate["removed"]}
    assert removed == {
        ("landing", "a.csv"): 3,
        ("landing", "b.csv.gz"): 2,
        ("bronze", "things"): 5,
        ("silver", "things"): 3,
        ("quarantine", "things"): 2,
    }
    assert certificate["mentions_of_others"] == 1
    assert certificate["search"]["found"] == 0
    assert certificate["search"]["files"] > 10

    before = everything(engine, lake)
    run(engine, lake, contract, 3)  # nothing is new, and nothing is missing
    assert everything(engine, lake) == before
    refine(engine, contract, lake.run(4), again=True)  # the count law holds of what is left
    assert everything(engine, lake) == before


class TestAfterwards:
    """What an erasure leaves behind."""

    def test_the_person_does_not_come_back(self, sail: Engine, lake: Lake, contract: Contract) -> None:
        filled(sail, lake, contract)
        erase(sail, lake.run(2), domain_of(contract), request(lake))
        before = everything(sail, lake)
        lake.deliver("a.csv", FIRST)  # the very same file again
        run(sail, lake, contract, 3)
        assert everything(sail, lake) == before
        lake.deliver("c.csv", FIRST + f'7,{ANN},back\n8,dora@example.org,new\n9,"{ANN},broken\n')
        run(sail, lake, contract, 4)
        assert lake.rows(sail, Layer.SILVER, "id") == [(2,), (5,), (8,)]
        rows = lake.rows(sail, Layer.BRONZE, "_raw")
        assert not any(ANN.encode() in (raw or b"") for (raw,) in rows)

    def test_the_ledger_tells_of_it(self, sail: Engine, lake: Lake, contract: Contract) -> None:
        filled(sail, lake, contract)
        erase(sail, lake.run(2), domain_of(contract), request(lake))
        entries = Ledger(sail, lake.settings).entries(Layer.BRONZE, "things")
        erased = [entry for entry in entries if entry.status is Status.ERASED and entry.rows]
        assert sorted((entry.file, entry.rows) for entry in erased) == [("a.csv", 1), ("b.csv.gz", 1)]

    def test_a_second_person_of_the_same_file(self, sail: Engine, lake: Lake, contract: Contract) -> None:
        filled(sail, lake, contract)
        erase(sail, lake.run(2), domain_of(contract), request(lake))
        erase(sail, lake.run(3), domain_of(contract), request(lake, "bob@example.org"))
        assert lake.rows(sail, Layer.BRONZE, "id") == []
        assert Path(lake.settings.deliveries("things"), "a.csv").read_text() == "id,email,note\n"
        run(sail, lake, contract, 4)
        assert lake.rows(sail, Layer.SILVER, "id") == []

    def test_the_certificate_is_written_once_and_verified(self, sail: Engine, lake: Lake, contract: Contract) -> None:
        filled(sail, lake, contract)
        made = erase(sail, lake.run(2), domain_of(contract), request(lake))
        (file,) = (lake.folder / "audit" / "test" / "erasures").rglob("*.json")
        kept = json.loads(file.read_text())
        key = read_key(lake.settings.pseudonym_key)
        verify(kept, key)
        assert kept == json.loads(json.dumps(made))
        assert ANN not in file.read_text()
        with pytest.raises(QualityError, match="was changed"):
            verify({**kept, "requested_by": "nobody"}, key)
        with pytest.raises(QualityError, match="signed with the key"):
            verify(kept, b"another" * 8)


class TestRefusals:
    """What an erasure says no to."""

    def test_an_unknown_type(self, sail: Engine, lake: Lake, contract: Contract) -> None:
        filled(sail, lake, contract)
        wrong = ErasureRequest("supplier", SecretReference("env", "NOBODY"), "dpo")
        with pytest.raises(UsageError, match="no contract of test has data subjects of the type 'supplier'"):
            erase(sail, lake.settings, domain_of(contract), wrong)

    def test_a_value_that_is_everywhere(self, sail: Engine, lake: Lake, contract: Contract) -> None:
        with pytest.raises(PipelineError, match="fewer than 4") as caught:
            erase(sail, lake.settings, domain_of(contract), request(lake, "abc"))
        assert "abc" not in str(caught.value)

    def test_a_file_that_was_not_taken_in(self, sail: Engine, lake: Lake, contract: Contract) -> None:
        filled(sail, lake, contract)
        lake.deliver("new.csv", FIRST + "9,x@example.org,\n")
        with pytest.raises(PipelineError, match="was never taken in") as caught:
            erase(sail, lake.run(2), domain_of(contract), request(lake))
        assert ANN not in str(caught.value)
        run(sail, lake, contract, 3)
        assert erase(sail, lake.run(4), domain_of(contract), request(lake))["search"]["found"] == 0

    def test_what_is_left_is_told(self, sail: Engine, lake: Lake, contract: Contract) -> None:
        filled(sail, lake, contract)
        stray = lake.folder / "gold" / "test" / "export.txt"
        stray.parent.mkdir(parents=True)
        stray.write_bytes(b"x" + base64.b64encode(b"to: " + ANN.encode()))
        with pytest.raises(QualityError, match=r"still in 1 places, the first: .*export[.]txt"):
            erase(sail, lake.run(2), domain_of(contract), request(lake))
        stray.unlink()
        assert erase(sail, lake.run(3), domain_of(contract), request(lake))["search"]["found"] == 0


def orphan(folder: Path, name: str) -> Path:
    """Plant what a writer leaves that is killed before its commit: a file that no log names."""
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    pa_parquet.write_table(pa.table({"id": [1], "note": [f"asks for {ANN}"]}), file)
    return file


class TestOfKilledWriters:
    """What they left is erased too, or the certificate tells of it."""

    def test_files_that_no_log_names_go(self, sail: Engine, lake: Lake, contract: Contract) -> None:
        filled(sail, lake, contract)
        for layer in (Layer.BRONZE, Layer.SILVER):
            table = Path(lake.settings.table_path(layer, "things"))
            orphan(table, "part-00000-killed.snappy.parquet")
            half = orphan(table, "part-00001-killed.snappy.parquet#1")  # under an upload's name, and not to its end
            half.write_bytes(half.read_bytes()[:-8])
            (table / "_delta_log" / "_commit_1.json.tmp").write_text(f'{{"add":{{"stats":"{ANN}"}}}}')
        for place in (staging_path(lake.settings, "things"), holding_path(lake.settings)):
            orphan(Path(place, "dead"), "part-0.parquet")
            Path(place, "dead.lock").touch()

        certificate = erase(sail, lake.run(2), domain_of(contract), request(lake))

        for file, data in bytes_of(lake).items():
            assert ANN.encode() not in data, file
            assert "killed" not in file, "half a file is read by nobody"
        assert (certificate["search"]["found"], certificate["search"]["unread"]) == (0, [])
        before = everything(sail, lake)
        assert lake.rows(sail, Layer.SILVER, "id") == [(2,), (5,)]
        run(sail, lake, contract, 3)
        assert everything(sail, lake) == before

    @pytest.mark.parametrize("layer", [Layer.BRONZE, Layer.SILVER])
    def test_a_file_of_a_writer_at_work_stays_and_is_told(
        self, sail: Engine, lake: Lake, contract: Contract, layer: Layer
    ) -> None:
        filled(sail, lake, contract)
        file = orphan(Path(lake.settings.table_path(layer, "things")), "part-00000-late.snappy.parquet")
        late = time.time() + 3600
        os.utime(file, (late, late))
        with pytest.raises(QualityError, match=rf"still in 1 places, the first: .*{layer.value}.*-late[.]snappy"):
            erase(sail, lake.run(2), domain_of(contract), request(lake))
        assert file.exists()
        os.utime(file, (0, 0))  # the writer was killed before its commit
        assert erase(sail, lake.run(3), domain_of(contract), request(lake))["search"]["found"] == 0
        assert not file.exists()


WORKER = """
import sys
from pathlib import Path
from pipelines.contracts import Domain, load_contract
from pipelines.engine import Engine
from pipelines.privacy.erase import ErasureRequest, erase
from pipelines.secret_references import SecretReference
from pipelines.settings import EngineName, Layer, RunSettings

folder, path, run_id = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
contract = load_contract(path)
settings = RunSettings(
    domain="test",
    dataset="things",
    roots={layer: str(folder / layer.value) for layer in Layer},
    run_id=run_id,
    pseudonym_key=SecretReference("file", str(folder / "key")),
)
request = ErasureRequest("customer", SecretReference("file", str(folder / "value")), "dpo@example.org")
erase(Engine.open(EngineName.SAIL), settings, Domain("test", path.parent, (contract,), ()), request)
"""


@pytest.mark.parametrize("name", [name for name in FAILPOINTS if name.startswith("erase.")])
def test_a_killed_erasure_is_finished_by_the_next(
    sail: Engine, lake: Lake, contract: Contract, make_lake: Callable[[], Lake], name: str
) -> None:
    filled(sail, lake, contract)
    request(lake)

    def worker(run_id: str, **more: str) -> int:
        command = [sys.executable, "-c", WORKER, str(lake.folder), str(contract.path), run_id]
        return subprocess.run(command, env={**os.environ, **more}, check=False, capture_output=True).returncode

    scratch = lake.folder / "tmp"
    scratch.mkdir()
    assert worker("run-2", LEVEE_FAILPOINT=name, TMPDIR=str(scratch)) == -signal.SIGKILL
    assert [file for file in scratch.rglob("*") if file.is_file()] == []
    certificate = erase(sail, lake.run(3), domain_of(contract), request(lake))
    assert certificate["erasure_id"] == "run-2"
    whole = make_lake()
    filled(sail, whole, contract)
    undisturbed = erase(sail, whole.run(2), domain_of(contract), request(whole))
    assert everything(sail, lake) == everything(sail, whole)
    counts = [sorted((one["layer"], one["rows"]) for one in each["removed"]) for each in (certificate, undisturbed)]
    assert counts[0] == counts[1]
    run(sail, lake, contract, 4)
    assert everything(sail, lake) == everything(sail, whole)


def test_somebody_of_another_type_may_be_called_the_same(sail: Engine, lake: Lake, contract: Contract) -> None:
    path = contract.path.with_name("others.odcs.yaml")
    path.write_text(contract.path.read_text().replace("things", "others").replace("type: customer", "type: member"))
    others = load_contract(path)
    filled(sail, lake, contract)
    delivered = Path(lake.settings.deliveries("others")) / "a.csv"
    delivered.parent.mkdir()
    delivered.write_text(f"id,email,note\n1,{ANN},hello\nx,{ANN},no number\n2,bob@example.org,tea\n")
    run(sail, lake, others, 1)
    both = Domain("test", contract.path.parent, (contract, others), ())

    certificate = erase(sail, lake.run(2), both, request(lake))

    assert (certificate["search"]["found"], certificate["search"]["coincidences"]["email"] > 0) == (0, True)
    assert ANN in delivered.read_text()
    assert sail.count(lake.settings.table_path(Layer.SILVER, "others")) == 2
    told = delivered.with_name("b.csv")
    told.write_text(f"id,email,note\n3,carl@example.org,knows {ANN}\n")
    run(sail, lake, others, 3)
    with pytest.raises(QualityError, match="still in"):
        erase(sail, lake.run(4), both, request(lake))


def test_a_history_is_erased_too(sail: Engine, lake: Lake, make_contract: MakeContract) -> None:
    history = {"type": 2, "businessKey": ["id"], "orderBy": ["id"]}
    contract = make_contract(*COLUMNS, dataSubject=SUBJECT, history=history)
    lake.deliver("a.csv", f"id,email,note\n1,{ANN},first\n2,bob@example.org,tea\n")
    run(sail, lake, contract, 1)
    lake.deliver("b.csv", f"id,email,note\n1,{ANN},second\n2,bob@example.org,coffee\n")
    run(sail, lake, contract, 2)
    assert len(lake.rows(sail, Layer.SILVER, "id")) == 4
    certificate = erase(sail, lake.run(3), domain_of(contract), request(lake))
    assert certificate["search"]["found"] == 0
    rows = lake.rows(sail, Layer.SILVER, "id", "note", "_is_current")
    assert {row[0] for row in rows} == {2}
    told = ("id", "email", "note", "_file", "_line", "_version", "_is_current", "_valid_to")
    before = lake.rows(sail, Layer.SILVER, *told)
    refine(sail, contract, lake.run(4), again=True)  # what is left is what a replay makes
    assert lake.rows(sail, Layer.SILVER, *told) == before
