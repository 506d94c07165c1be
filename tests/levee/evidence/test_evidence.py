"""Evidence: every requirement answered, OSCAL that NIST's model reads, a bundle in which nothing can be changed."""

import hashlib
import io
import json
import zipfile
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError
from trestle.oscal.assessment_results import Model

from levee import evidence
from levee.compliance import RULES, Exemption, Outcome
from levee.errors import UsageError
from levee.evidence import EvidenceError, Framework, Status
from levee.plan import Level, Plan, Resource, Verdict

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
BUCKET = "aws:s3/bucket:Bucket"
URNS = [f"urn:pulumi:prod::p::{BUCKET}::{name}" for name in ("a", "b", "c", "d")]
PLAN = Plan("p", "prod", "preview", offline=True, resources=tuple(Resource(u, BUCKET, u[-1]) for u in URNS))
BY_ID = {rule.id: rule for rule in RULES}
EXEMPTION = Exemption("aws-s3-versioning-enabled", "*::c", "it holds nothing", "a@example.com", NOW.date())


def outcome(rule, verdict, urn, message="", exemption=None):
    return Outcome(BY_ID[rule], urn, verdict, Level.ADVISORY, message, exemption=exemption)


OUTCOMES = [
    outcome("aws-s3-versioning-enabled", Verdict.PASSED, URNS[0]),
    outcome("aws-s3-versioning-enabled", Verdict.FAILED, URNS[1], "add <b>versions</b>"),
    outcome("aws-s3-versioning-enabled", Verdict.EXEMPT, URNS[2], "until then: it holds nothing", EXEMPTION),
    outcome("aws-s3-tls-only", Verdict.NOT_EVALUATED, URNS[0], "not known"),
    outcome("aws-s3-access-logged", Verdict.PASSED, URNS[0]),
]


@pytest.fixture
def assessment():
    return evidence.assess(PLAN, RULES, OUTCOMES, tuple(Framework), NOW)


def status_of(assessment, framework, reference):
    (found,) = [r for r in assessment.requirements if (r.framework, r.reference) == (framework, reference)]
    return found.status


def test_every_reference_of_every_rule_belongs_to_one_requirement():
    assert all(isinstance(r, str) and t for f in Framework for r, t in f.text.requirements.items())
    texts = {framework.text.standard: framework.text for framework in Framework}
    for rule in RULES:
        for control in rule.controls:
            text = texts.get(control.standard)
            if text is not None:
                assert control.version == text.version, rule.id
                assert text.requirement(control), f"{rule.id}: {control}"


def test_a_breach_an_open_question_and_a_gap_each_have_their_own_status(assessment):
    assert status_of(assessment, Framework.HIPAA, "164.312(c)(1)") is Status.NOT_SATISFIED
    assert status_of(assessment, Framework.HIPAA, "164.312(e)(1)") is Status.NOT_DECIDED
    assert status_of(assessment, Framework.HIPAA, "164.312(b)") is Status.SATISFIED
    assert status_of(assessment, Framework.HIPAA, "164.312(a)(2)(iv)") is Status.NOTHING_TO_JUDGE
    assert status_of(assessment, Framework.HIPAA, "164.310(b)") is Status.NOT_COVERED


def test_an_exemption_is_counted_apart(assessment):
    (versions,) = [r for r in assessment.rules if r.rule.id == "aws-s3-versioning-enabled"]
    assert versions.tally == {Verdict.PASSED: 1, Verdict.FAILED: 1, Verdict.EXEMPT: 1}


def test_nists_model_reads_the_oscal_and_every_reference_in_it_leads_somewhere(assessment):
    document = evidence.to_oscal(assessment)
    read = json.loads(Model.model_validate(document).model_dump_json(by_alias=True, exclude_none=True))
    (result,) = read["assessment-results"]["results"]
    titles = {observation["uuid"]: observation["title"] for observation in result["observations"]}
    assert set(titles.values()) == {o.rule.id for o in OUTCOMES}
    findings = {finding["target"]["target-id"]: finding for finding in result["findings"]}
    broken = findings["hipaa-164.312_c_1"]
    assert broken["target"]["status"] == {"state": "not-satisfied", "reason": "fail"}
    assert "aws-s3-versioning-enabled" in {titles[o["observation-uuid"]] for o in broken["related-observations"]}
    assert findings["hipaa-164.312_b"]["target"]["status"]["state"] == "satisfied"
    assert "hipaa-164.310_b" in result["remarks"]
    assert "hipaa-164.310_b" not in findings


