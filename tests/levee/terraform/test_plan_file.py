"""A Terraform plan read as our own: names, nesting, what is unknown or secret, references, and what is no plan."""

import json
from pathlib import Path

import pytest

from levee.errors import UsageError
from levee.plan import SECRET, UNKNOWN, Op, document
from levee.terraform import plan_file

FILE = Path(__file__).with_name("plan.json")


@pytest.fixture(scope="module")
def plan():
    return plan_file.read(FILE, "prod")


def named(plan, name):
    return next(r for r in plan.resources if r.name == name)


def test_a_resource_has_pulumis_type_names_and_nesting(plan):
    bucket = named(plan, "aws_s3_bucket.raw[0]")
    assert bucket.type == "aws:s3/bucket:Bucket"
    assert bucket.urn == "urn:pulumi:prod::plan::aws:s3/bucket:Bucket::aws_s3_bucket.raw[0]"
    assert bucket.inputs == {
        "bucket": "acme-raw",
        "forceDestroy": False,
        "tags": {"owner": "data", "cost-centre": "cc-1042"},
        "lifecycleRules": [{"enabled": True, "expiration": {"days": 30}, "tags": {"someKey": "kept"}}],
    }


def test_what_comes_with_the_apply_is_unknown_and_says_from_where(plan):
    encryption = named(plan, "aws_s3_bucket_server_side_encryption_configuration.raw")
    rule = {"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": UNKNOWN}}
    assert encryption.inputs == {"bucket": UNKNOWN, "rules": [rule]}
    assert encryption.property_dependencies == {
        "bucket": (named(plan, "aws_s3_bucket.raw[0]").urn,),
        "rules": (named(plan, "aws_kms_key.lake").urn,),
    }


def test_what_only_the_provider_computes_is_no_input(plan):
    assert named(plan, "aws_kms_key.lake").inputs == {
        "description": "the lake's",
        "enableKeyRotation": False,
        "policy": "{}",
    }


def test_a_sensitive_value_is_sealed_in_the_plan(plan):
    assert named(plan, "aws_db_instance.meta").inputs["password"] == SECRET
    assert "hunter2" not in f"{plan} {json.dumps(document.to_document(plan))}"


def test_references_inside_a_module_stay_inside_it(plan):
    alias = named(plan, 'module.keys["eu"].aws_kms_alias.this')
    assert alias.property_dependencies == {"targetKeyId": (named(plan, 'module.keys["eu"].aws_kms_key.this').urn,)}


def test_operations_are_the_plans(plan):
    ops = {r.name: r.op for r in plan.resources if r.custom and not r.is_provider}
    assert ops["aws_kms_key.lake"] is Op.UPDATE
    assert ops['module.keys["eu"].aws_kms_alias.this'] is Op.REPLACE
    assert ops["aws_sns_topic.old"] is Op.DELETE
    assert ops["aws_s3_bucket.raw[0]"] is Op.SAME


def test_a_type_without_a_pulumi_name_keeps_terraforms_words(plan):
    account = named(plan, "azurerm_storage_account.lake")
    assert account.type == "terraform:index:azurerm_storage_account"
    assert account.inputs["network_rules"] == [{"default_action": "Allow"}]


def test_the_provider_says_what_the_configuration_says_of_it(plan):
    provider = next(r for r in plan.resources if r.is_provider)
    assert (provider.type, provider.inputs) == ("pulumi:providers:aws", {"region": "eu-west-1"})
    assert named(plan, "aws_kms_key.lake").provider.startswith(provider.urn)


def broken(change):
    document = json.loads(FILE.read_text())
    change(document)
    return json.dumps(document, indent=1)


BROKEN = {
    "cut": ('{\n "format_version": "1.2",\n', 3, "not JSON: Expecting property name"),
    "state": ('{\n "version": 4,\n "resources": []\n}', 1, "format_version: Field required"),
    "version": (
        broken(lambda d: d.update(format_version="2.0")),
        2,
        "plan format '2.0', expected 1.x",
    ),
    "type": (
        broken(lambda d: d["planned_values"]["root_module"]["resources"][0].update(values=7)),
        12,
        "planned_values.root_module.resources.0.values: Input should be a valid dictionary",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_no_plan_is_refused_with_its_line(tmp_path, case):
    text, line, said = BROKEN[case]
    file = tmp_path / "plan.json"
    file.write_text(text)
    with pytest.raises(UsageError) as refused:
        plan_file.read(file, "prod")
    assert said in refused.value.message
    assert refused.value.where == f"{file}:{line}"


def test_terraforms_own_plan_file_is_refused_with_the_command_that_converts_it(tmp_path):
    file = tmp_path / "plan"
    file.write_bytes(b"PK\x03\x04rest")
    with pytest.raises(UsageError) as refused:
        plan_file.read(file, "prod")
    assert "terraform show -json" in (refused.value.fix or "")
