"""What is read of a program in YAML, and of its language host's complaints."""

import json
import textwrap
from dataclasses import replace

import pytest

from levee.engine import required, yaml_program
from levee.engine.notes import Complaint, Notes
from levee.engine.project import Project
from levee.plan import InventedLookup, Op, Resource, Source

PROGRAM = """\
    name: probe
    runtime: yaml
    variables:
      ubuntu:
        fn::invoke:
          function: aws:ec2:getAmi
          arguments:
            owners: [canonical]
            mostRecent: true
      amazon:
        fn::invoke:
          function: aws:ec2:getAmi
          arguments:
            owners: [amazon]
            nameRegex: ${pattern}
    resources:
      bucket:
        type: aws:s3:Bucket
        properties:
          tags:
            region:
              fn::invoke:
                function: aws:getRegion
      server:
        name: web
        type: aws:ec2:Instance
    """
RESOURCE = Resource(
    urn="urn:pulumi:dev::probe::aws:ec2/instance:Instance::web",
    type="aws:ec2/instance:Instance",
    name="web",
    op=Op.CREATE,
    custom=True,
    source=Source("run.go", 1013),
)


@pytest.fixture
def located(tmp_path):
    """A function that locates notes in a program, after what the engine said."""

    def locate(notes, *diagnostics, program=PROGRAM, file="Pulumi.yaml", stderr=""):
        (tmp_path / "Pulumi.yaml").write_text("name: probe\nruntime: yaml\n")
        (tmp_path / file).write_text(textwrap.dedent(program))
        events = tmp_path / "events.jsonl"
        records = [{"diagnosticEvent": {"severity": s, "message": m}} for s, m in diagnostics]
        events.write_text("".join(f"{json.dumps(record)}\n" for record in records))
        return yaml_program.located(notes, Project.load(tmp_path), events, stderr)

    return locate


def asked(token, **args):
    return InventedLookup(token=token, args=args, answer={}, source=None, reason="")


def test_a_resource_stands_where_its_key_does(located):
    notes = located(Notes())
    assert notes.named == {"bucket": Source("Pulumi.yaml", 17), "web": Source("Pulumi.yaml", 24)}
    placed = yaml_program.placed([RESOURCE, replace(RESOURCE, name="gone")], notes)
    assert [resource.source for resource in placed] == [Source("Pulumi.yaml", 24), None], "never the host's own line"


def test_a_main_file_goes_before_the_project_file(located):
    assert located(Notes(), file="Main.yaml").named["web"] == Source("Main.yaml", 24)


def test_a_program_in_another_language_is_left_alone(tmp_path):
    (tmp_path / "Pulumi.yaml").write_text("name: probe\nruntime: nodejs\nresources: {a: {type: b}}\n")
    notes = Notes()
    assert yaml_program.located(notes, Project.load(tmp_path), tmp_path / "events", "") is notes


def test_a_lookup_stands_where_its_function_and_arguments_do(located):
    ami = "aws:ec2/getAmi:getAmi"
    invented = (
        asked(ami, owners=["canonical"], mostRecent=True),
        asked(ami, owners=["amazon"], nameRegex="al2023"),
        asked(ami, owners=["someone"]),
        asked("aws:index/getRegion:getRegion"),
    )
    found = [lookup.source and lookup.source.line for lookup in located(Notes(invented=invented)).invented]
    assert found == [5, 11, None, 22]


def test_two_lookups_that_may_both_be_meant_have_no_line(located):
    twice = """\
        name: probe
        runtime: yaml
        variables:
          one: {"fn::invoke": {function: "aws:getRegion"}}
          two: {"fn::invoke": {function: "aws:getRegion"}}
        """
    (lookup,) = located(Notes(invented=(asked("aws:index/getRegion:getRegion"),)), program=twice).invented
    assert lookup.source is None


def test_complaints_are_read_with_their_lines(located):
    said = [
        "Error: Property tagz does not exist on 'aws:s3/bucket:Bucket'\n\n",
        "  on Pulumi.yaml line 19:\n\n",
        "  19:       tagz: {}\n\n",
        "Cannot assign '{tagz: {}}' to 'aws:s3/bucket:Bucket':\n\n",
        "  Existing properties are: tags and 15 others\n\n",
        "Error: aws:ec2/instance:Instance is not assignable from {}\n\n",
        "  ami: Missing required property 'ami'\n\n",
    ]
    complaints = located(Notes(), *(("info#err", line) for line in said)).complaints
    assert complaints == (
        Complaint(
            "Property tagz does not exist on 'aws:s3/bucket:Bucket': Cannot assign '{tagz: {}}' to "
            "'aws:s3/bucket:Bucket': Existing properties are: tags and 15 others",
            Source("Pulumi.yaml", 19),
        ),
        Complaint(
            "aws:ec2/instance:Instance is not assignable from {}: ami: Missing required property 'ami'",
            Source("Pulumi.yaml", 24),
        ),
    )


@pytest.mark.parametrize("where", ["error", "stderr"])
def test_a_place_within_an_error_is_found(located, where):
    text = "1 error occurred:\n\t* Pulumi.yaml:17,15-22: circular dependency of resource 'a'; \n"
    notes = located(Notes(), ("error", text)) if where == "error" else located(Notes(), stderr=text)
    assert notes.complaints == (Complaint("circular dependency of resource 'a'", Source("Pulumi.yaml", 17)),)


def test_a_lookup_that_failed_while_the_program_ran_is_found(located):
    text = "1 error occurred:\n\t* getAmi failed: no argument 'x'\n\n\n  on Pulumi.yaml line 5:\n   5: fn::invoke:\n"
    more = ("error", "Error registering resource [server]: no diagnostics")
    notes = located(Notes(), ("error", text), more)
    assert notes.complaints == (Complaint("getAmi failed: no argument 'x'", Source("Pulumi.yaml", 5)),)


@pytest.mark.parametrize("program", ["name: [", "- a\n", "resources: [1]\n", "resources: {a: b}\n"])
def test_a_program_that_cannot_be_read_has_no_lines(located, program):
    assert located(Notes(), program=program, file="Main.yaml").named == {}


def test_the_older_block_of_configuration_demands_too(tmp_path):
    older = """\
        name: probe
        runtime: yaml
        configuration:
          words:
            type: Number
          token:
            type: String
            secret: true
          size:
            type: Number
            default: 3
        """
    (tmp_path / "Pulumi.yaml").write_text(textwrap.dedent(older))
    demands = required.missing(Project.load(tmp_path), given={"probe:other"})
    assert [(d.key, d.type, d.secret, str(d.source)) for d in demands] == [
        ("probe:words", "number", False, "Pulumi.yaml:4"),
        ("probe:token", "string", True, "Pulumi.yaml:6"),
    ]
