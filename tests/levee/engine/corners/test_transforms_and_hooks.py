"""What the engine calls back into the program for: transforms of every kind, and resource hooks."""

PROGRAM = """
    import pulumi
    import pulumi_aws as aws

    version = pulumi.Config().get("version") or "1"

    def tagged(**tags):
        def transform(args):
            if args.type_ == "aws:s3/bucket:Bucket":
                args.props["tags"] = {**(args.props.get("tags") or {}), **tags}
            return pulumi.ResourceTransformResult(props=args.props, opts=args.opts)
        return transform

    async def later(args):
        return tagged(later="yes")(args)

    def transformation(args):
        return pulumi.ResourceTransformationResult({**args.props, "force_destroy": True}, args.opts)

    def protected(args):
        opts = pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(protect=version == "1"))
        return pulumi.ResourceTransformResult(props=args.props, opts=opts)

    def available(args):
        return pulumi.InvokeTransformResult(args={**args.args, "state": "available"}, opts=args.opts)

    pulumi.runtime.register_resource_transform(tagged(stack="yes"))
    pulumi.runtime.register_stack_transformation(transformation)
    pulumi.runtime.register_invoke_transform(available)
    one = aws.s3.Bucket("one", opts=pulumi.ResourceOptions(transforms=[later, protected]))
    renamed = pulumi.ResourceOptions(
        transformations=[lambda args: pulumi.ResourceTransformationResult({**args.props, "bucket": "other"}, args.opts)]
    )
    two = aws.s3.Bucket("two", bucket="two", opts=renamed)
    pulumi.export("one", one.tags)
    pulumi.export("two", [two.bucket, two.tags, two.force_destroy])
    pulumi.export("state", aws.get_availability_zones_output().state)
"""

HOOKS = """
    def say(what):
        def hook(args):
            named = (args.new_outputs or args.old_outputs or args.new_inputs or {}).get("bucket")
            pulumi.log.warn(f"{what} {args.name} {named}")
        return pulumi.ResourceHook(what.replace(" ", "-"), hook, opts=pulumi.ResourceHookOptions(on_dry_run=False))

    hooks = pulumi.ResourceHookBinding(
        before_create=[say("before create")], after_create=[say("after create")], before_update=[say("before update")],
        after_update=[say("after update")], before_delete=[say("before delete")], after_delete=[say("after delete")],
    )
    aws.s3.Bucket("hooked", bucket="hooked", tags={"version": version}, opts=pulumi.ResourceOptions(hooks=hooks))
"""


def _said(plan):
    return [note for note in plan.notes if " hooked " in f" {note} "]


def test_transforms_of_resources_stack_and_invokes_and_hooks_around_every_change(project):
    run = project(PROGRAM + HOOKS)
    previewed, up = run("preview"), run("up")
    for plan in (previewed, up):
        assert plan.outputs["one"] == {"stack": "yes", "later": "yes"}
        assert plan.outputs["two"] == ["other", {"stack": "yes"}, True]
        assert plan.outputs["state"] == "available"
        assert {r.name for r in plan.resources if r.protect} == {"one"}
    assert not _said(previewed)
    assert _said(up) == ["before create hooked hooked", "after create hooked hooked"]
    assert _said(run("up", config={"version": "2"})) == ["before update hooked hooked", "after update hooked hooked"]
    destroyed = run("destroy", config={"version": "2"})
    assert destroyed.summary.by_op == {"delete": 3}
    assert _said(destroyed) == ["before delete hooked hooked", "after delete hooked hooked"]
