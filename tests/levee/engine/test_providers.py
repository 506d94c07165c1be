"""Programs with providers: explicit ones, several regions, options, lookups, secrets; offline and online."""

import json

import pytest

from levee import engine
from levee.engine.standin.cloud import SimulatedCloud
from levee.errors import EngineError, GateError, UsageError
from levee.plan import UNKNOWN, Op

REGIONS = """
    import pulumi
    import pulumi_aws as aws

    west = aws.Provider("west", region="us-west-2")
    east = aws.Provider("east", region="eu-central-1")
    first = aws.s3.Bucket("first", opts=pulumi.ResourceOptions(provider=west))
    second = aws.s3.Bucket("second", opts=pulumi.ResourceOptions(provider=east, depends_on=[first], protect=True))
    aws.s3.BucketVersioning(
        "versioning", bucket=first.id, versioning_configuration={"status": "Enabled"},
        opts=pulumi.ResourceOptions(provider=west),
    )
    pulumi.export("regions", pulumi.Output.all(first.region, second.region))
    pulumi.export("arn", first.arn)
"""


def _named(plan, name):
    return next(r for r in plan.resources if r.name == name)


def _changed(plan):
    """What changed, by name."""
    return {r.name: r.op for r in plan.resources if r.custom and not r.is_provider and r.op is not Op.SAME}


def test_regions_dependencies_options_and_protection_reach_the_plan_and_the_stack(project):
    run = project(REGIONS)
    previewed, up = run("preview"), run("up")
    for plan in (previewed, up):
        first, second, versioning = (_named(plan, n) for n in ("first", "second", "versioning"))
        assert second.protect
        assert first.urn in second.dependencies
        assert versioning.property_dependencies["bucket"] == (first.urn,)
        assert str(versioning.source) == "__main__.py:9"
    assert previewed.outputs["arn"] == UNKNOWN
    assert up.outputs["regions"] == ["us-west-2", "eu-central-1"]
    assert up.outputs["arn"].startswith("arn:aws:s3:::first-")
    assert "::west::" in _named(up, "first").provider
    assert not run("up").changes

    with pytest.raises(GateError, match="protect") as refused:
        run("destroy")
    assert "--unprotect" in str(refused.value)
    assert run("destroy", unprotect=True).summary.by_op == {"delete": 3}


def test_an_invented_lookup_is_listed_with_its_line_and_the_projects_own_answer_is_not(project):
    run = project(
        """
        import pulumi
        import pulumi_aws as aws

        pulumi.export("account", aws.get_caller_identity().account_id)
        pulumi.export("zones", aws.get_availability_zones_output(state="available").names)
        pulumi.export("vpc", aws.ec2.get_vpc(default=True).id)
        """
    )
    (run.root / "lookups.yaml").write_text(
        "- {function: aws:ec2/getVpc:getVpc, args: {default: true}, result: {id: vpc-0a1b2c3d}}\n"
    )
    plan = run("preview")
    assert len(plan.outputs["zones"]) >= 2
    assert plan.outputs["vpc"] == "vpc-0a1b2c3d"
    lines = {lookup.token.rsplit(":", 1)[-1]: str(lookup.source) for lookup in plan.invented_lookups}
    assert lines == {"getCallerIdentity": "__main__.py:5", "getAvailabilityZones": "__main__.py:6"}
    other = run.root / "other.yaml"
    other.write_text("- {function: aws:ec2/getVpc:getVpc, result: {id: vpc-0d4c3b2a}}\n")
    assert run("preview", lookups=other).outputs["vpc"] == "vpc-0d4c3b2a", "the file that is named goes before it"


