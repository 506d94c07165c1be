"""``levee cost`` and the budgets pack on the real engine."""

import json
import textwrap
from pathlib import Path

import pytest

from levee import engine
from levee.cli.app import run
from levee.plan import Level
from levee.toolchain import ensure_pulumi

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
    import pulumi
    import pulumi_aws as aws
    ireland = aws.Provider("ireland", region="eu-west-1")
    here = pulumi.ResourceOptions(provider=ireland)
    aws.ec2.NatGateway("way-out", subnet_id="subnet-1", connectivity_type="private", opts=here)
    template = aws.ec2.LaunchTemplate("web", instance_type="m5.large", opts=here)
    aws.autoscaling.Group(
        "web", min_size=1, max_size=3, launch_template={"id": template.id}, availability_zones=["eu-west-1a"], opts=here
    )
    aws.iam.Role("role", assume_role_policy="{}", opts=here)
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A gateway and a group of machines in Ireland."""
    folder = tmp_path_factory.mktemp("priced")
    (folder / "Pulumi.yaml").write_text("name: priced\nruntime: python\n")
    (folder / "Pulumi.dev.yaml").write_text("config: {}\n")
    (folder / "__main__.py").write_text(textwrap.dedent(PROGRAM))
    return folder


def test_a_plan_is_priced_line_by_line(project, tmp_path, capsys):
    usage = tmp_path / "usage.yaml"
    usage.write_text('names:\n  "way-*": {data_processed_gb: 100}\n')
    assert run(["cost", "dev", "--cwd", str(project), "--usage", str(usage), "--json"]) == 0
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    gateway = next(one for one in document["resources"] if one["name"] == "way-out")
    fee, data = gateway["lines"]
    # 0.045 an hour in us-east-1, times Ireland's 1.116
    assert (fee["unit_price_usd"], fee["monthly_usd"]["expected"], fee["basis"]) == ("0.050220", "36.66", "configured")
    assert (data["quantity"]["expected"], data["monthly_usd"]["expected"], data["basis"]) == ("100", "5.02", "usage")
    group = next(one for one in document["resources"] if one["name"] == "web")
    assert group["monthly_usd"]["high"] == f"{3 * float(group['monthly_usd']['low']):.2f}"
    assert document["free"] == {"aws:ec2/launchTemplate:LaunchTemplate": 1, "aws:iam/role:Role": 1}
    assert document["unpriced"] == {}
    assert "a month" in printed.err


def test_a_wrong_usage_file_stops_before_the_engine_starts(project, tmp_path, capsys):
    usage = tmp_path / "usage.yaml"
    usage.write_text("names:\n  way:\n    data_procesed_gb: 1\n")
    assert run(["cost", "dev", "--cwd", str(project), "--usage", str(usage)]) == 2
    said = capsys.readouterr().err
    assert "usage.yaml:3" in said
    assert "data_processed_gb" in said


def test_the_budgets_pack_blocks_what_is_too_dear(project):
    budgets = {"total": {"monthly_usd": 36}}
    options = engine.Options(
        packs=(ROOT / "policy_packs" / "budgets",),
        pack_config={"budget-exceeded": {"budgets": budgets}},
        pulumi=ensure_pulumi(ROOT),
    )
    plan = engine.perform(engine.Operation.PREVIEW, project, "dev", options)
    assert plan.blocked
    (violation,) = [v for v in plan.violations if v.policy == "budget-exceeded"]
    assert violation.level is Level.MANDATORY
    assert "way-out: NAT gateway $36.66" in violation.message  # Ireland's: the pack knows the provider's region
    assert "To bring it under" in violation.message
