"""What the engine calls back into the program for: transforms of every kind, and resource hooks."""

PROGRAM = """
    import pulumi
    import pulumi_aws as aws

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
        opts = pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(protect=True))
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
    import pulumi
    import pulumi_aws as aws

    def say(what):
        def hook(args):
            named = (args.new_outputs or args.old_outputs or args.new_inputs or {}).get("bucket")
            pulumi.log.warn(f"{what} {args.name} {named}")
        return pulumi.ResourceHook(what.replace(" ", "-"), hook, opts=pulumi.ResourceHookOptions(on_dry_run=False))

    def refuse(args):
        raise RuntimeError("not this one")

    hooks = pulumi.ResourceHookBinding(
        before_create=[say("before create")], after_create=[say("after create")], before_update=[say("before update")],
        after_update=[say("after update")], before_delete=[say("before delete")], after_delete=[say("after delete")],
    )
    tags = {"v": pulumi.Config().get("v") or "1"}
    aws.s3.Bucket("hooked", bucket="hooked", tags=tags, opts=pulumi.ResourceOptions(hooks=hooks))
"""


def test_transforms_of_resources_stack_and_invokes(project):
    run = project(PROGRAM)
    for plan in (run("preview"), run("up")):
        assert plan.outputs["one"] == {"stack": "yes", "later": "yes"}
        assert plan.outputs["two"] == ["other", {"stack": "yes"}, True]
        assert plan.outputs["state"] == "available"
        assert {r.name for r in plan.resources if r.protect} == {"one"}


def _said(plan):
    return [note for note in plan.notes if " hooked " in f" {note} "]


def test_hooks_run_around_every_change_also_of_a_destroy(project):
    run = project(HOOKS)
    assert not _said(run("preview"))
    assert _said(run("up")) == ["before create hooked hooked", "after create hooked hooked"]
    assert _said(run("up", config={"v": "2"})) == ["before update hooked hooked", "after update hooked hooked"]
    destroyed = run("destroy")
    assert destroyed.summary.by_op == {"delete": 1}
    assert _said(destroyed) == ["before delete hooked hooked", "after delete hooked hooked"]
