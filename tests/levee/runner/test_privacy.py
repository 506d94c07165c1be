"""``levee erase`` and ``levee privacy`` through the runner: the wheel in an environment of its own, over folders."""

import json
import os
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from levee.cli import privacy
from levee.cli.app import run
from levee.runner import DataEnv, Surroundings, request

ROOT = Path(__file__).resolve().parents[3]
LAYERS = ("landing", "bronze", "silver", "gold", "quarantine", "audit", "checkpoints")
WHO, OTHER = "00012", "00001"
DELIVER = """
import sys
from pipelines import jobs
jobs.bronze(sys.argv[1:])
jobs.silver(sys.argv[1:])
"""


@pytest.fixture
def checkout(tmp_path, monkeypatch, stack, task):
    """A deployed domain of one source, whose environment is the wheel's own; nothing was delivered yet."""
    parameters = {"domain": "sales", "sources": "cdnow", **{layer: f"s3://acme-{layer}" for layer in LAYERS}}
    wheel = {"packageName": "levee_pipelines", "entryPoint": "bronze", "namedParameters": parameters}
    variables = {"LEVEE_PSEUDONYM_KEY": "{{secrets/levee/pseudonym-key}}"}
    plan = stack(task("bronze_cdnow", pythonWheelTask=wheel), variables=variables)
    scoped = SimpleNamespace(project=SimpleNamespace(root=tmp_path), stack="local")
    monkeypatch.setattr(privacy, "deployed", lambda env, cwd: (scoped, plan))
    python = tmp_path / "env" / "bin" / "python"
    python.parent.mkdir(parents=True)
    source, real = ROOT / "pipelines" / "src", ROOT / "pipelines" / ".venv" / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec env PYTHONPATH={source} {real} "$@"\n')
    python.chmod(0o755)
    prepared = DataEnv(tmp_path / "env", Path("levee_pipelines.whl"), "0" * 64)
    monkeypatch.setattr(request, "ensure_data_env", lambda root, engine, console: prepared)
    monkeypatch.setenv("LEVEE_ENGINE", "sail")
    (tmp_path / ".levee" / "local").mkdir(parents=True)
    return tmp_path


@pytest.fixture
def lake(checkout):
    """The folders of the domain, with a delivery of two customers taken in."""
    around = Surroundings(checkout, "local")
    landing = around.lake / "acme-landing" / "sales" / "cdnow"
    landing.mkdir(parents=True)
    (landing / "1997-01.txt").write_text(
        " customer_id date number_of_cds dollar_value\n"
        f" {OTHER} 19970101 1 11.77\n {WHO} 19970112 1 12.00\n {WHO} 19970112 5 77.00\n"
    )
    places = [f"--{layer}={around.lake / f'acme-{layer}'}" for layer in LAYERS]
    environment = {**os.environ, "LEVEE_PSEUDONYM_KEY_FILE": str(around.secret("levee", "pseudonym-key"))}
    command = [checkout / "env" / "bin" / "python", "-c", DELIVER, "--domain=sales", "--dataset=cdnow", *places]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return around.lake


class Input:
    """Standard input that holds a person."""

    def __init__(self, text):
        self.text = text

    def read(self):
        """All of it."""
        return f"{self.text}\n"


@pytest.mark.slow
def test_a_person_is_found_erased_and_certified(lake, checkout, monkeypatch, capsys):
    assert run(["privacy", "scan", "sales"]) == 0
    assert "2 values of cdnow.customer_id" in capsys.readouterr().out
    log = Surroundings(checkout, "local").run_folder("1") / "log.txt"
    log.parent.mkdir(parents=True)
    log.write_text(f"cannot cast {WHO}")
    assert run(["privacy", "scan", "sales"]) == 1
    told = capsys.readouterr().err
    assert "log.txt" in told.replace("\n", "")
    assert WHO not in told
    log.unlink()

    monkeypatch.setattr("sys.stdin", Input(WHO))
    asked = ["erase", "sales", "--subject", "cdnow_customer=-", "--requested-by", "dpo@example.org", "--yes", "--json"]
    assert run(asked) == 0
    certificate = json.loads(capsys.readouterr().out)
    assert certificate["requested_by"] == "dpo@example.org"
    assert certificate["search"]["found"] == 0
    assert WHO not in json.dumps(certificate)
    (file,) = (lake / "acme-audit" / "sales" / "erasures").rglob("*.json")
    assert json.loads(file.read_text()) == certificate
    assert list((checkout / ".levee" / "local").glob("request-*")) == [], "the value lay in a file meanwhile"
    assert OTHER in (lake / "acme-landing" / "sales" / "cdnow" / "1997-01.txt").read_text()
    assert not any(WHO.encode() in path.read_bytes() for path in (lake / "acme-landing").rglob("*.txt"))

    assert run(["privacy", "verify", "sales", str(file)]) == 0
    assert f"the certificate of erasure {certificate['erasure_id']} holds" in capsys.readouterr().out
    file.chmod(0o644)
    file.write_text(file.read_text().replace("dpo@example.org", "nobody@example.org"))
    assert run(["privacy", "verify", "sales", str(file)]) == 1
    assert "was changed" in capsys.readouterr().err


@pytest.mark.slow
def test_another_key_masks_anew(lake, checkout, capsys):
    assert run(["privacy", "rotate", "sales"]) == 0
    assert "nothing to do: the key is the same" in capsys.readouterr().out
    key = Surroundings(checkout, "local").secret("levee", "pseudonym-key")
    key.write_text("another" * 8)
    assert run(["privacy", "rotate", "sales", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rotated"] == ["cdnow"]
    assert run(["privacy", "scan", "sales"]) == 0


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["erase", "sales", "--subject", f"cdnow_customer={WHO}", "--requested-by", "me"], "never the value itself"),
        (["erase", "sales", "--subject", WHO, "--requested-by", "me", "--yes"], "--subject is TYPE=WHERE"),
        (["erase", "sales", "--subject", "cdnow_customer=-", "--requested-by", "me"], "add --yes"),
        (["erase", "sales", "--subject", "cdnow_customer=-"], "--requested-by"),
        (["privacy", "scan", "sails"], "sales"),
        (["privacy", "verify", "sales"], "FILE"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nobody_is_repeated(checkout, argv, said, capsys):
    assert run(argv) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert said in told
    assert WHO not in told


def test_a_certificate_that_is_not_there_is_told_once_with_what_makes_one(checkout, capsys):
    assert run(["privacy", "verify", "sales", str(checkout / "none.json")]) == 2
    told = "".join(capsys.readouterr().err.split())
    assert told.count("none.json") == 1
    assert "thereisnosuchcertificate" in told
    assert "leveeerasesales--subjectTYPE=WHERE" in told
    assert "Errno" not in told


@pytest.mark.parametrize(
    "command", [["erase"], *(["privacy", verb] for verb in ("scan", "rotate", "reveal", "verify"))]
)
def test_every_command_has_an_example(command, capsys):
    assert run([*command, "--help"]) == 0
    assert f"Example: levee {' '.join(command)} sales" in " ".join(capsys.readouterr().out.split())
