"""Milliseconds a call of the stand-in, in a process of its own, over gRPC.

    uv run python bench/standin.py [--resources 1000] [--threads 8]

Drives Check, Create (preview), Create, Read, Diff and Delete for a mix of types of six packages, as the engine does,
and prints milliseconds a call, first with one caller, then with several; the stand-in's own CPU time a call beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from levee.engine.standin import wire

SITE_PACKAGES = sysconfig.get_paths()["purelib"]
TAGS = {"owner": "data-platform", "cost-centre": "4711", "environment": "dev", "managed-by": "levee"}
MIX: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("aws", "aws:s3/bucket:Bucket", {"tags": TAGS, "forceDestroy": True}),
    ("aws", "aws:kms/key:Key", {"tags": TAGS, "enableKeyRotation": True}),
    (
        "aws",
        "aws:iam/role:Role",
        {"tags": TAGS, "assumeRolePolicy": json.dumps({"Version": "2012-10-17", "Statement": []})},
    ),
    (
        "azure-native",
        "azure-native:storage:StorageAccount",
        {
            "kind": "StorageV2",
            "resourceGroupName": "rg",
            "sku": {"name": "Standard_LRS"},
            "tags": TAGS,
        },
    ),
    ("gcp", "gcp:storage/bucket:Bucket", {"location": "EU", "labels": TAGS, "versioning": {"enabled": True}}),
    (
        "databricks",
        "databricks:index/job:Job",
        {
            "tasks": [{"taskKey": f"t{n}", "notebookTask": {"notebookPath": "/x"}} for n in range(4)],
            "tags": TAGS,
        },
    ),
    ("kubernetes", "kubernetes:core/v1:ConfigMap", {"data": {"a": "b"}, "metadata": {"labels": TAGS}}),
    ("random", "random:index/randomId:RandomId", {"byteLength": 4}),
)


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resources", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=8)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for attempt in ("cold cache", "warm cache"):
            started = time.perf_counter()
            process, ports = start(Path(folder))
            ready = time.perf_counter() - started
            stubs = {p: connect(p, port) for p, port in ports.items()}
            print(f"start-up, {attempt}: {ready * 1000:.0f} ms")
            first = time.perf_counter()
            for n in range(len(MIX)):
                life(stubs, n, f"warm-{attempt}-{n}")
            print(f"first life of {len(MIX)} types, {attempt}: {(time.perf_counter() - first) * 1000:.0f} ms")
            if attempt == "warm cache":
                print(f"{'':34}{'ms a call':>12}{'CPU ms a call':>16}")
                for threads in (1, arguments.threads):
                    run(stubs, process.pid, arguments.resources, threads)
            assert process.stdin is not None
            process.stdin.close()
            process.wait()


def start(folder: Path) -> tuple[subprocess.Popen[str], dict[str, int]]:
    """A stand-in process and its ports."""
    command = [sys.executable, "-m", "levee.engine.standin", "--site-packages", SITE_PACKAGES]
    command += [
        "--cloud",
        str(folder / "cloud.sqlite"),
        "--log",
        str(folder / "log.jsonl"),
        "--cache",
        str(folder / "sdk"),
    ]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())["ports"]


def connect(package: str, port: int) -> Any:
    """A configured stub."""
    stub = provider_pb2_grpc.ResourceProviderStub(grpc.insecure_channel(f"127.0.0.1:{port}"))
    urn = f"urn:pulumi:dev::bench::pulumi:providers:{package}::default"
    stub.Configure(provider_pb2.ConfigureRequest(urn=urn, args=wire.encode({"region": "eu-west-1"})))
    return stub


def life(stubs: dict[str, Any], number: int, name: str, clock: dict[str, float] | None = None) -> None:
    """One resource from Check to Delete."""
    package, token, inputs = MIX[number % len(MIX)]
    stub, urn = stubs[package], f"urn:pulumi:dev::bench::{token}::{name}"
    known: dict[str, Any] = {"urn": urn, "type": token, "name": name}

    def timed(label: str, call: Callable[[], Any]) -> Any:
        started = time.perf_counter()
        answer = call()
        if clock is not None:
            clock[label] = clock.get(label, 0.0) + time.perf_counter() - started
        return answer

    news, nothing = wire.encode(inputs), wire.encode({})
    checked = timed("Check", lambda: stub.Check(provider_pb2.CheckRequest(news=news, olds=nothing, **known)))
    assert not checked.failures, checked.failures
    timed(
        "Create (preview)",
        lambda: stub.Create(provider_pb2.CreateRequest(properties=checked.inputs, preview=True, **known)),
    )
    made = timed("Create", lambda: stub.Create(provider_pb2.CreateRequest(properties=checked.inputs, **known)))
    state: dict[str, Any] = {"id": made.id, **known}
    timed(
        "Read",
        lambda: stub.Read(provider_pb2.ReadRequest(properties=made.properties, inputs=checked.inputs, **state)),
    )
    timed(
        "Diff",
        lambda: stub.Diff(
            provider_pb2.DiffRequest(olds=made.properties, old_inputs=checked.inputs, news=checked.inputs, **state)
        ),
    )
    timed("Delete", lambda: stub.Delete(provider_pb2.DeleteRequest(properties=made.properties, **state)))


def run(stubs: dict[str, Any], pid: int, resources: int, threads: int) -> None:
    """Time so many lives and print a line a call."""
    clocks: list[dict[str, float]] = [{} for _ in range(threads)]
    cpu, started = cpu_seconds(pid), time.perf_counter()

    def work(thread: int) -> None:
        for n in range(thread, resources, threads):
            life(stubs, n, f"r{threads}-{n}", clocks[thread])

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))
    wall, spent, calls = time.perf_counter() - started, cpu_seconds(pid) - cpu, resources * 6
    print(
        f"{threads} caller(s), {resources} resources: {'':4}{wall * 1000 / calls:>10.3f}{spent * 1000 / calls:>16.3f}"
    )
    if threads == 1:
        for label in clocks[0]:
            print(f"  {label:<32}{clocks[0][label] * 1000 / resources:>12.3f}")


def cpu_seconds(pid: int) -> float:
    """User and system time that a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
