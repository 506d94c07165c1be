"""The stand-in as the processes that it really is."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

SITE_PACKAGES = sysconfig.get_paths()["purelib"]
PATIENCE_SECONDS = 120
"""What a busy machine may take to end a process; a quiet one takes a second."""


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    module = [sys.executable, "-m", "levee.engine.standin"]
    return [*module, "--site-packages", SITE_PACKAGES, "--cloud", str(tmp_path / "cloud.sqlite")]


@pytest.fixture
def start(command: list[str]) -> Iterator[list[subprocess.Popen[str]]]:
    """A process that was started is ended, whatever the test did."""
    running: list[subprocess.Popen[str]] = []
    yield running
    for process in running:
        if process.poll() is None:
            process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            pipe.close()


def popen(running: list[subprocess.Popen[str]], command: list[str]) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
    running.append(process)
    return process


def plugin_version(port: int) -> str:
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        return provider_pb2_grpc.ResourceProviderStub(channel).GetPluginInfo(Empty(), wait_for_ready=True).version


def test_one_line_when_ready_and_gone_with_its_parent(command: list[str], start: list[subprocess.Popen[str]]) -> None:
    process = popen(start, command)
    assert process.stdout is not None
    assert process.stdin is not None
    ready = json.loads(process.stdout.readline())
    assert ready["pid"] == process.pid
    assert {"aws", "azure-native", "databricks", "gcp", "kubernetes", "random"} <= ready["ports"].keys()
    assert "policy" not in ready["ports"]
    assert plugin_version(ready["ports"]["gcp"]) == "10.2.0"
    process.stdin.close()
    assert process.wait(timeout=PATIENCE_SECONDS) == 0


def test_an_operation_that_waits_does_not_hold_up_the_end(
    command: list[str], start: list[subprocess.Popen[str]], tmp_path: Path
) -> None:
    """A fault that makes a creation slow waits longer than this test would."""
    rules = tmp_path / "faults.yaml"
    rules.write_text("faults:\n  - {action: slow, seconds: 3600, after: true}\n")
    process = popen(start, [*command, "--packages", "random", "--faults", str(rules), "--log", str(tmp_path / "log")])
    assert process.stdout is not None
    assert process.stdin is not None
    port = json.loads(process.stdout.readline())["ports"]["random"]
    token = "random:index/randomPet:RandomPet"
    wanted = provider_pb2.CreateRequest(urn=f"urn:pulumi:dev::test::{token}::a", type=token, name="a")
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        waiting = provider_pb2_grpc.ResourceProviderStub(channel).Create.future(wanted, wait_for_ready=True)
        while "delayed" not in (tmp_path / "log").read_text():
            assert not waiting.done(), waiting.exception()
            time.sleep(0.05)
        process.stdin.close()
        assert process.wait(timeout=PATIENCE_SECONDS) == 0
        assert isinstance(waiting.exception(), grpc.RpcError)


def test_sigterm_is_orderly_and_only_the_packages_asked_for(
    command: list[str], start: list[subprocess.Popen[str]]
) -> None:
    process = popen(start, [*command, "--packages", "random,aws", "--stack", "dev"])
    assert process.stdout is not None
    assert list(json.loads(process.stdout.readline())["ports"]) == ["random", "aws"]
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=PATIENCE_SECONDS) == 0


def test_dies_with_a_parent_that_was_killed(command: list[str], alive: Callable[[int], bool]) -> None:
    program = (
        "import subprocess, sys, time\n"
        "p = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)\n"
        "print(p.stdout.readline(), flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program, *command], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = json.loads(parent.stdout.readline())["pid"]
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while alive(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(child)


def test_an_ordinary_plugin_prints_its_port(command: list[str], start: list[subprocess.Popen[str]]) -> None:
    engine = "127.0.0.1:1"
    process = popen(start, [*command[:3], "plugin", "random", *command[3:], engine])
    assert process.stdout is not None
    assert plugin_version(int(process.stdout.readline())).startswith("4.")
    process.terminate()
    assert process.wait(timeout=PATIENCE_SECONDS) == 0


def test_a_package_that_is_not_installed_is_named(command: list[str]) -> None:
    done = subprocess.run([*command, "--packages", "acme"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 2
    assert "the package 'acme' is not installed" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_has_an_example(command: list[str]) -> None:
    done = subprocess.run([*command[:3], "--help"], capture_output=True, text=True, check=True)
    assert "example:" in done.stdout


def test_imports_neither_pulumi_nor_a_provider(command: list[str]) -> None:
    """What the process imports is what its start-up costs."""
    program = (
        "from levee.sdk import protocol; protocol.lean();"
        "import levee.engine.standin.server, sys;"
        "print([m for m in sys.modules if m == 'pulumi.output' or m.startswith(('pulumi_', 'rich', 'ruamel'))])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
