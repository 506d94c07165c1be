"""Laws that every price obeys, whatever the quantities."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from levee.cost import Range, Usage, price
from levee.cost.model import total
from tests.levee.cost.conftest import plan_of, resource

RECORD = "aws:route53/record:Record"
VOLUME = "aws:ebs/volume:Volume"
POOL = "gcp:container/nodePool:NodePool"

amounts = st.integers(0, 10**13).map(Decimal)
volumes = st.builds(
    dict,
    type=st.sampled_from(["gp2", "gp3", "io1", "io2", "st1", "sc1", "standard"]),
    size=st.integers(1, 16_384),
    iops=st.integers(100, 64_000),
)


def queries(amount):
    usage = Usage({RECORD: {"queries": amount}})
    return price(plan_of(resource(RECORD)), usage=usage).monthly_usd


@given(st.lists(volumes, max_size=8))
def test_the_whole_costs_what_its_parts_cost(inputs):
    parts = [resource(VOLUME, one, f"v{index}") for index, one in enumerate(inputs)]
    apart = total(price(plan_of(part)).monthly_usd for part in parts)
    assert price(plan_of(*parts)).monthly_usd == apart


@given(amounts, amounts)
def test_more_never_costs_less(one, other):
    less, more = sorted((one, other))
    assert queries(Range.exactly(less)).expected <= queries(Range.exactly(more)).expected


@given(st.lists(amounts, min_size=3, max_size=3).map(sorted))
def test_low_is_at_most_expected_is_at_most_high(bounds):
    month = queries(Range(*bounds))
    assert month.low <= month.expected <= month.high


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_bounds_that_contradict_each_other_are_widened_not_crossed(least, now, most):
    inputs = {"nodeCount": now, "autoscaling": {"minNodeCount": least, "maxNodeCount": most}}
    month = price(plan_of(resource(POOL, inputs))).monthly_usd
    assert month.low <= month.expected <= month.high


@given(st.permutations([("gp2", 10), ("gp3", 20), ("io1", 30)]))
def test_the_order_of_resources_does_not_matter(order):
    parts = [resource(VOLUME, {"type": kind, "size": size}, kind) for kind, size in order]
    ordered = sorted(parts, key=lambda part: part.name)
    assert price(plan_of(*parts)) == price(plan_of(*ordered))
