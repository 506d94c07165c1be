"""The compliance pack under the real engine: what it blocks, what it sees through references, what is excused."""

import textwrap
from pathlib import Path

import pytest

from levee import engine
from levee.plan import Level
from levee.toolchain import ensure_pulumi

ROOT = Path(__file__).resolve().parents[2]
PACK = ROOT / "policy_packs" / "compliance"
PROGRAM = """
    import pulumi_aws as aws

    door = {"protocol": "tcp", "from_port": 22, "to_port": 22, "cidr_blocks": ["0.0.0.0/0"]}
    aws.ec2.SecurityGroup("door", ingress=[door])
    closed = aws.s3.Bucket("closed")
    every_way = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
    aws.s3.BucketPublicAccessBlock("closed", bucket=closed.id, **dict.fromkeys(every_way, True))
    aws.s3.Bucket("unguarded")
"""
OPEN_DOOR = "aws-vpc-admin-ports-closed"
GUARDED = "aws-s3-public-access-blocked"
EXEMPTION = {
    "policy": OPEN_DOOR,
    "urn_glob": "*::door",
    "reason": "the bastion moves behind Session Manager",
    "owner": "network@example.com",
    "expires": "2999-12-31",
}


@pytest.fixture(scope="module")
def preview(tmp_path_factory):
    """``preview(pack_config)`` of the program above with the compliance pack alone."""
    folder = tmp_path_factory.mktemp("probe")
    (folder / "Pulumi.yaml").write_text("name: probe\nruntime: python\n")
    (folder / "__main__.py").write_text(textwrap.dedent(PROGRAM))
    pulumi_cli = ensure_pulumi(ROOT)

    def run(pack_config):
        options = engine.Options(packs=(PACK,), pack_config=pack_config, pulumi=pulumi_cli)
        return engine.perform(engine.Operation.PREVIEW, folder, "prod", options)

    return run


def named(violations, policy):
    return [v.urn.rpartition("::")[2] for v in violations if v.policy == policy]


def test_an_open_door_blocks_and_an_exemption_opens_it(preview):
    blocked = preview({})
    assert blocked.blocked
    (found,) = [v for v in blocked.violations if v.level is Level.MANDATORY]
    assert (found.policy, str(found.source)) == (OPEN_DOOR, "__main__.py:5")
    assert "`ingress[0].cidrBlocks[0]` opens 22 (SSH) to 0.0.0.0/0" in found.message

    excused = preview({"exemption-expired": {"entries": [EXEMPTION]}})
    assert not excused.blocked
    assert named(excused.exempt, OPEN_DOOR) == ["door"]
    assert named(excused.violations, GUARDED) == ["unguarded"], "the other bucket has its block by reference"


def test_a_rule_of_the_graph_blocks_too_where_it_is_mandatory(preview):
    config = {"exemption-expired": {"entries": [EXEMPTION]}, GUARDED: "mandatory"}
    plan = preview(config)
    assert plan.blocked
    assert named([v for v in plan.violations if v.level is Level.MANDATORY], GUARDED) == ["unguarded"]
