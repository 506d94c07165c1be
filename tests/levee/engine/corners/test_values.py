"""Values: configuration objects, nested outputs, secrets, and every way to put outputs together."""

from levee.plan import SECRET, UNKNOWN

PROGRAM = """
    import pulumi
    import pulumi_aws as aws
    import pulumi_random as random

    config = pulumi.Config()
    bucket = aws.s3.Bucket("bucket", bucket="nested", tags={"a": "1"}, website={"index_document": "i.html"})
    password = random.RandomPassword("password", length=20)
    key = aws.kms.get_alias_output(name="alias/x", opts=pulumi.InvokeOutputOptions(depends_on=[bucket]))
    parameter = aws.ssm.Parameter("parameter", type="SecureString", value=config.require_secret("token"))
    pulumi.log.info("told")
    pulumi.log.warn("warned of", bucket)
    pulumi.log.debug("hardly said")

    exports = {
        "object": config.require_object("shape"),
        "secret_object": config.require_secret_object("account")["password"],
        "typed": [config.require_int("count"), config.require_bool("flag"), config.get_float("ratio")],
        "other_namespace": pulumi.Config("aws").get("region"),
        "where": [pulumi.get_organization(), pulumi.get_project(), pulumi.get_stack()],
        "nested": {"list": [bucket.tags["a"], {"document": bucket.website.index_document}]},
        "all": pulumi.Output.all(bucket.bucket, bucket.tags),
        "all_named": pulumi.Output.all(b=bucket.bucket).apply(lambda given: given["b"]),
        "format": pulumi.Output.format("s3://{0}/{tag}", bucket.bucket, tag=bucket.tags["a"]),
        "concat": pulumi.Output.concat("s3://", bucket.bucket),
        "dumped": pulumi.Output.json_dumps({"b": bucket.bucket}),
        "loaded": pulumi.Output.json_loads(pulumi.Output.from_input('{"q": [1, null]}')),
        "arn": bucket.arn,
        "key": key.target_key_arn,
        "secret": pulumi.Output.secret({"inside": "hunter2"}),
        "made_of_a_secret": pulumi.Output.concat("user:", config.require_secret("token")),
        "known_for_secret": [pulumi.runtime.is_config_secret(f"probe:{key}") for key in ("token", "count")],
        "opened": pulumi.Output.unsecret(pulumi.Output.secret("plain")),
        "generated": password.result,
        "several": [1, 2.5, True, "x", None],
        "resource": bucket,
    }
    for name, value in exports.items():
        pulumi.export(name, value)
"""
CONFIG = """
    secretsprovider: awskms://alias/prod
    config:
      aws:region: eu-west-1
      probe:token: {secure: v1:AAAA}
      probe:shape: {a: [1, {b: two}], c: null}
      probe:account: {user: us, password: {secure: v1:AAAA}}
      probe:count: 3
      probe:flag: true
      probe:ratio: 0.5
"""
KNOWN = {
    "object": {"a": [1, {"b": "two"}], "c": None},
    "secret_object": SECRET,
    "typed": [3, True, 0.5],
    "other_namespace": "eu-west-1",
    "where": ["organization", "probe", "dev"],
    "nested": {"list": ["1", {"document": "i.html"}]},
    "all": ["nested", {"a": "1"}],
    "all_named": "nested",
    "format": "s3://nested/1",
    "concat": "s3://nested",
    "dumped": '{"b": "nested"}',
    "loaded": {"q": [1, None]},
    "secret": SECRET,
    "made_of_a_secret": SECRET,
    "known_for_secret": [True, False],
    "opened": "plain",
    "several": [1, 2.5, True, "x", None],
}


def test_values_are_the_same_in_a_preview_and_after_and_no_secret_lies_open(project):
    run = project(PROGRAM, config=CONFIG)
    token = {"config": {"token": "hunter2-of-the-run"}}
    previewed, up = run("preview", **token), run("up", **token)
    for plan in (previewed, up):
        assert {name: plan.outputs[name] for name in KNOWN} == KNOWN
        assert plan.outputs["generated"] in {SECRET, UNKNOWN}
        assert any("warned of" in note for note in plan.notes)
        assert any("probe:account.password" in note for note in plan.notes)
        assert "hunter2" not in repr(plan)
        given = next(r for r in plan.resources if r.name == "parameter")
        assert given.inputs["value"] == SECRET
    assert previewed.outputs["arn"] == previewed.outputs["key"] == UNKNOWN
    assert previewed.outputs["resource"]["bucket"] == "nested"
    assert up.outputs["resource"]["arn"] == up.outputs["arn"] == "arn:aws:s3:::nested"
    assert up.outputs["generated"] == SECRET
    assert up.outputs["key"].startswith("arn:aws:kms:eu-west-1:")
    again = run("preview", **token)
    assert again.outputs["key"] == up.outputs["key"]
    assert not again.changes
    assert not run("refresh", **token).changes
    for path in run.root.rglob("*"):
        if path.is_file() and path.name != "__main__.py":
            assert b"hunter2" not in path.read_bytes(), path
