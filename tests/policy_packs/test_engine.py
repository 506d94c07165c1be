"""The packs under the real engine: what they let pass, what they block, and that blocked means nothing was made."""

import json
import sysconfig
import textwrap
from datetime import UTC, datetime
from pathlib import Path

import pytest

from levee import compliance, engine
from levee.compliance.tagging import Places
from levee.errors import LeveeError
from levee.plan import Level, Verdict
from levee.sdk import Sdk
from levee.toolchain import ensure_pulumi

ROOT = Path(__file__).resolve().parents[2]
MERGED = compliance.merged_pack()
TAGS = {
    "owner": "data-platform",
    "cost-centre": "cc-1042",
    "environment": "prod",
    "data-classification": "internal",
    "managed-by": "pulumi",
}
PROGRAM = f"""
    import pulumi
    import pulumi_aws as aws

    TAGS = {TAGS!r}
    tagged = aws.s3.Bucket("tagged", tags=TAGS)
    aws.s3.Bucket("raw")
    aws.s3.Bucket("later", tags={{**TAGS, "owner": tagged.id}})
    aws.s3.BucketVersioning("v", bucket=tagged.id, versioning_configuration={{"status": "Enabled"}})
    tagging = aws.Provider("tagging", region="eu-west-1", default_tags={{"tags": TAGS}})
    aws.s3.Bucket("inherited", opts=pulumi.ResourceOptions(provider=tagging))
"""
EXEMPTION = {
    "policy": "tagging-required",
    "urn_glob": "*::raw",
    "reason": "it moves next quarter",
    "owner": "lake@example.com",
    "expires": "2999-12-31",
}


@pytest.fixture(scope="module")
def pulumi_cli():
    return ensure_pulumi(ROOT)


@pytest.fixture(scope="module")
def write():
    """Write the program into a folder."""

    def into(folder):
        (folder / "Pulumi.yaml").write_text("name: probe\nruntime: python\n")
        (folder / "__main__.py").write_text(textwrap.dedent(PROGRAM))
        return folder

    return into


@pytest.fixture
def run(tmp_path, write, pulumi_cli):
    """``run(operation, pack_config)`` on the program above."""
    write(tmp_path)

    def perform(operation, pack_config=None, packs=(MERGED,)):
        options = engine.Options(packs=packs, pack_config=pack_config or {}, pulumi=pulumi_cli)
        return engine.perform(engine.Operation(operation), tmp_path, "prod", options)

    return perform


@pytest.fixture(scope="module")
def previewed(tmp_path_factory, write, pulumi_cli):
    """The preview with the merged pack as it comes."""
    options = engine.Options(packs=(MERGED,), pulumi=pulumi_cli)
    return engine.perform(engine.Operation.PREVIEW, write(tmp_path_factory.mktemp("probe")), "prod", options)


def but_compliance(violations):
    """Those of the tagging and exemption rules."""
    return [v for v in violations if v.policy.startswith(("tagging-", "exemption-"))]


def blocked_buckets(plan):
    assert plan.blocked
    said = but_compliance(plan.violations)
    return [(v.policy, v.level, plan.by_urn[v.urn].name, str(v.source)) for v in said]


RAW = ("tagging-required", Level.MANDATORY, "raw", "__main__.py:7")


def test_the_merged_pack_blocks_the_one_untagged_bucket(previewed):
    assert blocked_buckets(previewed) == [RAW]


def test_the_tagging_pack_alone_blocks_it_too(run):
    assert blocked_buckets(run("preview", packs=(ROOT / "policy_packs" / "tagging",))) == [RAW]


def test_a_value_that_only_the_cloud_knows_is_counted_and_not_passed(previewed):
    undecided = but_compliance(previewed.not_evaluated)
    assert {v.policy for v in undecided} == {"tagging-values", "tagging-syntax"}
    assert {v.urn.rsplit("::", 1)[-1] for v in undecided} == {"later"}
    assert all(v.message == "`tags.owner` is not known before the update" for v in undecided)


def test_the_engine_and_the_plan_agree(previewed):
    """What the packs said through the engine is what the same rules say of the plan itself."""
    places = Places(Sdk(Path(sysconfig.get_path("purelib"))))
    settings = compliance.Settings.from_config(compliance.RULES, {})
    outcomes = compliance.evaluate(previewed, compliance.RULES, settings, places, datetime.now(UTC).date())
    by_verdict = {
        verdict: {(o.rule.id, o.urn) for o in outcomes if o.verdict is verdict}
        for verdict in (Verdict.FAILED, Verdict.NOT_EVALUATED)
    }
    assert by_verdict[Verdict.FAILED] == {(v.policy, v.urn) for v in previewed.violations}
    assert by_verdict[Verdict.NOT_EVALUATED] == {(v.policy, v.urn) for v in previewed.not_evaluated}


def test_what_is_blocked_is_never_made(run):
    assert run("up").blocked
    state = run("preview", pack_config={"all": "advisory"})
    assert {r.op.value for r in state.resources if r.custom and not r.is_provider} == {"create"}


def test_advisory_lets_it_through_and_says_so(run):
    plan = run("up", pack_config={"tagging-required": "advisory"})
    assert not plan.blocked
    assert [v.level for v in but_compliance(plan.violations)] == [Level.ADVISORY]


def test_an_exemption_lets_it_through_and_is_shown(run):
    plan = run("preview", pack_config={"exemption-expired": {"entries": [EXEMPTION]}})
    assert not but_compliance(plan.violations)
    (excused,) = plan.exempt
    assert "until 2999-12-31, lake@example.com: it moves next quarter" in excused.message


def test_an_expired_exemption_blocks_before_anything_is_made(run):
    entries = [EXEMPTION | {"expires": "2020-01-01"}]
    plan = run("up", pack_config={"exemption-expired": {"entries": entries}, "tagging-required": "advisory"})
    blocking = [v for v in plan.violations if v.level is Level.MANDATORY]
    assert [v.policy for v in blocking] == ["exemption-expired"]
    assert not [r for r in plan.resources if r.type == "aws:s3/bucket:Bucket"]


def test_a_useless_exemption_is_named(run):
    entries = [EXEMPTION, EXEMPTION | {"urn_glob": "*::gone"}]
    plan = run("preview", pack_config={"exemption-expired": {"entries": entries}})
    assert [(v.policy, v.level) for v in but_compliance(plan.violations)] == [("exemption-unused", Level.ADVISORY)]


def test_a_configuration_that_does_not_fit_is_refused_by_name(run):
    with pytest.raises(LeveeError, match="keys"):
        run("preview", pack_config={"tagging-required": {"keys": "owner"}})


def test_plain_pulumi_reads_the_environment_from_the_stacks_own_config(run, tmp_path):
    environment = {
        "company": "acme",
        "owners": {"team": "data-platform", "email": "data@example.com", "cost_centre": "cc-1042"},
        "classification": "public",
        "clouds": {"aws": {"account": "111122223333", "region": "eu-west-1"}},
        "budgets": {"total": {"monthly_usd": 1000}},
        "retention": {"audit_days": 2555, "log_days": 90, "noncurrent_days": 30},
        "protection": {"stateful": True, "retention_lock": False},
        "exemptions": [EXEMPTION],
    }
    written = json.dumps({"config": {"levee:environment": environment}})
    (tmp_path / "Pulumi.prod.yaml").write_text(written)
    plan = run("preview")
    assert [v.urn.rsplit("::", 1)[-1] for v in plan.exempt] == ["raw"]
    values = but_compliance(plan.violations)
    assert {v.policy for v in values} == {"tagging-values"}
    assert "above 'public'" in values[0].message
