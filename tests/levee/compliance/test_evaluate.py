"""What the evaluation promises whatever the rules are."""

from dataclasses import replace
from datetime import date

import pytest

from levee.compliance import RULES, Evaluator, Finding, Rule, Settings, Severity, Undecidable, evaluate
from levee.plan import Level, Op, Plan, Resource, Verdict, read_message, write_message

TODAY = date(2026, 11, 21)
BUCKET = Resource(urn="urn:pulumi:prod::p::aws:s3/bucket:Bucket::b", type="aws:s3/bucket:Bucket", name="b")


def rule(check, **more):
    plain = Rule(
        id="mine",
        pack="mine",
        title="It holds",
        severity=Severity.LOW,
        level=Level.ADVISORY,
        remediation="Mend it.",
        url="docs/",
        check=lambda *_: (),
    )
    return replace(plain, check=check, **more)


def outcome(places, subject, config=None):
    evaluator = Evaluator([subject], Settings.from_config([subject], config or {}), places, "prod", TODAY)
    found = evaluator.resource(BUCKET) or evaluator.stack([BUCKET])
    return found[0] if found else None


def raises(error):
    def check(*_):
        raise error
        yield

    return check


def test_a_rule_that_raises_is_a_failed_gate_with_its_name(places):
    broken = outcome(places, rule(raises(KeyError("size"))))
    assert (broken.verdict, broken.level) == (Verdict.FAILED, Level.MANDATORY)
    assert "the rule mine failed itself: KeyError: 'size'" in broken.message


def test_a_rule_that_raises_where_it_asks_whether_it_applies_fails_too(places):
    broken = outcome(places, rule(lambda *_: (), applies=lambda *_: {}["size"]))
    assert (broken.verdict, broken.level) == (Verdict.FAILED, Level.MANDATORY)


def test_a_stack_rule_that_raises_fails_too(places):
    broken = outcome(places, rule(None, check_stack=raises(ValueError("x"))))
    assert (broken.verdict, broken.level) == (Verdict.FAILED, Level.MANDATORY)


def test_what_was_found_before_it_raised_is_kept(places):
    def check(*_):
        yield Finding("first")
        raise ValueError

    evaluator = Evaluator([rule(check)], Settings.from_config([rule(check)], {}), places, "prod", TODAY)
    first, second = evaluator.resource(BUCKET)
    assert first.message == "first"
    assert "failed itself" in second.message


def test_undecidable_is_never_passed(places):
    undecided = outcome(places, rule(raises(Undecidable("tags.owner"))))
    assert undecided.verdict is Verdict.NOT_EVALUATED
    assert "tags.owner" in undecided.message


@pytest.mark.parametrize("level", ["advisory", "mandatory"])
def test_the_level_comes_from_the_settings(places, level):
    subject = rule(lambda *_: [Finding("no")])
    assert outcome(places, subject, {"mine": level}).level is Level(level)
    assert outcome(places, subject, {"mine": {"enforcementLevel": level}}).level is Level(level)


def test_a_disabled_rule_says_nothing(places):
    assert outcome(places, rule(lambda *_: [Finding("no")]), {"mine": "disabled"}) is None


def test_a_rule_has_one_check():
    with pytest.raises(ValueError, match="exactly one"):
        rule(None)


def test_rule_ids_are_unique_and_documented_fields_are_filled():
    assert len({r.id for r in RULES}) == len(RULES)
    for each in RULES:
        assert all((each.title, each.remediation, each.url)), each.id


@pytest.mark.parametrize("verdict", [Verdict.FAILED, Verdict.NOT_EVALUATED, Verdict.EXEMPT])
def test_a_verdict_survives_the_trip_through_crossguard(verdict):
    assert read_message(write_message(verdict, "why")) == (verdict, "why")


def test_a_plan_is_judged_with_its_providers_default_tags(places):
    provider = "urn:pulumi:prod::p::pulumi:providers:aws::default"
    tags = {
        "owner": "data-platform",
        "cost-centre": "cc-1",
        "environment": "prod",
        "data-classification": "public",
        "managed-by": "pulumi",
    }
    plan = Plan(
        project="p",
        stack="prod",
        operation="preview",
        offline=True,
        resources=(
            Resource(urn=provider, type="pulumi:providers:aws", name="default", inputs={"defaultTags": {"tags": tags}}),
            replace(BUCKET, provider=f"{provider}::id"),
            replace(BUCKET, urn=f"{BUCKET.urn}2"),
        ),
    )
    outcomes = evaluate(plan, RULES, Settings.from_config(RULES, {}), places, TODAY)
    required = {o.urn: o.verdict for o in outcomes if o.rule.id == "tagging-required"}
    assert required == {BUCKET.urn: Verdict.PASSED, f"{BUCKET.urn}2": Verdict.FAILED}


@pytest.mark.parametrize("op", [Op.READ, Op.DELETE])
def test_what_is_only_read_or_goes_away_is_not_judged(places, op):
    plan = Plan(project="p", stack="prod", operation="preview", offline=True, resources=(replace(BUCKET, op=op),))
    outcomes = evaluate(plan, RULES, Settings.from_config(RULES, {}), places, TODAY)
    assert all(o.rule.check_stack for o in outcomes)


def test_a_rule_knows_the_provider_of_each_resource_and_of_no_other(places):
    subject = rule(lambda _, facts: [Finding(str(facts.provider.get("region")))])
    evaluator = Evaluator([subject], Settings.from_config([subject], {}), places, "prod", TODAY)
    first, second = {"region": "eu-west-1"}, {"region": "us-east-1"}
    said = [evaluator.resource(BUCKET, provider)[0].message for provider in (first, second, first, {})]
    assert said == ["eu-west-1", "us-east-1", "eu-west-1", "None"]
