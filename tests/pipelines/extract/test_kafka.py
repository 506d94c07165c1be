"""A real broker of Apache Kafka, read by a stream that is killed and by offsets; and what a stream has committed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.bronze.storage import list_files
from pipelines.contracts import Contract
from pipelines.engine import Engine
from pipelines.extract.task import extract

HERE = Path(__file__).with_name("kafka")
CACHE = Path(__file__).parents[3] / ".levee" / "cache" / "kafka"
COLUMNS = tuple({"name": name, "logicalType": "string"} for name in ("key", "value", "topic", "partition", "timestamp"))
OFFSET = {"name": "offset", "logicalType": "integer", "physicalType": "bigint"}
SPARK = pytest.param("spark", marks=[pytest.mark.spark, pytest.mark.slow])


def jars(name: str) -> Path:
    """Fetch what a POM names through Maven, once."""
    pom = HERE / f"{name}.xml"
    folder = CACHE / f"{name}-{hashlib.sha256(pom.read_bytes()).hexdigest()[:12]}"
    if not folder.exists():
        if (maven := shutil.which("mvn")) is None:
            pytest.skip("there is no mvn to fetch Kafka's jars with (Debian: maven)")
        staged = folder.with_name(f"{folder.name}.{os.getpid()}")
        arguments = ["-q", "-B", "-f", str(pom), "dependency:copy-dependencies", f"-DoutputDirectory={staged}"]
        subprocess.run([maven, *arguments], check=True, capture_output=True, timeout=600)
        staged.rename(folder)
    return folder


def free_ports(number: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker on the loopback address; it dies with this process, however that ends."""
    java = ["java", "-Xmx384m", "-cp", f"{jars('broker')}/*"]
    folder = tmp_path_factory.mktemp("broker")
    port, control = free_ports(2)
    configuration = folder / "server.properties"
    configuration.write_text(
        f"""\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{control}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{control}
controller.listener.names=CONTROLLER
log.dirs={folder / "logs"}
num.partitions=2
offsets.topic.replication.factor=1
"""
    )
    identity = ["-t", "4L6g3nShT-eMCtK--X86sw", "-c", str(configuration)]
    subprocess.run([*java, "kafka.tools.StorageTool", "format", *identity], check=True, capture_output=True, timeout=60)
    tied = ["setpriv", "--pdeathsig", "KILL", "--", *java, "kafka.Kafka", str(configuration)]
    with (folder / "out").open("wb") as out, subprocess.Popen(tied, stdout=out, stderr=out) as process:
        try:
            deadline = time.monotonic() + 60
            while not listening(port):
                assert process.poll() is None, (folder / "out").read_text()
                assert time.monotonic() < deadline, "the broker does not listen"
                time.sleep(0.1)
            yield f"127.0.0.1:{port}"
        finally:
            process.kill()


def listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def of_topic(make_extracted: Callable[..., Contract]) -> Callable[..., Contract]:
    """Make the contract of ``things``, read from a topic by these keys of `kafka`."""

    def make(host: str, **kafka: Any) -> Contract:
        server = {"server": "events", "type": "kafka", "host": host}
        return make_extracted(*COLUMNS, OFFSET, server=server, format="parquet", kafka={"topic": "things", **kafka})

    return make


