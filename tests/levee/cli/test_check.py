"""``levee check``: one rule book for Pulumi and Terraform."""

import json
from pathlib import Path

import pytest

from levee.cli.app import run
from levee.compliance.checkov import worker

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


def test_a_plan_is_held_against_every_pack(tmp_path):
    code, said = checked(PLAN, to=tmp_path / "said.json")
    assert code == 1
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


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "no Terraform resource is written here"),
        ({"main.tf": 'resource "aws_s3_bucket" "b" {\n'}, "not Terraform's language"),
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
