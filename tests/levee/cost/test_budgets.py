"""The budgets pack: each gate blocks, warns or says that nobody can tell."""

import sysconfig
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from levee import cost
from levee.compliance import Settings, evaluate, pack_rules, rules_for
from levee.compliance.settings import pack_config
from levee.compliance.tagging import Places
from levee.environment import Environment
from levee.plan import Level, Verdict
from levee.sdk import Sdk
from tests.levee.cost.conftest import plan_of, resource

NAT = "aws:ec2/natGateway:NatGateway"
MONTH = Decimal("0.045") * 730
"""Of one gateway: $32.85."""
RULES = pack_rules("budgets")
PLACES = Places(Sdk(Path(sysconfig.get_path("purelib"))))
STACK = resource("pulumi:pulumi:Stack", name="shop", custom=False)
LAKE = resource("levee:lake:AwsLake", name="lake", custom=False, parent=STACK.urn)


def gateways(count, **more):
    tags = {"tags": {"cost-centre": "cc-1"}}
    return [resource(NAT, tags, f"nat-{index}", parent=LAKE.urn, **more) for index in range(count)]


def judged(resources, budgets, *, spending=cost.spending, usage=None, **parameters):
    """``{rule: (verdict, level, message)}`` of what is not passed."""
    given = {rule.id: {"budgets": budgets, "usage": usage or {}} for rule in RULES if rule.pack == "budgets"}
    given["budget-increase"] |= parameters
    settings = Settings.from_config(RULES, given)
    outcomes = evaluate(
        plan_of(STACK, LAKE, *resources), RULES, settings, PLACES, date(2026, 11, 21), spending=spending
    )
    return {o.rule.id: (o.verdict, o.level, o.message) for o in outcomes if o.verdict is not Verdict.PASSED}


def test_a_total_over_the_limit_blocks_and_says_what_costs_most_and_what_mends_it():
    verdict, level, message = judged(gateways(7), {"total": {"monthly_usd": 150}})["budget-exceeded"]
    assert (verdict, level) == (Verdict.FAILED, Level.MANDATORY)
    assert "costs $229.95 a month, $79.95 over its budget of $150.00" in message
    assert message.count("NAT gateway $32.85") == 5
    assert "save $79.95: the first 3 of these together cost $98.55" in message


def test_at_the_limit_nothing_is_broken_and_a_warning_is_given():
    found = judged(gateways(2), {"total": {"monthly_usd": float(2 * MONTH), "warn_at": 0.8}})
    assert set(found) == {"budget-nearly-spent"}
    verdict, level, message = found["budget-nearly-spent"]
    assert (verdict, level) == (Verdict.FAILED, Level.ADVISORY)
    assert "100% of its budget of $65.70" in message


def test_well_within_the_limit_nothing_is_said():
    assert judged(gateways(1), {"total": {"monthly_usd": 1000}}) == {}


@pytest.mark.parametrize(
    ("key", "name", "says"), [("capabilities", "lake", "capability lake"), ("cost_centres", "cc-1", "cost centre cc-1")]
)
def test_a_part_has_a_limit_of_its_own(key, name, says):
    budgets = {"total": {"monthly_usd": 1000}, key: {name: {"monthly_usd": 40}, "other": {"monthly_usd": 1}}}
    message = judged(gateways(2), budgets)["budget-exceeded"][2]
    assert message.startswith(f"{says} costs $65.70 a month, $25.70 over")


def test_within_the_limit_but_with_something_unpriced_is_not_evaluated():
    strange = resource("aws:ec2/instance:Instance", {"instanceType": "u-1.metal"}, "big")
    verdict, _, message = judged([*gateways(1), strange], {"total": {"monthly_usd": 1000}})["budget-exceeded"]
    assert verdict is Verdict.NOT_EVALUATED
    assert "at least $33.65" in message
    assert "machine/aws/u-1.metal" in message


def test_over_the_limit_is_over_whatever_is_unpriced():
    strange = resource("aws:braket/quantumTask:QuantumTask")
    assert judged([*gateways(2), strange], {"total": {"monthly_usd": 1}})["budget-exceeded"][0] is Verdict.FAILED


def test_one_change_may_add_only_so_much():
    budgets = {"total": {"monthly_usd": 1000}, "max_increase_usd": 50}
    verdict, level, message = judged(gateways(3), budgets, deployed_usd=float(MONTH))["budget-increase"]
    assert (verdict, level) == (Verdict.FAILED, Level.MANDATORY)
    assert "adds $65.70 a month, $15.70 more than one change may ($50.00)" in message
    assert judged(gateways(3), budgets, deployed_usd=float(2 * MONTH)) == {}
    assert judged(gateways(3), budgets, first=True) == {}


def test_an_increase_within_the_limit_but_with_something_unpriced_is_not_evaluated():
    budgets = {"total": {"monthly_usd": 1000}, "max_increase_usd": 50}
    unpriced = resource("aws:shield/protection:Protection", {}, "guard")
    assert "budget-increase" not in judged(gateways(1), budgets, deployed_usd=float(MONTH))
    verdict, _, message = judged([*gateways(1), unpriced], budgets, deployed_usd=float(MONTH))["budget-increase"]
    assert verdict is Verdict.NOT_EVALUATED
    assert "adds $0.00 a month or more" in message


def test_without_what_stands_now_an_increase_is_not_evaluated():
    budgets = {"total": {"monthly_usd": 1000}, "max_increase_usd": 50}
    assert judged(gateways(3), budgets)["budget-increase"][0] is Verdict.NOT_EVALUATED


def test_without_prices_a_budget_is_not_evaluated():
    assert (
        judged(gateways(1), {"total": {"monthly_usd": 1}}, spending=None)["budget-exceeded"][0] is Verdict.NOT_EVALUATED
    )


def test_without_budgets_nothing_is_priced_or_said():
    assert judged(gateways(1), {}, spending=None) == {}


def test_usage_that_nobody_reads_fails_the_gate_by_name():
    usage = {"types": {NAT: {"storage_gbb": 1}}}
    verdict, level, message = judged(gateways(1), {"total": {"monthly_usd": 1000}}, usage=usage)["budget-exceeded"]
    assert (verdict, level) == (Verdict.FAILED, Level.MANDATORY)
    assert "storage_gbb" in message


def test_usage_of_the_environment_counts():
    usage = {"types": {NAT: {"data_processed_gb": 10_000}}, "names": {}}
    assert "budget-exceeded" in judged(gateways(1), {"total": {"monthly_usd": 100}}, usage=usage)


def test_an_environments_budgets_reach_the_rules(pytestconfig):
    environment = Environment.load(pytestconfig.rootpath, "prod")
    config = pack_config(environment, rules_for(environment))["budget-increase"]
    assert config["budgets"]["total"]["monthly_usd"] == environment.budgets.total.monthly_usd
    assert config["budgets"]["max_increase_usd"] == environment.budgets.max_increase_usd
    assert config["usage"]["types"]
