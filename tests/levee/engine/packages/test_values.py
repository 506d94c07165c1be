"""Packages that make values or do work: random, tls, command, docker. One program, and one life of its stack."""

import base64
import datetime as dt
import re
import uuid
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from levee.errors import LeveeError
from levee.plan import SECRET, Op

RANDOM = """
import pulumi
import pulumi_random as random

keepers = {"of": pulumi.Config().get("keeper") or "one"}
password = random.RandomPassword("password", length=20, special=False, min_numeric=3, min_upper=3, keepers=keepers)
plain = {
    "hidden": password.result.apply(lambda text: [len(text), text.isalnum(), sum(map(str.isdigit, text)) >= 3]),
    "text": random.RandomString("text", length=8, lower=False, override_special="!").result,
    "uuid": random.RandomUuid("uuid").result,
    "integer": random.RandomInteger("integer", min=10, max=12).result,
    "pet": random.RandomPet("pet", length=3, prefix="acme", separator="_").id,
    "shuffle": random.RandomShuffle("shuffle", inputs=["a", "b", "c"], result_count=2).results,
}
id = random.RandomId("id", byte_length=8, keepers=keepers)
plain["id"] = pulumi.Output.all(id.hex, id.dec, id.b64_url, id.b64_std)
two = random.RandomBytes("two", length=16)
plain["bytes"] = pulumi.Output.unsecret(pulumi.Output.all(two.hex, two.base64))
for name, value in plain.items():
    pulumi.export(name, pulumi.Output.unsecret(pulumi.Output.from_input(value)))
pulumi.export("password", password.result)
"""


TLS = """
import pulumi
import pulumi_tls as tls

keys = {
    "rsa": tls.PrivateKey("rsa", algorithm="RSA", rsa_bits=2048),
    "ecdsa": tls.PrivateKey("ecdsa", algorithm="ECDSA", ecdsa_curve="P256"),
    "ed25519": tls.PrivateKey("ed25519", algorithm="ED25519"),
}
for name, key in keys.items():
    pulumi.export(name, {
        "public": key.public_key_pem, "ssh": key.public_key_openssh, "print": key.public_key_fingerprint_sha256,
        "md5": key.public_key_fingerprint_md5,
        "private": pulumi.Output.unsecret(key.private_key_pem),
        "pkcs8": pulumi.Output.unsecret(key.private_key_pem_pkcs8),
        "openssh": pulumi.Output.unsecret(key.private_key_openssh),
    })
pulumi.export("kept", keys["rsa"].private_key_pem)
ca = tls.SelfSignedCert(
    "ca", private_key_pem=keys["ecdsa"].private_key_pem, is_ca_certificate=True, validity_period_hours=48,
    allowed_uses=["cert_signing", "crl_signing"], subject={"common_name": "Acme CA", "organization": "Acme"},
)
request = tls.CertRequest(
    "request", private_key_pem=keys["rsa"].private_key_pem, dns_names=["web.acme.example"], ip_addresses=["10.0.0.4"],
    subject={"common_name": "web.acme.example"},
)
leaf = tls.LocallySignedCert(
    "leaf", cert_request_pem=request.cert_request_pem, ca_private_key_pem=keys["ecdsa"].private_key_pem,
    ca_cert_pem=ca.cert_pem, validity_period_hours=24, allowed_uses=["server_auth", "digital_signature"],
)
pulumi.export("ca", ca.cert_pem)
pulumi.export("leaf", leaf.cert_pem)
pulumi.export("ends", leaf.validity_end_time)
"""
WORK = """
import pulumi
import pulumi_command as command
import pulumi_docker as docker
import pulumi_docker_build as build

work = "touch made-by-a-command && echo hello"
said = command.local.Command("say", create=work, triggers=[pulumi.Config().get("tag") or "1"])
remote = command.remote.Command("far", connection={"host": "10.0.0.4", "password": "hunter2"}, create="uptime")
tag = pulumi.Config().get("tag") or "1"
image = build.Image("app", tags=[f"registry.acme.example/app:{tag}"], push=True, context={"location": "."})
pulled = docker.RemoteImage("base", name="nginx:1.27")
pulumi.export("stdout", said.stdout)
pulumi.export("ref", image.ref)
pulumi.export("digest", image.digest)
pulumi.export("base", pulled.repo_digest)
"""


