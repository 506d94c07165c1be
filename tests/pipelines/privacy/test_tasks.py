"""The tasks as the command line and a job start them: by a request in a file, answered in a file."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pipelines.privacy.__main__ import main
from pipelines.settings import Layer

KEY = "0123456789abcdef" * 4
WHO = "00012"
BUDGET = {"cost_centre": "cc-1", "monthly_usd": "50.0", "policy": "warn", "grace_seconds": 60, "warn_at": 0.8}
TOLD = f"--budget={json.dumps({**BUDGET, 'source': 'a file: budgets.total'})}"
"""A parameter of every deployed task, with blanks in it."""


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Ask a task of the sales domain over an own lake, whose key is in the environment."""
    monkeypatch.setenv("LEVEE_PSEUDONYM_KEY", KEY)
    monkeypatch.setenv("LEVEE_ENGINE", "sail")
    roots = [f"--{layer.value}={tmp_path / layer.value}" for layer in Layer]

    def call(verb: str, **request: str) -> tuple[int, dict]:
        file, answer = tmp_path / "request.json", tmp_path / "answer.json"
        file.write_text(json.dumps(request))
        answer.unlink(missing_ok=True)
        asked = ["--domain=sales", "--sources=cdnow", *roots, TOLD, f"--verb={verb}", f"--request={file}"]
        return main([*asked, "--json", str(answer)]), json.loads(answer.read_bytes()) if answer.exists() else {}

    return call


def deliver(folder: Path) -> None:
    from pipelines import jobs

    landing = folder / "landing" / "sales" / "cdnow"
    landing.mkdir(parents=True)
    (landing / "1997-01.txt").write_text(
        " customer_id date number_of_cds dollar_value\n"
        " 00001 19970101 1 11.77\n 00012 19970112 1 12.00\n 00012 19970112 5 77.00\n"
    )
    argv = ["--domain=sales", "--dataset=cdnow", *(f"--{layer.value}={folder / layer.value}" for layer in Layer)]
    jobs.bronze(argv)
    jobs.silver(argv)


def test_scan_erase_and_verify(ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deliver(tmp_path)
    code, told = ask("scan")
    assert (code, told["columns"], told["values"]) == (0, ["cdnow.customer_id", "online_retail.customer_id"], 2)
    monkeypatch.setenv("WHO", WHO)
    monkeypatch.setenv("LEVEE_ACTOR", "ada")
    code, certificate = ask("erase", subject_type="cdnow_customer", value="env:WHO", requested_by="dpo")
    assert code == 0
    assert (certificate["requested_by"], certificate["performed_by"]) == ("dpo", "ada")
    assert {one["layer"]: one["rows"] for one in certificate["removed"]} == {"bronze": 2, "landing": 2, "silver": 2}
    (file,) = (tmp_path / "audit" / "sales" / "erasures").rglob("*.json")
    assert ask("verify", certificate=str(file)) == (
        0,
        {"erasure_id": certificate["erasure_id"], "signature": "valid", "found": 0},
    )


def test_a_request_is_checked_and_not_repeated(ask, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask("erase", subject_type="cdnow_customer", value=WHO, requested_by="dpo")[0] == 2
    said = capsys.readouterr().err
    assert "the request cannot be read: ('value',)" in said
    assert WHO not in said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "there is no such certificate"),
        ("{", "the file is no certificate: it is no JSON"),
        ("[]", "the file is no certificate: it holds no JSON object"),
    ],
)
def test_what_is_no_certificate_is_told_with_one_that_is(
    ask, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, said: str
) -> None:
    file = tmp_path / "mine.json"
    if content is not None:
        file.write_text(content)
    folder = tmp_path / "audit" / "sales" / "erasures"
    assert ask("verify", certificate=str(file))[0] == 2
    first = capsys.readouterr().err
    assert first == (
        f"{said}\n  at  {file}\n  fix levee erase sales --subject TYPE=WHERE --requested-by WHO: "
        f"it writes one under {folder}, where there is none yet\n"
    )
    for place, name in enumerate(("run-2/new", "run-1/old")):
        kept = folder / f"{name}.json"
        kept.parent.mkdir(parents=True)
        kept.write_text("{}")
        os.utime(kept, (1_000_000 - place, 1_000_000 - place))
    assert ask("verify", certificate=str(file))[0] == 2
    newest = f"levee privacy verify sales {folder}/run-2/new.json: the newest of those under {folder}"
    assert capsys.readouterr().err == f"{said}\n  at  {file}\n  fix {newest}\n"


def test_another_key_masks_anew(ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deliver(tmp_path)
    assert ask("rotate") == (0, {"rotated": [], "built": []})
    monkeypatch.setenv("LEVEE_PSEUDONYM_KEY", "another" * 8)
    assert ask("rotate") == (0, {"rotated": ["cdnow"], "built": []})
