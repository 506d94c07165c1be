"""Programs under Pulumi SDKs of past years, each installed in an environment of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

UV = Path(__file__).resolve().parents[4] / "tools" / "uv"
PROGRAM = """
import pulumi
import pulumi_random as random

config = pulumi.Config()


class Pair(pulumi.ComponentResource):
    def __init__(self, name, opts=None):
        super().__init__("acme:index:Pair", name, None, opts)
        inside = pulumi.ResourceOptions(parent=self)
        self.one = random.RandomPet(f"{name}-one", length=config.require_int("words"), opts=inside)
        self.two = random.RandomPassword(f"{name}-two", length=20, keepers={"pet": self.one.id}, opts=inside)
        self.register_outputs({"pet": self.one.id})


pair = Pair("pair")
other = pulumi.StackReference("acme/other/dev")
pulumi.export("pet", pair.one.id)
pulumi.export("password", pair.two.result)
pulumi.export("elsewhere", other.get_output("vpcId"))
pulumi.export("archive", pulumi.AssetArchive({"a.txt": pulumi.StringAsset("a")}).assets["a.txt"].text)
"""


def install(folder, version):
    """An environment with that SDK and a provider's of its time; the test is skipped where it cannot be had."""
    python = folder / "bin" / "python"
    # Before 2024 SDKs imported pkg_resources, which setuptools 81 no longer has.
    wanted = [f"pulumi=={version}", "pulumi-random==4.13.0", "setuptools<81"]
    for command in (["venv", "--python", sys.executable, str(folder)], ["pip", "install", "--python", python, *wanted]):
        done = subprocess.run([UV, *command], capture_output=True, text=True, timeout=240, check=False)
        if done.returncode != 0:
            pytest.skip(f"pulumi {version} cannot be installed: {done.stderr.strip()[-300:]}")


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("version", ["3.60.1", "3.100.0", "3.150.0"])
def test_a_program_under_an_sdk_of_past_years_lives_and_dies(in_environment, version):
    run = in_environment(PROGRAM, virtualenv="venv")
    install(run.root / "venv", version)
    preview = run("preview", fill_config=True)
    assert {r.name for r in preview.resources} >= {"pair", "pair-one", "pair-two"}
    assert [f.key for f in preview.filled_config] == ["probe:words"]
    up = run("up", fill_config=True)
    assert up.outputs["pet"].count("-") == 1
    assert up.outputs["password"] == "[secret]"
    assert up.outputs["archive"] == "a"
    assert not run("refresh").changes
    assert not run("preview", fill_config=True).changes
    assert run("destroy").summary.by_op == {"delete": 3}
