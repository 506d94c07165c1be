"""Stack references: from a file, from this project's own stacks, and placeholders for the rest, each with its line."""

import textwrap

import pytest

from levee.engine import Project, Workspace, references
from levee.errors import UsageError
from levee.plan import SECRET, UNKNOWN

PROGRAM = """
    import pulumi

    missing = pulumi.StackReference("acme/network/prod")
    vpc = missing.get_output("vpc_id")
    first = missing.require_output("private_subnet_ids").apply(lambda ids: ids[0])
    url = missing.outputs["url"]
    given = pulumi.StackReference("acme/base/prod")
    pulumi.export("missing", [vpc, first, url])
    pulumi.export("given", given.require_output("size"))
    pulumi.export("secret", given.require_output("token"))

    import pulumi_random as random
    keepers = {"url": url, "token": given.require_output("token")}
    random.RandomId("id", byte_length=2, keepers=keepers, opts=pulumi.ResourceOptions(depends_on=[given]))
"""
GIVEN = """
    acme/base/prod:
      outputs: {size: 7, token: hunter2}
      secret: [token]
"""


def _lines(plan):
    return {lookup.args["output"]: str(lookup.source) for lookup in plan.invented_lookups}


def test_outputs_of_a_file_and_placeholders_for_what_nobody_gave(project):
    run = project(PROGRAM)
    references = run.root / "outputs.yaml"
    references.write_text(textwrap.dedent(GIVEN))
    lines = {"vpc_id": "__main__.py:5", "private_subnet_ids": "__main__.py:6", "url": "__main__.py:7"}

    previewed = run("preview", references=references)
    assert previewed.outputs == {"missing": [UNKNOWN] * 3, "given": 7, "secret": SECRET}
    assert _lines(previewed) == lines
    assert {lookup.args["name"] for lookup in previewed.invented_lookups} == {"acme/network/prod"}
    assert "acme/base/prod' at __main__.py:8 answered from" in previewed.notes[0]

    up = run("up", references=references)
    vpc, subnet, url = up.outputs["missing"]
    assert vpc.startswith("vpc-")
    assert subnet.startswith("subnet-")
    assert url.startswith("https://")
    drawn = next(resource for resource in up.resources if resource.name == "id")
    assert drawn.inputs["keepers"] == {"url": url, "token": SECRET}
    assert not drawn.dependencies  # the engine has not read a reference that was answered here
    assert _lines(up) == lines
    assert run("preview", references=references).outputs["missing"] == [vpc, subnet, url]


def test_a_stack_of_the_same_project_is_answered_from_its_offline_state(project):
    program = """
        import pulumi
        if pulumi.get_stack() == "base":
            pulumi.export("bucket", "lake")
            pulumi.export("token", pulumi.Output.secret("hunter2"))
        else:
            base = pulumi.StackReference("organization/probe/base")
            pulumi.export("bucket", base.require_output("bucket"))
            pulumi.export("token", base.require_output("token"))
    """
    run = project(program)
    run("up", stack="base")
    plan = run("preview")
    assert plan.outputs == {"bucket": "lake", "token": SECRET}
    assert ".levee/base/" in plan.notes[0]
    assert not plan.invented_lookups


@pytest.mark.parametrize("text", ["base: 3", "base: {outputs: 3}", "base: {outputs: {size: 7}, secret: size}"])
def test_a_file_that_gives_no_outputs_is_refused(tmp_path, text):
    (tmp_path / "Pulumi.yaml").write_text("name: probe\nruntime: python\n")
    given = tmp_path / "outputs.yaml"
    given.write_text(text)
    with pytest.raises(UsageError, match="stack 'base' needs a mapping") as refused:
        references.gather(given, Workspace(Project.load(tmp_path), "dev"))
    assert refused.value.where == str(given)
    assert refused.value.fix