def test_drift_in_an_input_a_computed_output_and_a_secret_is_found_and_healed(project):
    run = project(
        """
        import pulumi
        import pulumi_aws as aws
        aws.s3.Bucket("store", tags={"owner": "us"})
        aws.s3.Bucket("lake", bucket="acme-lake", tags={"owner": "data"})
        aws.ssm.Parameter("kept", name="kept", type="SecureString", value=pulumi.Output.secret("hunter2"))
        """
    )
    store = _named(run("up"), "store")
    with SimulatedCloud(run.workspace().cloud) as cloud:
        cloud.change(store.urn, {"tags": {"owner": "them"}})
        cloud.change("acme-lake", {"tags": {"owner": "somebody"}, "hostedZoneId": "Z1"})
        cloud.change("kept", {"value": "hunter3"})
    drifted = {"store": Op.UPDATE, "lake": Op.UPDATE, "kept": Op.UPDATE}
    assert _changed(run("refresh", dry_run=True)) == drifted
    found = run("refresh")
    assert _changed(found) == drifted
    assert _named(found, "store").diff == ("tags.owner",)
    assert _changed(run("up")) == drifted
    assert not run("refresh").changes
    with SimulatedCloud(run.workspace().cloud) as cloud:
        cloud.remove(store.urn)
    assert _changed(run("refresh")) == {"store": Op.DELETE}
    assert _changed(run("up")) == {"store": Op.CREATE}


def test_wrong_inputs_are_refused_with_property_and_line(project):
    run = project("import pulumi_aws as aws\n\naws.kms.Key('key', deletion_window_in_days='soon')\n")
    with pytest.raises(engine.ProgramError, match="deletionWindowInDays") as refused:
        run("preview")
    assert refused.value.where == "__main__.py:3"


def test_rules_that_are_none_are_wrong_use(project):
    run = project("import pulumi\n")
    faults = run.root / "faults.yaml"
    faults.write_text("faults:\n  - {action: explode}\n")
    with pytest.raises(UsageError, match="unknown action 'explode'") as refused:
        run("up", faults=faults)
    assert f"{faults}:2" in str(refused.value)


def test_a_fault_and_a_cloud_that_dies_in_mid_update_lose_nothing_and_the_next_up_converges(project):
    run = project(
        "import pulumi_aws as aws\nfor i in range(6):\n    aws.s3.Bucket(f'store-{i}', bucket=f'acme-{i}')\n",
        config="config:\n  aws:region: eu-west-1\n",
    )
    faults = run.root / "faults.yaml"
    faults.write_text("faults:\n  - {action: fail, type: aws:s3/bucket:Bucket, nth: 2}\n")
    with pytest.raises(EngineError) as failed:
        run("up", faults=faults)
    assert failed.value.where == "__main__.py:3"
    assert "levee up dev" in str(failed.value)
    faults.write_text("faults:\n  - {action: kill, type: aws:s3/bucket:Bucket}\n")
    with pytest.raises(EngineError):
        run("up", faults=faults)
    again = run("up")
    assert again.summary.by_op.keys() == {"create", "same"}
    assert not [note for note in again.notes if "refresh will need to be run" in note]
    last = run("up")
    assert not last.changes
    assert not last.notes
    assert not run("refresh").changes
    with SimulatedCloud(run.workspace().cloud) as cloud:
        assert sorted(r.id for r in cloud.resources()) == [f"acme-{i}" for i in range(6)]
    assert run("destroy").summary.by_op == {"delete": 6}
    with SimulatedCloud(run.workspace().cloud) as cloud:
        assert not [r for r in cloud.resources() if not r.removed]


def test_what_a_killed_engine_left_pending_is_settled_and_said(project):
    run = project("import pulumi_aws as aws\nfor i in range(3):\n    aws.s3.Bucket(f'store-{i}')\n")
    run("up")
    checkpoint = run.workspace().checkpoint
    document = json.loads(checkpoint.read_text())
    latest = document["checkpoint"]["latest"]
    half_made = next(r for r in latest["resources"] if r["urn"].endswith("::store-2"))
    latest["resources"].remove(half_made)
    latest["pending_operations"] = [{"resource": {**half_made, "id": ""}, "type": "creating"}]
    checkpoint.write_text(json.dumps(document))
    destroyed = run("destroy")
    assert any("store-2" in note and "pending" in note for note in destroyed.notes)
    assert "pending_operations" not in json.loads(checkpoint.read_text())["checkpoint"]["latest"]
    with SimulatedCloud(run.workspace().cloud) as cloud:
        assert not [r for r in cloud.resources() if not r.removed]