def test_nists_model_refuses_what_is_no_oscal(assessment):
    document = evidence.to_oscal(assessment)
    document["assessment-results"]["results"][0]["observations"][0]["uuid"] = "not one"
    with pytest.raises(ValidationError):
        Model.model_validate(document)


def test_the_same_plan_gives_the_same_document_and_digest_however_long_it_took(assessment):
    again = evidence.assess(
        Plan("p", "prod", "preview", offline=True, resources=PLAN.resources, seconds=9.0),
        RULES,
        OUTCOMES,
        tuple(Framework),
        NOW,
    )
    assert evidence.to_oscal(again) == evidence.to_oscal(assessment)
    other = evidence.assess(Plan("p", "dev", "preview", offline=True), RULES, OUTCOMES, tuple(Framework), NOW)
    assert other.plan_digest != assessment.plan_digest


def test_the_page_names_every_requirement_and_escapes_what_programs_say(assessment):
    page = evidence.render(assessment)
    for requirement in assessment.requirements:
        assert f"<td>{requirement.reference}</td>" in page
    assert "it holds nothing" in page
    assert "&lt;b&gt;versions&lt;/b&gt;" in page
    assert "<b>" not in page
    assert "http" not in page.replace("http-equiv", ""), "the page needs no network"


@pytest.fixture
def bundle(tmp_path):
    """A bundle and the key that signed it."""
    key = Ed25519PrivateKey.generate()
    file = tmp_path / "evidence.zip"
    evidence.write(file, {"report.html": b"all is well", "plan.json": b"{}"}, {"stack": "prod"}, key)
    return file, key


def rewritten(file, **changes):
    """The bundle with other contents; ``None`` leaves a file out."""
    with zipfile.ZipFile(file) as old:
        whole = {name: old.read(name) for name in old.namelist()} | {k.replace("_", "."): v for k, v in changes.items()}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as new:
        for name, content in whole.items():
            if content is not None:
                new.writestr(name, content)
    file.write_bytes(made.getvalue())
    return file


def test_what_was_signed_verifies_by_its_own_key_and_by_the_signers(bundle):
    file, key = bundle
    found = evidence.verify(file, key.public_key())
    assert found == evidence.verify(file)
    assert found.about == {"stack": "prod"}
    assert found.files["report.html"] == hashlib.sha256(b"all is well").hexdigest()
    assert found.fingerprint == evidence.fingerprint(key.public_key())


@pytest.mark.parametrize(
    "change", [{"report_html": b"all is better"}, {"report_html": None}, {"note_txt": b"one more"}]
)
def test_a_file_changed_removed_or_added_is_found(bundle, change):
    with pytest.raises(EvidenceError, match="changed, added or removed"):
        evidence.verify(rewritten(bundle[0], **change))


def test_a_manifest_that_was_mended_to_fit_is_found(bundle):
    file, _ = bundle
    with zipfile.ZipFile(file) as old:
        manifest = json.loads(old.read("manifest.json"))
    manifest["files"]["report.html"] = hashlib.sha256(b"all is better").hexdigest()
    with pytest.raises(EvidenceError, match="not that of the manifest"):
        evidence.verify(rewritten(file, report_html=b"all is better", manifest_json=json.dumps(manifest).encode()))


def test_another_signer_is_found_only_by_who_has_the_key(bundle, tmp_path):
    _, key = bundle
    forged = tmp_path / "forged.zip"
    evidence.write(forged, {"report.html": b"all is better"}, {}, Ed25519PrivateKey.generate())
    evidence.verify(forged)
    with pytest.raises(EvidenceError, match="not by the one given"):
        evidence.verify(forged, key.public_key())


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_bundle_is_refused_with_the_command_that_makes_one(tmp_path, content):
    file = tmp_path / "evidence.zip"
    file.write_bytes(content)
    with pytest.raises(UsageError, match="not a bundle of evidence") as wrong:
        evidence.verify(file)
    assert "levee evidence" in str(wrong.value)


def test_a_key_is_made_once_for_its_owner_only_and_read_again(tmp_path):
    file = tmp_path / "keys" / "evidence.pem"
    made = evidence.signing_key(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert evidence.fingerprint(evidence.signing_key(file).public_key()) == evidence.fingerprint(made.public_key())


@pytest.mark.parametrize("read", [evidence.signing_key, evidence.public_key])
def test_what_is_no_key_is_refused(tmp_path, read):
    file = tmp_path / "key.pem"
    file.write_text("-----BEGIN NONSENSE-----\n")
    with pytest.raises(UsageError, match="not an Ed25519"):
        read(file)
