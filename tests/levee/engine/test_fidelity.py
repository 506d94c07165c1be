"""How far to believe a preview: on the real engine, from what the stand-ins wrote down."""

import json

from levee.cli.app import run as levee
from levee.engine import fidelity
from levee.plan import Fidelity, Resource, document
from levee.report import fidelity as report

PROGRAM = """
    import pulumi
    import pulumi_aws as aws
    import pulumi_azure_native as azure
    vpc = aws.ec2.get_vpc(default=True)
    for number in range(2):
        aws.s3.Bucket(f"lake-{number}", tags={"size": SIZE}, acl="almost-public", force_destroy=FORCE)
    aws.ec2.Subnet("own", vpc_id=vpc.id, cidr_block="10.0.0.0/24")
    def add(args):
        return pulumi.ResourceTransformResult(props={**args.props, "brandNew": "x"}, opts=args.opts)
    azure.resources.ResourceGroup("group", location="westeurope", opts=pulumi.ResourceOptions(transforms=[add]))
"""
CONFIG = """
    config:
      aws:region: eu-west-1
      probe:token: {secure: v1:AAAA}
"""


def by_type(plan):
    return {t.type: t for t in plan.fidelity.types}


def test_what_is_checked_invented_and_left_to_the_provider(project):
    run = project(PROGRAM.replace("SIZE", "'1'").replace("FORCE", "True"), config=CONFIG)
    plan = run("up")
    bucket = by_type(plan)["aws:s3/bucket:Bucket"]
    assert (bucket.sdk.split()[0], bucket.resources, bucket.package) == ("aws", 2, "aws")
    names = [r.inputs for r in plan.of_type(bucket.type)]
    assert bucket.given == sum(len([n for n in inputs if not n.startswith("__")]) for inputs in names)
    reach = {c.name: c for c in bucket.checks}
    assert reach["types"].given == bucket.given
    assert reach["types"].let_pass == 0
    assert reach["enums"].given == 2, "acl, of each"
    assert reach["enums"].undecided == ("acl",), "an open enum decides nothing"
    assert reach["unknown properties"].let_pass == 0
    assert {"bucket", "tags"}.isdisjoint(reach["replacement facts"].undecided)
    assert bucket.open_values == ("acl=almost-public",)
    assert "arn" in bucket.invented
    group = by_type(plan)["azure-native:resources:ResourceGroup"]
    assert group.unchecked == ("brandNew",)
    assert any("token" in said and "cloud key" in said for said in plan.fidelity.placeholders)
    assert any(said.startswith("quotas") for said in plan.fidelity.only_the_provider)
    assert any(said.startswith("azure-native: ") for said in plan.fidelity.only_the_provider)
    assert document.from_document(json.loads(json.dumps(document.to_document(plan)))).fidelity == plan.fidelity

    assert run("refresh").fidelity == Fidelity(), "a refresh checks nothing"
    changed = project(PROGRAM.replace("SIZE", "'2'").replace("FORCE", "False"), config=CONFIG)("preview")
    assert by_type(changed)["aws:s3/bucket:Bucket"].replacement_unknown == ("forceDestroy",)
    assert by_type(plan)["aws:s3/bucket:Bucket"].replacement_unknown == ()
    told = {title: rows for title, _, rows in report.sections(changed)}
    assert ("s3 Bucket", "whether the change of forceDestroy replaces it") in told[
        "What only the real provider can say"
    ]
    assert any("__main__.py:5" in what for _, what in told["What is invented"])
    line = str(report.believe_line(changed))
    assert "3 types" in line
    assert "1 lookup" in line


def test_the_command_says_it_in_words_and_in_json(project, tmp_path, capsys):
    run = project(
        """
        import pulumi
        import pulumi_aws as aws
        from pulumi.dynamic import Resource, ResourceProvider
        class Own(Resource):
            pass
        aws.s3.Bucket("lake")
        Own(ResourceProvider(), "own", {})
        """
    )
    written = tmp_path / "fidelity.json"
    assert levee(["fidelity", "dev", "--cwd", str(run.root), "--json", str(written)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    for words in (
        "What is checked",
        "What is invented",
        "What only the real provider can say",
        "how far to believe it",
    ):
        assert words in shown
    written = json.loads(written.read_text())
    assert written["version"] == 1
    assert [t["type"] for t in written["fidelity"]["types"]] == ["aws:s3/bucket:Bucket"]
    (left,) = written["fidelity"]["not_evaluated"]
    assert left["urn"].endswith("::own")
    assert "1 resource not evaluated" in shown


def test_a_preview_says_in_one_line_how_far_to_believe_it(project, capsys):
    run = project("import pulumi_aws as aws\naws.s3.Bucket('lake')\n")
    assert levee(["preview", "dev", "--cwd", str(run.root)]) == 0
    assert "how far to believe it" in " ".join(capsys.readouterr().out.split())


def test_what_no_resource_stands_for_is_still_not_evaluated(tmp_path):
    """A chart's note says the end of its URN only, and a kustomization that nobody built has no resource at all."""
    token = "kubernetes:helm.sh/v3:Chart"
    chart = Resource(f"urn:pulumi:dev::p::{token}::shop", token, "shop", custom=False)
    opaque = {"kubernetes:helm.sh/v3:Chart::shop": "vendor it", "kubernetes:kustomize:Directory::layer": "not here"}
    told = fidelity.of([chart], tmp_path / "no.jsonl", opaque).not_evaluated
    assert [(n.urn, n.type, n.why) for n in told] == [
        (chart.urn, chart.type, "vendor it"),
        ("kubernetes:kustomize:Directory::layer", "kubernetes:kustomize:Directory", "not here"),
    ]
