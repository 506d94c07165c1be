"""The geometry of the resource graph."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from levee.plan import Plan, Resource
from levee.report.graph import layout, reduced


def resource(index, needs=(), package="aws"):
    token = f"{package}:s3/bucket:Bucket"
    return Resource(urn=f"urn:pulumi:s::p::{token}::r{index}", type=token, name=f"r{index}", dependencies=tuple(needs))


def plan(*resources):
    return Plan(project="p", stack="s", operation="preview", offline=True, resources=resources)


@st.composite
def graphs(draw):
    """Up to 40 resources on two clouds, each needing some of those before it."""
    made = []
    for index in range(draw(st.integers(0, 40))):
        needs = draw(st.sets(st.sampled_from([r.urn for r in made]), max_size=4)) if made else ()
        made.append(resource(index, sorted(needs), draw(st.sampled_from(["aws", "gcp"]))))
    return plan(*made)


@settings(deadline=None, max_examples=40)
@given(graphs())
def test_every_resource_has_a_place_of_its_own_in_its_lane(drawn):
    picture = layout(drawn)
    assert len(picture.nodes) == len(drawn.resources)
    assert len({(n.x, n.y) for n in picture.nodes}) == len(picture.nodes)
    lanes = {lane.package: lane for lane in picture.lanes}
    for node in picture.nodes:
        lane = lanes[node.resource.package]
        assert lane.top <= node.y < lane.top + lane.rows
        assert 0 <= node.x <= picture.columns


@settings(deadline=None, max_examples=40)
@given(graphs())
def test_what_is_needed_stands_to_the_left(drawn):
    assert all(needed.x < needing.x for needed, needing in layout(drawn).edges)


@settings(deadline=None, max_examples=40)
@given(graphs())
def test_leaving_out_implied_lines_loses_no_connection(drawn):
    needs = {r.urn: set(r.dependencies) for r in drawn.resources}
    depth: dict[str, int] = {}
    for urn, needed in needs.items():
        depth[urn] = max((depth[n] + 1 for n in needed), default=0)

    def everything(of, edges):
        found, stack = set(), [of]
        while stack:
            for needed in edges[stack.pop()] - found:
                found.add(needed)
                stack.append(needed)
        return found

    direct = reduced(needs, depth)
    assert all(everything(urn, direct) == everything(urn, needs) for urn in needs)


def test_an_implied_line_is_left_out():
    key, bucket = resource(0), resource(1, [resource(0).urn])
    job = resource(2, [key.urn, bucket.urn])
    assert [(a.resource.name, b.resource.name) for a, b in layout(plan(key, bucket, job)).edges] == [
        ("r0", "r1"),
        ("r1", "r2"),
    ]


def test_components_and_providers_are_not_drawn():
    component = replace(resource(0), type="levee:lake:Lake", custom=False)
    provider = replace(resource(1), type="pulumi:providers:aws")
    assert layout(plan(component, provider)).nodes == ()
