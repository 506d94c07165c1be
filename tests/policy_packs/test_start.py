"""``python -m levee.compliance``: Levee's packs start lean, a stranger's as Pulumi starts it."""

import subprocess
import sys
import time
from pathlib import Path

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto.analyzer_pb2_grpc import AnalyzerStub

ROOT = Path(__file__).resolve().parents[2]
STRANGER = """
from pulumi_policy import PolicyPack, ResourceValidationPolicy

rule = ResourceValidationPolicy(name="nothing", description="Nothing is wrong", validate=lambda args, report: None)
PolicyPack("stranger", [rule])
"""


@pytest.fixture
def started(tmp_path):
    """``started(folder)``: the name that the pack gives itself, and the modules of Pulumi's SDK that it loaded."""
    processes = []

    def start(folder):
        imports = tmp_path / "imports"
        with imports.open("w") as errors:
            process = subprocess.Popen(
                [sys.executable, "-u", "-X", "importtime", "-m", "levee.compliance", "127.0.0.1:1", "."],
                cwd=folder,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        processes.append(process)
        assert process.stdout is not None
        with process.stdout as printed, grpc.insecure_channel(f"127.0.0.1:{printed.readline().strip()}") as channel:
            name = AnalyzerStub(channel).GetAnalyzerInfo(Empty()).name
        loaded = {line.rsplit("|", 1)[-1].strip() for line in imports.read_text().splitlines()}
        return name, {module for module in loaded if module.startswith("pulumi")}

    yield start
    for process in processes:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("folder", "name"),
    [("policy_packs", "levee"), ("policy_packs/tagging", "tagging"), ("policy_packs/compliance", "compliance")],
)
def test_a_pack_of_ours_loads_the_protocol_and_nothing_else_of_pulumi(started, folder, name):
    found, loaded = started(ROOT / folder)
    assert found == name
    assert "pulumi.runtime.proto.analyzer_pb2" in loaded
    assert {module for module in loaded if not module.startswith("pulumi.runtime.proto")} == set()


def test_a_strangers_pack_starts_as_pulumi_starts_it(started, tmp_path):
    (tmp_path / "PulumiPolicy.yaml").write_text("runtime: python\n")
    (tmp_path / "__main__.py").write_text(STRANGER)
    found, loaded = started(tmp_path)
    assert found == "stranger"
    assert "pulumi_policy.policy" in loaded


def test_a_pack_ends_when_its_engine_is_killed():
    """The engine ends its plugins; killed, it cannot."""
    start_and_wait = (
        "import subprocess, sys;"
        f"pack = subprocess.Popen([sys.executable, '-m', 'levee.compliance', '127.0.0.1:1', '.'], "
        f"cwd={str(ROOT / 'policy_packs')!r}, stdout=subprocess.PIPE);"
        "pack.stdout.readline(); print(pack.pid, flush=True); pack.wait()"
    )
    with subprocess.Popen([sys.executable, "-c", start_and_wait], stdout=subprocess.PIPE, text=True) as engine:
        assert engine.stdout is not None
        pack = Path(f"/proc/{engine.stdout.readline().strip()}")
        assert pack.exists()
        engine.kill()
    for _ in range(100):
        if not pack.exists():
            return
        time.sleep(0.1)
    pytest.fail("the pack outlived its engine by ten seconds")


def test_without_a_pack_it_says_how_it_is_called():
    called = subprocess.run([sys.executable, "-m", "levee.compliance"], capture_output=True, text=True, check=False)
    assert called.returncode == 1
    assert "usage" in called.stderr
