"""What a change adds to a month, and that the budgets are told what stands now."""

from dataclasses import replace
from decimal import Decimal

from levee.compliance import RULES
from levee.plan import UNKNOWN, Op
from levee.review import cost
from levee.review.markdown import comment
from levee.review.sides import pinned
from tests.levee.review.conftest import bucket, environment, plan, review

POLICIES = pinned({}, RULES)
VOLUME = "aws:ebs/volume:Volume"


def volume(name, size, op=Op.SAME):
    return bucket(name, op, VOLUME, inputs={"size": size, "type": "gp3", "availabilityZone": "us-east-1a"})


def test_the_difference_is_that_of_the_two_plans_and_the_biggest_mover_is_first():
    base = plan(volume("kept", 100), volume("grown", 100), volume("gone", 50))
    head = plan(
        volume("kept", 100),
        volume("grown", 1000, Op.UPDATE),
        volume("gone", 50, Op.DELETE),
        volume("new", 10, Op.CREATE),
    )
    before, after = cost.cost_of(base, POLICIES), cost.cost_of(head, POLICIES)
    found = cost.change(before, after)
    assert (found.before, found.after) == (before.expected_usd, after.expected_usd)
    assert [m.name for m in found.moves] == ["grown", "gone", "new"]
    assert found.after - found.before == sum(m.after - m.before for m in found.moves)
    assert found.moves[1].after == 0
    written = comment(review(replace(environment(base, head), cost=found)))
    section = written.split("### Cost")[1]
    assert "| <code>dev</code> | **total** | &#36;" in section
    assert section.index("grown") < section.index("gone") < section.index("new")


def test_a_change_that_costs_nothing_says_nothing_of_cost():
    base = plan(volume("kept", 100))
    report = cost.cost_of(base, POLICIES)
    reviewed = environment(base, plan(volume("kept", 100), bucket("q", Op.CREATE, "aws:iam/role:Role")))
    assert "### Cost" not in comment(review(replace(reviewed, cost=cost.change(report, report))))


def test_the_budgets_are_told_what_stands_now():
    report = cost.cost_of(plan(volume("kept", 100)), POLICIES)
    told = cost.with_baseline(POLICIES, report)["budget-increase"]
    assert (Decimal(str(told["deployed_usd"])), told["first"]) == (report.expected_usd.normalize(), False)
    assert cost.with_baseline(POLICIES, None)["budget-increase"]["first"] is True


def test_a_price_that_is_known_on_one_side_only_is_said():
    base, head = plan(volume("v", 100)), plan(volume("v", UNKNOWN, Op.UPDATE))
    (move,) = cost.change(cost.cost_of(base, POLICIES), cost.cost_of(head, POLICIES)).moves
    assert move.open
    found = cost.change(cost.cost_of(base, POLICIES), cost.cost_of(head, POLICIES))
    assert "without a price on one side" in comment(review(replace(environment(base, head), cost=found)))
