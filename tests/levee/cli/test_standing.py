"""What stands on the real cloud is read from the backend's state, and a change is measured against it."""

import json
import subprocess

import pytest

from levee.cli import standing
from levee.engine import Project
from levee.environment import Environment
from levee.errors import EngineError
from levee.toolchain import ensure_pulumi
from tests.levee.review.test_fork import ENVIRONMENT, write

BUDGET = ENVIRONMENT.replace(
    "      total: {monthly_usd: 1000}", "      total: {monthly_usd: 1000}\n      max_increase_usd: 50"
)
NAT = "aws:ec2/natGateway:NatGateway"
URN = "urn:pulumi:dev::shop::{}::{}"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project whose stacks are in a backend of the user's own."""
    backend, folder = tmp_path / "backend", tmp_path / "shop"
    backend.mkdir()
    folder.mkdir()
    write(folder, "", BUDGET)
    monkeypatch.setenv("PULUMI_BACKEND_URL", backend.as_uri())
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "passphrase")
    monkeypatch.setenv("PULUMI_SKIP_UPDATE_CHECK", "true")
    return Project.load(folder)


def pulumi(project, *arguments, text=None):
    command = [str(ensure_pulumi()), *arguments, "--non-interactive"]
    subprocess.run(command, cwd=project.root, input=text, check=True, capture_output=True, text=True)


def increase(project):
    environment = Environment.load(project.root, "dev")
    return standing.pack_config(environment, project, "dev", offline=False)["budget-increase"]


def state(urn, type_, **more):
    return {"urn": urn, "type": type_, "custom": True, "inputs": {}, "outputs": {}, **more}


def test_what_stands_is_priced_from_the_backends_state(project):
    with pytest.raises(EngineError, match="the state cannot be read"):
        increase(project)
    pulumi(project, "stack", "init", "dev")
    assert increase(project)["first"] is True
    provider = state(URN.format("pulumi:providers:aws", "aws"), "pulumi:providers:aws", id="0" * 8)
    gateways = [
        state(URN.format(NAT, name), NAT, id=name, provider=f"{provider['urn']}::{provider['id']}") for name in "ab"
    ]
    resources = [provider, *gateways]
    pulumi(project, "stack", "import", text=json.dumps({"version": 3, "deployment": {"resources": resources}}))
    entry = increase(project)
    assert entry["deployed_usd"] == pytest.approx(2 * 0.045 * 730)
    assert "first" not in entry
