"""``levee check``: one rule book for Pulumi and Terraform."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from levee.cli.app import run
from levee.compliance.checkov import worker
from tests.levee.review.test_fork import ENVIRONMENT, git
from tests.levee.review.test_writers import SCHEMA

ROOT = Path(__file__).resolve().parents[3]
PLAN = ROOT / "tests" / "levee" / "terraform" / "plan.json"
HCL = """\
resource "aws_kms_key" "lake" {
  policy = "{}"
}

variable "public" {}

resource "aws_db_instance" "meta" {
  engine              = "postgres"
  instance_class      = "db.t4g.micro"
  kms_key_id          = aws_kms_key.lake.arn
  publicly_accessible = var.public
  storage_encrypted   = false
}
"""


@pytest.fixture(autouse=True)
def _checkov():
    if not (worker.home() / "bin" / "python").exists():
        pytest.skip("Checkov is not installed: make checkov")


def checked(*arguments, to):
    code = run(["check", *map(str, arguments), "--json", str(to)])
    said = json.loads(to.read_text())
    return code, {
        verdict: {(v["policy"], v["urn"].rsplit("::", 1)[-1]): v for v in said[verdict]}
        for verdict in ("violations", "not_evaluated", "exempt")
    }


def test_a_plan_is_held_against_every_pack(tmp_path, capsys):
    code, said = checked(PLAN, to=tmp_path / "said.json")
    assert code == 1
    assert capsys.readouterr().out.splitlines()[0].endswith(" terraform"), "no simulated cloud was asked"
    broken = said["violations"]
    assert broken["CKV_AWS_7", "aws_kms_key.lake"]["level"] == "mandatory"
    assert ("tagging-required", "aws_s3_bucket.raw[0]") in broken
    assert ("aws-kms-key-rotated", "aws_kms_key.lake") in broken
    assert ("CKV_AZURE_44", "azurerm_storage_account.lake") in broken
    assert not [pair for pair in broken if pair[1] == "aws_sns_topic.old"]


def test_connected_checks_follow_the_plans_references(tmp_path):
    _, said = checked(PLAN, to=tmp_path / "said.json")
    assert ("CKV_AWS_145", "aws_s3_bucket.raw[0]") not in said["violations"]
    assert ("CKV2_AWS_6", "aws_s3_bucket.raw[0]") in said["violations"]


def test_a_folder_is_read_with_the_lines_and_what_no_one_has_set_is_not_evaluated(tmp_path):
    (tmp_path / "tf").mkdir()
    (tmp_path / "tf" / "main.tf").write_text(HCL)
    code, said = checked(tmp_path / "tf", to=tmp_path / "said.json")
    assert code == 1
    broken = said["violations"]["CKV_AWS_16", "aws_db_instance.meta"]
    assert broken["source"] == {"file": "main.tf", "line": 7}
    assert ("CKV_AWS_17", "aws_db_instance.meta") in said["not_evaluated"]
    assert ("CKV_AWS_17", "aws_db_instance.meta") not in said["violations"]


def test_the_environments_levels_and_exemptions_hold(tmp_path):
    code, said = checked(PLAN, "--env", "prod", "--cwd", ROOT, to=tmp_path / "said.json")
    assert code == 1
    environment = said["violations"]["tagging-required", "aws_s3_bucket.raw[0]"]
    assert "environment" in environment["message"]
    assert "a month" in said["not_evaluated"]["budget-exceeded", ""]["message"], "what has a price is added up"


def test_what_it_writes_for_other_programs_names_the_files_as_the_repository_has_them(tmp_path):
    """By the writers of ``levee review``; what is said of the whole is shown at a file, too: code hosts demand one."""
    network = tmp_path / "infra" / "network"
    network.mkdir(parents=True)
    (network / "main.tf").write_text(HCL)
    git(tmp_path, "init", "-q")
    out = tmp_path / "out"
    assert run(["check", str(network), "--output", str(out)]) == 1
    log = json.loads((out / "check.sarif").read_text())
    jsonschema.Draft4Validator(SCHEMA).validate(log)
    (sarif,) = log["runs"]
    assert sarif["invocations"][0]["exitCode"] == 1
    results = {(r["ruleId"], place(r)) for r in sarif["results"] if r["kind"] == "fail"}
    assert ("CKV_AWS_16", ("infra/network/main.tf", 7)) in results
    assert {file for _, (file, _) in {(r["ruleId"], place(r)) for r in sarif["results"]}} == {"infra/network/main.tf"}
    assert not any("baselineState" in result for result in sarif["results"]), "there is no base"
    helps = {rule["id"]: rule["help"]["text"] for rule in sarif["tool"]["driver"]["rules"]}
    assert helps["CKV_AWS_16"].startswith("Change the property")
    (suite,) = ET.fromstring((out / "check.junit.xml").read_bytes())
    cases = {case.get("name"): [verdict.tag for verdict in case] for case in suite}
    assert (cases["CKV_AWS_16"], cases["CKV_AWS_17"]) == (["failure"], ["skipped"])
    assert json.loads((out / "check.json").read_text())["violations"]


def place(result):
    physical = result["locations"][0]["physicalLocation"]
    return physical["artifactLocation"]["uri"], physical["region"]["startLine"]


def test_a_disabled_rule_is_no_test_that_passes(tmp_path, capsys):
    (tmp_path / "environments").mkdir()
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\nstackConfigDir: environments\n")
    text = f"{ENVIRONMENT}    policies:\n      CKV_AWS_7: {{level: disabled}}\n"
    (tmp_path / "environments" / "Pulumi.dev.yaml").write_text(text)
    assert run(["check", str(PLAN), "--env", "dev", "--cwd", str(tmp_path), "--format", "junit"]) == 1
    (suite,) = ET.fromstring(capsys.readouterr().out)
    names = {case.get("name") for case in suite}
    assert "CKV_AWS_16" in names
    assert "CKV_AWS_7" not in names


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "no Terraform resource is written here"),
        ({"main.tf": 'resource "aws_s3_bucket" "b" {\n'}, "not Terraform's language"),
        ({"main.tf": 'resource "aws_s3_bucket" "b" {}\n\nresource "x" {\n  = 5\n}\n'}, "main.tf:4"),
        ({"main.tf": 'resource "aws_s3_bucket" "b" {\n  = 5\n}\n'}, "expected "),
    ],
)
def test_a_folder_that_cannot_be_read_is_refused(tmp_path, capsys, files, said):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert run(["check", str(tmp_path)]) == 2
    assert said in capsys.readouterr().err


def test_a_plan_that_cannot_be_read_is_refused_with_its_line(tmp_path, capsys):
    (tmp_path / "plan.json").write_text('{\n  "format_version": 1\n}')
    assert run(["check", str(tmp_path / "plan.json")]) == 2
    said = capsys.readouterr().err
    assert "plan.json:2" in said
    assert "terraform show -json" in said
