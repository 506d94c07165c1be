"""``levee evidence`` as an auditor's other side runs it."""

import json
import textwrap

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from levee import evidence
from levee.cli.app import run


@pytest.fixture
def public_pem(tmp_path):
    """Writes the public half of a private key."""

    def write(private):
        file = tmp_path / "public.pem"
        file.write_bytes(private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        return file

    return write


def test_evidence_is_made_signed_and_verified(tmp_path, public_pem, capsys):
    (tmp_path / "Pulumi.yaml").write_text("name: theirs\nruntime: python\n")
    program = 'import pulumi_aws as aws\naws.s3.Bucket("a", acl="public-read")\n'
    (tmp_path / "__main__.py").write_text(textwrap.dedent(program))
    key, bundle, said = tmp_path / "key.pem", tmp_path / "evidence.zip", tmp_path / "said.json"
    at = ["--cwd", str(tmp_path), "--framework", "pci", "--key", str(key), "--output", str(bundle)]
    assert run(["evidence", "dev", *at, "--json", str(said)]) == 0
    assert f"openssl pkey -in {key} -pubout" in capsys.readouterr().out, "a key that is made is told"
    written = json.loads(said.read_text())
    assert (written["project"], written["stack"]) == ("theirs", "dev")
    counts = written["requirements"]
    assert counts.keys() == {"pci"}
    assert counts["pci"]["not satisfied"] >= 1
    assert counts["pci"]["not covered by tooling"] >= 20

    signer = public_pem(evidence.signing_key(key))
    assert run(["evidence", "verify", str(bundle), "--key", str(signer)]) == 0
    assert written["signed_by"] in capsys.readouterr().out
    bundle.write_bytes(bundle.read_bytes().replace(b"report.html", b"report.htm_"))
    assert run(["evidence", "verify", str(bundle), "--key", str(signer)]) == 1


def test_another_key_is_refused_with_exit_code_1(tmp_path, public_pem, capsys):
    bundle = tmp_path / "evidence.zip"
    evidence.write(bundle, {"report.html": b""}, {}, Ed25519PrivateKey.generate())
    assert run(["evidence", "verify", str(bundle)]) == 0
    assert run(["evidence", "verify", str(bundle), "--key", str(public_pem(Ed25519PrivateKey.generate()))]) == 1
    assert "not by the one given" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["verify"], "which file?"),
        (["verify", "evidence.zip", "--framework", "pci"], "for making evidence"),
        (["dev", "evidence.zip"], "one argument too many"),
    ],
)
def test_wrong_use_is_told_with_the_command_that_is_meant(arguments, said, capsys):
    assert run(["evidence", *arguments]) == 2
    shown = capsys.readouterr().err
    assert said in shown
    assert "fix" in shown