def work(lake: Any, contract: Contract, broker: str, *steps: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "LEVEE_SPARK_JARS": str(jars("session")), "LEVEE_SPARK_MEMORY": "1g"}
    arguments = [sys.executable, str(HERE / "worker.py"), str(lake.folder), str(contract.path), broker, *steps]
    return subprocess.Popen(arguments, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def dumped(worker: subprocess.Popen[str]) -> list[list[str]]:
    out, errors = worker.communicate(timeout=400)
    assert worker.returncode == 0, errors[-3000:]
    return json.loads(out.splitlines()[-1])


def whole(rows: list[list[str]], topic: str, number: int) -> None:
    """Every record once, with its place."""
    assert sorted(int(key) for key, *_ in rows) == list(range(number))
    assert {value for key, value, *_ in rows if key == "0"} == {"data:;base64,/wA="}
    assert all(json.loads(value)["id"] == int(key) for key, value, *_ in rows if key != "0")
    places = sorted((int(partition), int(offset)) for _, _, _, partition, offset, _ in rows)
    assert len(set(places)) == number
    assert all((partition, offset - 1) in places for partition, offset in places if offset)
    assert {name for _, _, name, *_ in rows} == {topic}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", row[-1]) for row in rows)


@pytest.mark.parametrize("engine_name", [SPARK])
def test_a_stream_that_is_killed_lands_every_record_once(lake, of_topic, broker, engine_name):
    contract = of_topic(broker, topic="streamed", mostRecords=100)
    metadata = Path(lake.settings.deliveries("things")) / "_spark_metadata"
    with work(lake, contract, broker, "produce:0:2000", "extract") as worker:
        deadline = time.monotonic() + 300
        while not (metadata / "3").exists():
            assert worker.poll() is None, worker.communicate()[1][-3000:]
            assert time.monotonic() < deadline, "the stream does not commit"
            time.sleep(0.05)
        worker.send_signal(signal.SIGKILL)
    assert not (metadata / "19").exists(), "the stream had ended before it was killed"

    steps = ("extract", "bronze", "produce:2000:2010", "extract", "extract", "bronze", "dump")
    with work(lake, contract, broker, *steps) as worker:
        whole(dumped(worker), "streamed", 2010)


@pytest.mark.parametrize("engine_name", [SPARK])
def test_recorded_offsets_land_every_record_once(lake, of_topic, broker, engine_name):
    contract = of_topic(broker, topic="batched", mode="batch")
    steps = ("produce:0:50", "extract", "bronze", "produce:50:60", "extract", "extract", "bronze", "dump")
    with work(lake, contract, broker, *steps) as worker:
        whole(dumped(worker), "batched", 60)
    names = sorted(path.name for path in Path(lake.settings.deliveries("things")).iterdir())
    assert {name[:14] for name in names} == {"000001-batched", "000002-batched"}


def test_an_engine_without_streams_says_that_it_did_not_run(sail: Engine, lake, of_topic, caplog):
    assert extract(sail, of_topic("127.0.0.1:1"), lake.run(1)) == []
    told = "extract of the topic things: needs streaming, which sail lacks"
    assert f"not run: {told}" in caplog.text
    (row,) = sail.rows(lake.settings.record_path("runs"), ["status", "not_run"]).to_pylist()
    assert row == {"status": "succeeded", "not_run": json.dumps([told])}


def test_only_what_a_stream_has_committed_is_delivered(tmp_path: Path) -> None:
    names = [f"part-{n:05d}.parquet" for n in range(5)]
    for name in names:
        (tmp_path / name).write_bytes(b"x" * 10)

    def listed() -> list[str]:
        return [stored.name for stored in list_files(str(tmp_path), lambda name: name.endswith(".parquet"))]

    assert listed() == names
    log = tmp_path / "_spark_metadata"
    log.mkdir()
    assert listed() == []

    def commit(batch: str, *files: str) -> None:
        entries = [json.dumps({"path": f"file://{tmp_path}/{file}", "size": 10, "action": "add"}) for file in files]
        (log / batch).write_text("\n".join(["v1", *entries]))

    commit("9.compact", names[0], names[1])
    commit("10", "part-00002.parquet".replace("-", "%2D"))
    commit(".11.a-uuid.tmp", names[3])
    assert listed() == names[:3]
    (log / "11").write_text("v2\n")
    with pytest.raises(ValueError, match="version 'v2'"):
        listed()


def test_a_stream_log_of_no_files_commits_none(tmp_path: Path) -> None:
    (tmp_path / "_spark_metadata").mkdir()
    (tmp_path / "_spark_metadata" / "0").write_text("v1")
    (tmp_path / "part-0.parquet").write_bytes(b"x")
    assert list(list_files(str(tmp_path), lambda name: True)) == []
