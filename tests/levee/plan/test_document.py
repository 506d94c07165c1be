"""The plan's JSON: what goes in comes out, and what is not a plan is refused with its place."""

import json
from pathlib import Path

import jsonschema
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from levee.errors import UsageError
from levee.plan import (
    SCHEMA_VERSION,
    FilledConfig,
    InventedLookup,
    Level,
    Op,
    Plan,
    Resource,
    Source,
    Urn,
    Violation,
    document,
    logical_name,
)

names = st.text("abcdefghij-_", min_size=1, max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)
properties = st.dictionaries(names, values, max_size=4)
sources = st.none() | st.builds(Source, names, st.integers(1, 10_000))
urns = st.builds("urn:pulumi:dev::p::aws:s3/bucket:Bucket::{}".format, names)
resources = st.builds(
    Resource,
    urn=urns,
    type=st.just("aws:s3/bucket:Bucket"),
    name=names,
    op=st.sampled_from(Op),
    inputs=properties,
    outputs=properties,
    parent=st.none() | urns,
    dependencies=st.lists(urns, max_size=2).map(tuple),
    property_dependencies=st.dictionaries(names, st.lists(urns, max_size=2).map(tuple), max_size=2),
    source=sources,
    diff=st.lists(names, max_size=2).map(tuple),
)
violations = st.builds(Violation, names, names, st.sampled_from(Level), names, names, sources)
plans = st.builds(
    Plan,
    project=names,
    stack=names,
    operation=st.just("preview"),
    offline=st.booleans(),
    resources=st.lists(resources, max_size=3).map(tuple),
    violations=st.lists(violations, max_size=2).map(tuple),
    exempt=st.lists(violations, max_size=1).map(tuple),
    not_evaluated=st.lists(violations, max_size=1).map(tuple),
    filled_config=st.lists(st.builds(FilledConfig, names, values, names, names, sources), max_size=2).map(tuple),
    invented_lookups=st.lists(st.builds(InventedLookup, names, properties, properties, sources), max_size=2).map(tuple),
    outputs=properties,
    notes=st.lists(names, max_size=2).map(tuple),
)


@given(plans)
def test_a_plan_comes_back_from_its_document(plan):
    assert document.from_document(json.loads(json.dumps(document.to_document(plan)))) == plan


@given(plans)
def test_the_interface_other_tools_call(plan):
    written = document.to_document(plan)
    assert written["version"] == SCHEMA_VERSION
    assert {"resources", "violations", "summary", "invented_lookups", "filled_config"} <= set(written)
    assert "not_evaluated" in written["summary"]
    for resource in written["resources"]:
        assert {"urn", "type", "name", "inputs", "outputs", "parent", "source", "op"} <= set(resource)
    for violation in written["violations"]:
        assert {"pack", "policy", "level", "urn", "message", "source"} <= set(violation)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ("[]", "found 'list'"),
        ('{"version": 99}', "found 99"),
        ('{"version": 1, "project": "p"}', "not a plan: stack"),
    ],
)
def test_what_is_no_plan_is_refused_with_its_place(tmp_path, text, said):
    path = tmp_path / "plan.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=said) as refused:
        document.read(path)
    assert refused.value.where == str(path)


def test_write_and_read(tmp_path):
    plan = Plan("p", "dev", "preview", offline=True, resources=(Resource("urn:pulumi:dev::p::a:b:C::n", "a:b:C", "n"),))
    document.write(plan, tmp_path / "deep" / "plan.json")
    assert document.read(tmp_path / "deep" / "plan.json") == plan
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["plan.json"]


def test_the_summary_counts_what_a_person_counts():
    stack = Resource("urn:pulumi:dev::p::pulumi:pulumi:Stack::p-dev", "pulumi:pulumi:Stack", "p-dev", custom=False)
    provider = Resource("urn:pulumi:dev::p::pulumi:providers:aws::d", "pulumi:providers:aws", "d")
    bucket = Resource("urn:pulumi:dev::p::x:y:Z$aws:s3/bucket:Bucket::b", "aws:s3/bucket:Bucket", "b", op=Op.CREATE)
    summary = Plan("p", "dev", "preview", offline=True, resources=(stack, provider, bucket)).summary
    assert (summary.resources, summary.by_op, summary.by_package) == (1, {"create": 1}, {"aws": 1})


@given(names, names, st.text("ab:-_", min_size=1, max_size=12))
@example("dev", "shop", "a::b")
def test_a_urn_comes_back_from_its_text(stack, project, name):
    text = f"urn:pulumi:{stack}::{project}::my:mod:C$aws:s3/bucket:Bucket::{name}"
    urn = Urn.parse(text)
    assert str(urn) == text
    assert (urn.type, urn.package, urn.name) == ("aws:s3/bucket:Bucket", "aws", name)
    assert logical_name(text) == name


@pytest.mark.parametrize("text", ["", "urn:pulumi:x", "urn:other:a::b::c::d"])
def test_what_is_no_urn_is_refused(text):
    with pytest.raises(UsageError, match="not a Pulumi URN"):
        Urn.parse(text)


def test_the_published_schema_is_the_codes():
    published = Path(__file__).resolve().parents[3] / "docs/reference/plan.schema.json"
    assert json.loads(published.read_text()) == document.schema(), (
        "run: python -m levee.plan docs/reference/plan.schema.json"
    )


@given(plans)
def test_every_document_keeps_to_the_schema(plan):
    jsonschema.validate(json.loads(json.dumps(document.to_document(plan))), document.schema())
