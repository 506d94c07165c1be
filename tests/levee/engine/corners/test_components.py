"""Components that their provider's own program constructs: registered, typed, listed, never called judged."""

from datetime import UTC, datetime

import pytest

from levee.compliance.catalogue import RULES
from levee.compliance.evaluate import evaluate
from levee.compliance.settings import Settings
from levee.compliance.tagging.place import Places
from levee.engine import ProgramError
from levee.engine.standin.component_values import comes_back
from levee.plan import UNKNOWN, Op, Verdict, document
from levee.sdk import Sdk, TypeRef

PROGRAM = """
    import pulumi
    import pulumi_aws as aws
    import pulumi_shelves as shelves

    pulumi_config = pulumi.Config()
    rack = shelves.Rack("rack", size=pulumi_config.get_int("size") or 3, labels={"a": "b"})
    policy = aws.s3.BucketPolicy("policy", bucket=rack.bucket_id, policy="{}")
    inside = aws.s3.BucketObject("inside", bucket=rack.bucket.id, content="x", opts=pulumi.ResourceOptions(parent=rack))
    aws.s3.Bucket("after", opts=pulumi.ResourceOptions(depends_on=[rack]))
    pulumi.export("labels", rack.labels)
    pulumi.export("arn", rack.bucket.arn)
    pulumi.export("same", pulumi.Output.all(rack.bucket.id, rack.bucket_id).apply(lambda ids: ids[0] == ids[1]))
    pulumi.export("logs", rack.details.log_bucket.apply(lambda bucket: bucket.arn))
    pulumi.export("second", rack.subnet_ids[1])
    pulumi.export("kind", rack.kubeconfig["kind"])
    pulumi.export("title", rack.get_title().title)
"""


def _rack(plan):
    return next(r for r in plan.resources if r.type == "shelves:index:Rack")


def _opaque(plan):
    return [v for v in plan.not_evaluated if v.policy == "children-not-evaluated"]


def _verdicts(plan, site_packages):
    """What every rule says, as ``(URN, verdict)``."""
    places = Places(Sdk(site_packages))
    outcomes = evaluate(plan, RULES, Settings.from_config(RULES, {}), places, datetime.now(UTC).date())
    return {(outcome.urn, outcome.verdict) for outcome in outcomes}


@pytest.mark.usefixtures("shelves")
def test_a_remote_component_lives_with_typed_outputs(project):
    run = project(PROGRAM)
    previewed = run("preview")
    assert previewed.outputs == {**dict.fromkeys(previewed.outputs, UNKNOWN), "labels": {"a": "b"}}

    up = run("up")
    assert up.outputs["labels"] == {"a": "b"}
    assert up.outputs["arn"].startswith("arn:aws:s3:::rack-bucket-")
    assert up.outputs["same"] is True
    assert up.outputs["logs"].startswith("arn:aws:s3:::rack-details-log-bucket-")
    assert up.outputs["second"].startswith("subnet-")
    assert up.outputs["kind"] == "Config"
    assert isinstance(up.outputs["title"], str)
    read = {r.name: r for r in up.resources if r.op is Op.READ}
    assert {r.parent for r in read.values()} == {_rack(up).urn}
    inside = next(r for r in up.resources if r.name == "inside")
    assert inside.parent == _rack(up).urn
    assert inside.property_dependencies["bucket"]

    for plan in (previewed, up):
        assert str(_rack(plan).source) == "__main__.py:7"
        (listed,) = _opaque(plan)
        assert (listed.urn, str(listed.source)) == (_rack(plan).urn, "__main__.py:7")
        assert plan.summary.not_evaluated == 1
        assert document.to_document(plan)["not_evaluated"][0]["policy"] == "children-not-evaluated"
        (asked,) = (lookup for lookup in plan.invented_lookups if lookup.token.endswith("/getTitle"))
        assert str(asked.source) == "__main__.py:17"
    verdicts = _verdicts(up, run.workspace().project.site_packages)
    assert Verdict.PASSED in {verdict for _, verdict in verdicts}
    assert not {urn for urn, _ in verdicts} & {_rack(up).urn, *(r.urn for r in read.values())}, "nobody has seen them"

    again = run("preview")
    assert again.outputs == up.outputs
    assert not again.changes
    assert not run("refresh").changes
    assert run("destroy").summary.by_op.keys() == {"delete"}


@pytest.mark.usefixtures("shelves")
def test_a_components_inputs_are_checked(project):
    program = PROGRAM.replace('pulumi_config.get_int("size") or 3', '"many"')
    with pytest.raises(ProgramError, match=r"'size' must be a whole number") as refused:
        project(program)("preview")
    assert "__main__.py:7" in str(refused.value)


@pytest.mark.parametrize(
    ("given", "wanted", "same"),
    [
        (TypeRef("string"), TypeRef("string"), True),
        (TypeRef("object", ref="VpcArgs"), TypeRef("object", ref="Vpc"), True),
        (TypeRef("object", ref="NatArgs"), TypeRef("array", item=TypeRef("resource", ref="NatGateway")), False),
        (TypeRef("array", item=TypeRef("string")), TypeRef("array", item=TypeRef("resource", ref="Subnet")), False),
        (TypeRef("string"), TypeRef("any"), True),
        (TypeRef("any"), TypeRef("resource", ref="Role"), False),
    ],
)
def test_an_input_is_the_output_of_its_name_only_where_their_types_agree(given, wanted, same):
    assert comes_back(given, wanted) is same
