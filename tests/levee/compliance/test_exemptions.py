"""Exemptions: what they excuse, that they end, and that a useless one is named."""

from datetime import date

import pytest

from levee.compliance import RULES, Evaluator, Settings
from levee.compliance.exemption import parse_exemptions
from levee.errors import UsageError
from levee.plan import UNKNOWN, Level, Resource, Verdict

TODAY = date(2026, 11, 21)
UNTAGGED = "urn:pulumi:prod::levee::levee:lake:Lake$aws:s3/bucket:Bucket::scratch"
STACK = "urn:pulumi:prod::levee::pulumi:pulumi:Stack::levee-prod"


def entry(**changes):
    given = {
        "policy": "tagging-required",
        "urn_glob": "*::scratch",
        "reason": "moves next quarter",
        "owner": "lake@example.com",
        "expires": "2026-12-31",
    }
    return given | changes


@pytest.fixture
def run(places):
    """The outcomes over an untagged bucket in a stack with these exemptions, by rule id."""

    def outcomes(*entries, config=None, inputs=None):
        settings = Settings.from_config(RULES, {**(config or {}), "exemption-expired": {"entries": list(entries)}})
        evaluator = Evaluator(RULES, settings, places, "prod", TODAY)
        found = [
            *evaluator.resource(Resource(urn=STACK, type="pulumi:pulumi:Stack", name="levee-prod", custom=False)),
            *evaluator.resource(Resource(UNTAGGED, "aws:s3/bucket:Bucket", "scratch", inputs=inputs or {})),
            *evaluator.stack([]),
        ]
        return {o.rule.id: o for o in found}

    return outcomes


def test_without_an_exemption_the_gate_blocks(run):
    required = run()["tagging-required"]
    assert (required.verdict, required.level) == (Verdict.FAILED, Level.MANDATORY)


def test_an_exemption_excuses_and_says_who_why_and_until_when(run):
    outcomes = run(entry())
    required = outcomes["tagging-required"]
    assert required.verdict is Verdict.EXEMPT
    assert "until 2026-12-31, lake@example.com: moves next quarter" in required.message
    assert outcomes["exemption-unused"].verdict is Verdict.PASSED


def test_an_exemption_of_a_pack_covers_its_rules(run):
    assert run(entry(policy="tagging"))["tagging-required"].verdict is Verdict.EXEMPT


def test_it_holds_on_its_last_day(run):
    assert run(entry(expires="2026-11-21"))["tagging-required"].verdict is Verdict.EXEMPT


def test_expired_it_excuses_nothing_and_is_itself_a_violation(run):
    outcomes = run(entry(expires="2026-11-20"))
    assert outcomes["tagging-required"].verdict is Verdict.FAILED
    expired = outcomes["exemption-expired"]
    assert (expired.verdict, expired.level, expired.urn) == (Verdict.FAILED, Level.MANDATORY, STACK)
    assert "ended on 2026-11-20" in expired.message
    assert outcomes["exemption-unused"].verdict is Verdict.PASSED


def test_a_pattern_that_matches_nothing_is_named(run):
    unused = run(entry(urn_glob="*::scrach"))["exemption-unused"]
    assert unused.verdict is Verdict.FAILED
    assert "matches no resource" in unused.message


def test_an_exemption_that_is_no_longer_needed_is_named(run):
    unused = run(entry(policy="tagging-syntax"))["exemption-unused"]
    assert "excuses nothing: 1 resources match and keep the rule" in unused.message


def test_what_may_yet_need_it_is_not_evaluated_and_does_not_make_it_useless(run):
    outcomes = run(entry(), inputs={"tags": UNKNOWN})
    assert outcomes["tagging-required"].verdict is Verdict.NOT_EVALUATED
    assert outcomes["exemption-unused"].verdict is Verdict.PASSED


def test_it_excuses_no_other_resource(run):
    assert run(entry(urn_glob="*::other"))["tagging-required"].verdict is Verdict.FAILED


def test_no_exemption_excuses_an_expired_one(run):
    outcomes = run(entry(expires="2026-11-20"), entry(policy="exemptions", urn_glob="*"))
    assert outcomes["exemption-expired"].verdict is Verdict.FAILED


def test_brackets_in_a_glob_are_a_set_of_characters(run):
    assert run(entry(urn_glob="*::s[ct]ratch"))["tagging-required"].verdict is Verdict.EXEMPT


@pytest.mark.parametrize("field", ["policy", "urn_glob", "reason", "owner", "expires"])
def test_each_field_is_needed(field):
    with pytest.raises(UsageError, match=f"lacks {field}"):
        parse_exemptions([entry(**{field: ""})])


def test_a_date_that_is_none_is_refused():
    with pytest.raises(UsageError, match="not a date") as refused:
        parse_exemptions([entry(), entry(expires="soon")])
    assert refused.value.where == "exemptions[1].expires"
