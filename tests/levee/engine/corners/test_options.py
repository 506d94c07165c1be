"""Resource options: one program whose second version changes what each option is about."""

import pytest

from levee.engine.standin.cloud import SimulatedCloud
from levee.plan import SECRET, Op

PROGRAM = """
    import pulumi
    import pulumi_aws as aws
    import pulumi_random as random

    Options = pulumi.ResourceOptions
    version = pulumi.Config().get("version") or "1"

    if version == "1":
        aws.s3.Bucket("kept", bucket="kept-by-the-cloud", opts=Options(retain_on_delete=True))
        owner = aws.s3.Bucket("owner", bucket="owner")
        aws.s3.BucketPolicy("goes-with-owner", bucket="owner", policy="{}", opts=Options(deleted_with=owner))
        aws.s3.Bucket("before", bucket="renamed")
        aws.s3.Bucket("child", bucket="re-parented")
    aws.s3.Bucket("replaced", tags={"v": version}, opts=Options(replace_on_changes=["tags.v"]))
    aws.s3.Bucket("deleted-first", bucket=f"name-{version}", opts=Options(delete_before_replace=True))
    aws.s3.Bucket("ignores", tags={"v": version}, opts=Options(ignore_changes=["tags"]))
    aws.s3.Bucket("plain", tags={"v": version})

    class Shelf(pulumi.ComponentResource):
        def __init__(self, name, opts=None):
            super().__init__("probe:index:Shelf", name, {}, opts)
            self.pet = random.RandomPet(f"{name}-pet", opts=Options(parent=self))
            if version == "2":
                aliases = [pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE)]
                aws.s3.Bucket("child", bucket="re-parented", opts=Options(parent=self, aliases=aliases))
            self.register_outputs({"pet": self.pet.id})

    shelf = Shelf("shelf")
    aws.s3.Bucket("after-shelf", opts=Options(depends_on=[shelf]))
    if version == "2":
        aws.s3.Bucket("after", bucket="renamed", opts=Options(aliases=[pulumi.Alias(name="before")]))
    moved = {} if version == "1" else {"aliases": [pulumi.Alias(type_="aws:s3/bucketV2:BucketV2")]}
    (aws.s3.BucketV2 if version == "1" else aws.s3.Bucket)("retyped", bucket="retyped", opts=Options(**moved))

    hidden = aws.s3.Bucket("hidden", bucket="hidden", opts=Options(additional_secret_outputs=["arn"]))
    aws.s3.Bucket("slow", opts=Options(custom_timeouts=pulumi.CustomTimeouts(create="7m", delete="1h")))
    imported = aws.s3.Bucket("imported", bucket="there-already", tags={"a": "b"}, opts=Options(import_="there-already"))
    read = aws.s3.Bucket.get("read", "somebody-elses")
    pulumi.export("hidden", hidden.arn)
    pulumi.export("imported", imported.arn)
    pulumi.export("read", read.arn)
    pulumi.export("pet", shelf.pet.id)
    former = [] if version == "1" else [pulumi.Alias(name="old")]
    aws.s3.Bucket("old" if version == "1" else "new", opts=Options(aliases=former))
"""


@pytest.fixture
def life(project):
    """Preview and up of the first version, preview and up of the second."""
    run = project(PROGRAM)
    first = run("preview"), run("up")
    second, events = {"config": {"version": "2"}}, []
    return run, first, (run("preview", **second), run("up", on_event=events.append, **second)), events


def _named(plan, name):
    return next(r for r in plan.resources if r.name == name)


def _ops(plan):
    return {r.name: r.op for r in plan.resources}


def _carried_out(events, name):
    """The engine's steps with that resource, in their order, without those that its own preview announced."""
    steps = [event["resourcePreEvent"] for event in events if "resourcePreEvent" in event]
    done = [step["metadata"] for step in steps if not step.get("planning")]
    return [metadata["op"] for metadata in done if metadata["urn"].endswith(f"::{name}")]


def test_options_do_offline_what_they_do_in_a_cloud(life):
    run, (previewed, up), (again, changed), events = life
    for plan in (previewed, up):
        assert _ops(plan)["imported"] is Op.IMPORT
        assert _ops(plan)["read"] is Op.READ
        lines = {lookup.args["id"]: str(lookup.source) for lookup in plan.invented_lookups}
        assert lines == {"there-already": "__main__.py:38", "somebody-elses": "__main__.py:39"}
        assert any(urn.endswith("::shelf-pet") for urn in _named(plan, "after-shelf").dependencies)
    assert up.outputs["hidden"] == SECRET
    assert up.outputs["imported"] == "arn:aws:s3:::there-already"
    assert up.outputs["read"] == "arn:aws:s3:::somebody-elses"

    for plan in (again, changed):
        ops = _ops(plan)
        assert ops["replaced"] is ops["deleted-first"] is Op.REPLACE
        assert ops["ignores"] is Op.SAME
        assert ops["plain"] is Op.UPDATE
        assert _named(plan, "deleted-first").replace_keys == ("bucket",)
        assert ops["new"] is Op.SAME
        assert ops["imported"] is ops["after"] is ops["child"] is ops["retyped"] is Op.SAME
        assert ops["kept"] is ops["owner"] is ops["goes-with-owner"] is Op.DELETE
        assert "before" not in ops
    assert _carried_out(events, "deleted-first") == ["delete-replaced", "replace", "create-replacement"]
    assert _carried_out(events, "replaced") == ["create-replacement", "replace", "delete-replaced"]
    assert _named(changed, "new").id == _named(up, "old").id, "an automatic name stays"
    assert str(_named(changed, "child").parent).endswith("::shelf")

    states = {s["urn"].rsplit("::", 1)[-1]: s for s in run.states()}
    assert states["slow"]["customTimeouts"] == {"create": 420, "delete": 3600}
    with SimulatedCloud(run.workspace().cloud) as cloud:
        live = {(r.type.rsplit(":", 1)[-1], r.id) for r in cloud.resources()}
    assert ("Bucket", "kept-by-the-cloud") in live
    assert {("Bucket", "name-2"), ("Bucket", "renamed"), ("Bucket", "re-parented")} <= live
    assert not {("Bucket", "owner"), ("Bucket", "name-1")} & live
    assert ("BucketPolicy", "owner") in live  # the engine leaves it to the owner's deletion: nobody deleted it itself
    assert not run("refresh", config={"version": "2"}).changes
