"""Checkov inside CrossGuard: under the real engine alone, and in the merged pack where an environment asks for it."""

import json
import textwrap
from pathlib import Path

import pytest

from levee import compliance, engine
from levee.compliance.checkov import worker
from levee.plan import Level, document
from levee.toolchain import ensure_pulumi
from tests.policy_packs.conftest import Pack

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
    import pulumi
    import pulumi_aws as aws

    key = aws.kms.Key("key", policy="{}", enable_key_rotation=True)
    kept = aws.s3.Bucket("kept")
    aws.s3.BucketServerSideEncryptionConfiguration("kept", bucket=kept.id, rules=[{
        "apply_server_side_encryption_by_default": {"sse_algorithm": "aws:kms", "kms_master_key_id": key.arn},
    }])
    aws.s3.BucketPublicAccessBlock("kept", bucket=kept.id, block_public_acls=True, block_public_policy=True,
                                   ignore_public_acls=True, restrict_public_buckets=True)
    aws.s3.BucketVersioning("kept", bucket=kept.id, versioning_configuration={"status": "Enabled"})
    aws.s3.Bucket("open")
    password = pulumi.Output.secret("AKIAIOSFODNN7EXAMPLE")
    aws.lambda_.Function("leaky", role="arn:aws:iam::111122223333:role/lake",
                         environment={"variables": {"KEY": password}})
"""
ENVIRONMENT = {
    "company": "acme",
    "owners": {"team": "data-platform", "email": "data@example.com", "cost_centre": "cc-1042"},
    "classification": "public",
    "clouds": {"aws": {"account": "111122223333", "region": "eu-west-1"}},
    "budgets": {"total": {"monthly_usd": 1000}},
    "retention": {"audit_days": 2555, "log_days": 90, "noncurrent_days": 30},
    "protection": {"stateful": True, "retention_lock": False},
}


def test_the_pack_blocks_what_checkov_refuses_and_sees_connected_resources(tmp_path):
    """In a preview every id is unknown: the edges are all that tells the kept bucket from the open one."""
    if not (worker.home() / "bin" / "python").exists():
        pytest.skip("Checkov is not installed: make checkov")
    (tmp_path / "Pulumi.yaml").write_text("name: probe\nruntime: python\n")
    (tmp_path / "__main__.py").write_text(textwrap.dedent(PROGRAM))
    options = engine.Options(packs=(ROOT / "policy_packs" / "checkov",), pulumi=ensure_pulumi(ROOT))
    plan = engine.perform(engine.Operation.PREVIEW, tmp_path, "prod", options)
    blocking = {
        (v.policy, plan.by_urn[v.urn].name, str(v.source)) for v in plan.violations if v.level is Level.MANDATORY
    }
    assert plan.blocked
    opened = {(check, "open", "__main__.py:13") for check in ("CKV2_AWS_6", "CKV_AWS_21", "CKV_AWS_145")}
    assert {said for said in blocking if said[1] != "leaky"} == opened
    assert ("CKV_AWS_45", "leaky", "__main__.py:15") in blocking, "a secret is judged for what it is"
    assert "AKIAIOSFODNN7EXAMPLE" not in json.dumps(document.to_document(plan))


@pytest.fixture
def merged(tmp_path):
    served = Pack("levee", tmp_path)
    yield served
    served.close()


def policies(served, environment):
    info = served.prepare(**{"levee:environment": json.dumps(environment)})
    return {policy.name for policy in info.policies}, info.initialConfig


def test_the_merged_pack_has_checkov_where_the_environment_asks_for_it(merged):
    off, _ = policies(merged, ENVIRONMENT)
    asking = {"checkov": {"level": "advisory"}, "CKV_AWS_21": {"level": "disabled"}}
    on, initial = policies(merged, {**ENVIRONMENT, "policies": asking})
    assert not any(name.startswith("CKV") for name in off)
    assert {"CKV_AWS_21", "CKV2_AWS_6", "tagging-required"} <= on
    assert len(on - off) == 1203
    assert (initial["CKV_AWS_21"].enforcementLevel, initial["CKV2_AWS_6"].enforcementLevel) == (2, 0)


def test_levels_are_found_for_the_same_rules_outside_the_engine():
    assert not any(rule.pack == "checkov" for rule in compliance.rules_for(None))