@pytest.fixture(scope="module")
def life(shared_project):
    """Up, refresh, up, an up with other configuration, destroy; of which the plans are told apart by name."""
    run = shared_project(RANDOM + TLS + WORK)
    first, refreshed, again = run("up"), run("refresh"), run("up")
    assert not list(run.root.rglob("made-by-a-command")), "nobody ran it"
    changed = run("up", config={"keeper": "two", "tag": "2"})
    return SimpleNamespace(first=first, refreshed=refreshed, again=again, changed=changed, destroyed=run("destroy"))


def test_a_life_leaves_nothing_to_do_and_nothing_behind(life):
    assert not life.refreshed.changes
    assert not life.again.changes
    assert life.again.outputs == life.first.outputs
    assert life.destroyed.summary.by_op.keys() == {"delete"}
    assert {r.urn for r in life.first.resources if r.custom and not r.is_provider} <= {
        r.urn for r in life.destroyed.resources if r.op is Op.DELETE
    }


def test_random_values_are_random_fit_their_inputs_and_stay(life):
    values = life.first.outputs
    assert values["password"] == SECRET
    assert values["hidden"] == [20, True, True]
    assert re.fullmatch(r"[A-Z0-9!]{8}", values["text"])
    assert uuid.UUID(values["uuid"]).version == 4
    assert values["integer"] in {10, 11, 12}
    assert re.fullmatch(r"acme_[a-z]+_[a-z]+_[a-z]+", values["pet"])
    assert len(set(values["shuffle"])) == 2
    hexadecimal, decimal, url, standard = values["id"]
    raw = bytes.fromhex(hexadecimal)
    assert (len(raw), int(decimal), base64.b64decode(standard)) == (8, int.from_bytes(raw, "big"), raw)
    assert base64.urlsafe_b64decode(f"{url}=") == raw
    assert bytes.fromhex(values["bytes"][0]) == base64.b64decode(values["bytes"][1])
    renewed = life.changed
    assert {"password", "id"} == {r.name for r in renewed.resources if r.op is Op.REPLACE and r.package == "random"}
    assert renewed.outputs["id"] != values["id"]
    assert renewed.outputs["uuid"] == values["uuid"]


def test_tls_makes_keys_and_certificates_that_fit_together(life):
    values = life.first.outputs
    assert values["kept"] == SECRET
    for name in ("rsa", "ecdsa", "ed25519"):
        made = values[name]
        key = serialization.load_pem_private_key(made["private"].encode(), None)
        public = key.public_key()
        assert serialization.load_pem_public_key(made["public"].encode()) == public, name
        assert serialization.load_ssh_public_key(made["ssh"].encode()) == public, name
        assert serialization.load_pem_private_key(made["pkcs8"].encode(), None).public_key() == public, name
        assert serialization.load_ssh_private_key(made["openssh"].encode(), None).public_key() == public, name
        assert made["print"].startswith("SHA256:"), name
        assert re.fullmatch(r"([0-9a-f]{2}:){15}[0-9a-f]{2}", made["md5"]), name
    ca, leaf = (x509.load_pem_x509_certificate(values[name].encode()) for name in ("ca", "leaf"))
    leaf.verify_directly_issued_by(ca)
    assert ca.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["web.acme.example"]
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc == dt.timedelta(hours=24)
    assert values["ends"] == leaf.not_valid_after_utc.isoformat()


def test_tls_refuses_what_no_key_is(project):
    run = project("import pulumi_tls as tls\ntls.PrivateKey('odd', algorithm='DSA')\n")
    with pytest.raises(LeveeError, match="no key of algorithm 'DSA'") as refused:
        run("up")
    assert "RSA, ECDSA, ED25519" in str(refused.value)


def test_commands_and_builds_are_not_run_and_the_plan_says_so(life):
    up = life.first
    assert up.outputs["stdout"] == ""
    assert up.outputs["ref"] == f"registry.acme.example/app:1@{up.outputs['digest']}"
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", up.outputs["digest"])
    assert re.fullmatch(r"nginx:1\.27@sha256:[0-9a-f]{64}", up.outputs["base"])
    notes = "\n".join(up.notes)
    for wanted in (
        "local:Command say: not run",
        "remote:Command far: not run",
        "Image app: not built",
        "base: not pull",
    ):
        assert wanted in notes, notes
    assert "hunter2" not in notes
    assert life.changed.outputs["digest"] != up.outputs["digest"]
