"""The words that rules are written in: what each says of a value, of none, and of one that nobody knows."""

from datetime import date
from types import SimpleNamespace

import pytest

from levee.compliance.graph import Graph, base_type
from levee.compliance.rule import Facts
from levee.compliance.rules.aws.policy import is_admin, is_public, not_public
from levee.compliance.rules.checks import (
    absent,
    at_least,
    at_most,
    by_type,
    contains,
    differs,
    each,
    either,
    equals,
    is_world,
    matching,
    never,
    not_matching,
    not_world_open,
    one_of,
    only_where,
    present,
    unless,
    where_setting,
)
from levee.compliance.rules.relations import attached, beside, referred, refers_to, unless_output
from levee.compliance.rules.scope import Scope
from levee.compliance.rules.settings import AUDIT_DAYS, PROTECTED
from levee.plan import SECRET, UNKNOWN, Resource, Verdict

PASSED, FAILED, NOT_EVALUATED = Verdict.PASSED, Verdict.FAILED, Verdict.NOT_EVALUATED
BUCKET, BLOCK = "aws:s3/bucket:Bucket", "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"


def node(token, name, **inputs):
    refs = {key: (value.urn,) for key, value in inputs.items() if isinstance(value, Resource)}
    given = {key: UNKNOWN if key in refs else value for key, value in inputs.items()}
    return Resource(f"urn:pulumi:s::p::{token}::{name}", token, name, inputs=given, property_dependencies=refs)


def verdict(check, inputs, others=(), **parameters):
    subject = inputs if isinstance(inputs, Resource) else node(BUCKET, "subject", **inputs)
    facts = Facts("prod", date(2026, 11, 21), SimpleNamespace(), parameters=parameters)  # ty: ignore[invalid-argument-type]
    return check.verdict(Scope.of(subject, Graph((subject, *others)), facts))


@pytest.mark.parametrize(
    ("check", "passes", "fails"),
    [
        (equals("a", True), [{"a": True}], [{}, {"a": False}]),
        (equals("a", True, default=True), [{"a": True}, {}], [{"a": False}]),
        (one_of("a.b", "x", "y"), [{"a": {"b": "y"}}], [{}, {"a": {}}, {"a": {"b": "z"}}]),
        (differs("a", "x"), [{}, {"a": "y"}], [{"a": "x"}]),
        (differs("a", "x", default="x"), [{"a": "y"}], [{}, {"a": "x"}]),
        (at_least("a", 7), [{"a": 7}, {"a": 8.5}], [{}, {"a": 6}, {"a": "9"}, {"a": True}]),
        (at_most("a", 7), [{"a": 1}, {"a": 7}], [{}, {"a": 8}, {"a": 0}]),
        (matching("a", "x.*", "an x"), [{"a": "xy"}], [{}, {"a": "yx"}, {"a": 1}]),
        (not_matching("a", "x.*", "an x"), [{}, {"a": "yx"}], [{"a": "xy"}]),
        (contains("a", "x", "y"), [{"a": ["y", "x", "z"]}], [{}, {"a": ["x"]}]),
        (not_world_open("a[*]"), [{}, {"a": ["10.0.0.0/8"]}], [{"a": ["10.0.0.0/8", "::/0"]}]),
        (absent("a"), [{}, {"a": []}], [{"a": 0}, {"a": SECRET}]),
        (present("a"), [{"a": 0}], [{}, {"a": ""}, {"a": []}, {"a": {}}]),
        (each("a[*]", equals("b", 1)), [{}, {"a": [{"b": 1}]}], [{"a": [{"b": 1}, {}]}, {"a": {"x": {"b": 2}}}]),
        (either(equals("a", 1), equals("b", 1)), [{"a": 1}, {"b": 1}], [{}]),
        (only_where(equals("a", 1), equals("b", 1)), [{}, {"a": 1, "b": 1}], [{"a": 1}]),
        (unless(equals("a", 1), equals("b", 1)), [{"a": 1}, {"b": 1}], [{}]),
        (never(equals("a", 1), "a is 1"), [{}], [{"a": 1}]),
    ],
)
def test_what_passes_and_what_fails(check, passes, fails):
    assert [verdict(check, inputs) for inputs in passes] == [PASSED] * len(passes)
    assert [verdict(check, inputs) for inputs in fails] == [FAILED] * len(fails)


@pytest.mark.parametrize(
    ("check", "inputs", "expected"),
    [
        (equals("a", True), {"a": UNKNOWN}, NOT_EVALUATED),
        (equals("a", True), {"a": SECRET}, NOT_EVALUATED),
        (equals("a.b.c", True), {"a": {"b": UNKNOWN}}, NOT_EVALUATED),
        (differs("a[*].b", 1), {"a": [{"b": UNKNOWN}, {"b": 1}]}, FAILED),
        (contains("a", "x"), {"a": [UNKNOWN]}, NOT_EVALUATED),
        (contains("a", "x"), {"a": ["x", UNKNOWN]}, PASSED),
        (present("a"), {"a": UNKNOWN}, NOT_EVALUATED),
        (either(equals("a", 1), equals("b", 1)), {"a": UNKNOWN}, NOT_EVALUATED),
        (either(equals("a", 1), equals("b", 1)), {"a": UNKNOWN, "b": 1}, PASSED),
        (only_where(equals("a", 1), equals("b", 1)), {"a": UNKNOWN}, NOT_EVALUATED),
        (only_where(equals("a", 1), equals("b", 1)), {"a": UNKNOWN, "b": 1}, PASSED),
        (unless(equals("a", 1), equals("b", 1)), {"a": UNKNOWN}, NOT_EVALUATED),
        (unless(equals("a", 1), equals("b", 1)), {"b": UNKNOWN}, NOT_EVALUATED),
        (never(equals("a", 1), "no"), {"a": UNKNOWN}, NOT_EVALUATED),
        (not_public("policy"), {"policy": UNKNOWN}, NOT_EVALUATED),
        (not_public("policy"), {"policy": "no JSON"}, NOT_EVALUATED),
        (not_public("policy"), {"policy": {"Statement": [{"Effect": "Allow", "Principal": UNKNOWN}]}}, NOT_EVALUATED),
        (not_public("policy"), {"policy": {"Statement": [{"Effect": "Deny", "Principal": UNKNOWN}]}}, PASSED),
    ],
)
def test_what_nobody_knows_is_not_evaluated_unless_it_makes_no_difference(check, inputs, expected):
    assert verdict(check, inputs) is expected


def test_an_output_of_another_resource_is_something():
    key = node("aws:kms/key:Key", "k")
    subject = node(BUCKET, "subject", key=key)
    assert verdict(present("key"), subject, [key]) is PASSED
    assert verdict(refers_to("key", "aws:kms/key:Key", wanted="a key"), subject, [key]) is PASSED
    assert verdict(refers_to("key", "aws:kms/alias:Alias", wanted="an alias"), subject, [key]) is NOT_EVALUATED
    assert verdict(refers_to("key", "aws:kms/key:Key", wanted="a key", pattern="arn:.*"), {"key": "x"}) is FAILED


def test_what_is_referred_to_is_judged_itself():
    group = node("aws:cloudwatch/logGroup:LogGroup", "g", retentionInDays=30)
    kept = referred("to", "aws:cloudwatch/logGroup:LogGroup", check=at_least("retentionInDays", AUDIT_DAYS))
    assert verdict(kept, node(BUCKET, "s", to=group), [group], audit_days=30) is PASSED
    assert verdict(kept, node(BUCKET, "s", to=group), [group], audit_days=31) is FAILED
    assert verdict(kept, {"to": "arn:of-another-stack"}, audit_days=31) is NOT_EVALUATED


def test_what_belongs_to_a_resource_is_found_by_reference_and_by_name():
    has_block = attached(BLOCK, by="bucket", check=equals("on", True), wanted="a block")
    subject = node(BUCKET, "subject", bucket="mine")
    assert verdict(has_block, subject) is FAILED
    assert verdict(has_block, subject, [node(BLOCK, "b", bucket=subject, on=True)]) is PASSED
    assert verdict(has_block, subject, [node(BLOCK, "b", bucket="mine", on=True)]) is PASSED
    assert verdict(has_block, subject, [node(BLOCK, "b", bucket="another", on=True)]) is FAILED
    assert verdict(has_block, subject, [node(BLOCK, "b", bucket=subject, on=False)]) is FAILED
    assert verdict(has_block, subject, [node(BLOCK, "b", bucket=subject, on=UNKNOWN)]) is NOT_EVALUATED
    assert verdict(has_block, subject, [node(BLOCK, "b", bucket=UNKNOWN, on=True)]) is NOT_EVALUATED


def test_a_setting_decides_whether_and_how_much():
    kept = where_setting(PROTECTED, at_least("days", AUDIT_DAYS))
    assert verdict(kept, {"days": 1}, protected=False, audit_days=7) is PASSED
    assert verdict(kept, {"days": 1}, protected=True, audit_days=7) is FAILED
    assert {setting.name for setting in kept.settings} == {"protected", "audit_days"}


@pytest.mark.parametrize("everybody", ["0.0.0.0/0", "::/0", "128.0.0.0/1", "*", "Internet"])
def test_everybody(everybody):
    assert is_world(everybody)


@pytest.mark.parametrize("some", ["10.0.0.0/8", "203.0.113.0/24", "fd00::/8", "VirtualNetwork", 7])
def test_somebody(some):
    assert not is_world(some)


def test_a_rule_holds_for_every_version_of_an_azure_type():
    assert base_type("azure-native:storage/v20230101:StorageAccount") == "azure-native:storage:StorageAccount"
    assert base_type("kubernetes:apps/v1:Deployment") == "kubernetes:apps/v1:Deployment"


@pytest.mark.parametrize(
    ("condition", "public"),
    [
        ({}, True),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, False),
        ({"StringEquals": {"aws:principalorgid": "o-1"}}, False),
        ({"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}, True),
        ({"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}, True),
        ({"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}, True),
        ({"StringEquals": {"aws:UserAgent": "curl"}}, True),
    ],
)
def test_who_is_everybody_in_a_policy(condition, public):
    assert is_public({"Effect": "Allow", "Principal": {"AWS": "*"}, "Condition": condition}) is public


def test_an_administrator_is_known_by_what_is_not_denied_too():
    assert is_admin({"Effect": "Allow", "Action": ["*:*"], "Resource": "*"})
    assert is_admin({"Effect": "Allow", "NotAction": [], "Resource": ["*"]})
    assert not is_admin({"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "*"})
    assert not is_admin({"Effect": "Deny", "Action": "*", "Resource": "*"})


def test_a_check_is_chosen_by_the_type_judged():
    check = by_type({BUCKET: equals("a", 1), BLOCK: equals("b", 1)})
    assert verdict(check, {"a": 1}) is PASSED
    assert verdict(check, {"b": 1}) is FAILED
    assert verdict(check, node(BLOCK, "block", b=1)) is PASSED
    assert {(read.path, read.type) for read in check.reads} == {("a", BUCKET), ("b", BLOCK)}


def test_what_an_account_needs_once_is_found_beside():
    check = beside(BLOCK, check=equals("a", 1), wanted="a block")
    assert verdict(check, {}, [node(BLOCK, "other", a=2), node(BLOCK, "right", a=1)]) is PASSED
    assert verdict(check, {}, [node(BLOCK, "other", a=2)]) is FAILED
    assert verdict(check, {}) is FAILED
    assert verdict(check, {}, [node(BLOCK, "unknown", a=UNKNOWN)]) is NOT_EVALUATED


def test_an_output_of_another_resource_is_none_of_the_words_refused():
    check = unless_output("a[*]", not_matching("a[*]", "everybody", "everybody"))
    account = node("gcp:serviceaccount/account:Account", "account")
    urn = "urn:pulumi:s::p::x::subject"

    def subject(values, **refs):
        return Resource(urn, BUCKET, "subject", inputs={"a": values}, property_dependencies=refs)

    assert verdict(check, subject([UNKNOWN], a=(account.urn,)), [account]) is PASSED
    assert verdict(check, subject([UNKNOWN, "everybody"], a=(account.urn,)), [account]) is FAILED
    assert verdict(check, subject([UNKNOWN]), [account]) is NOT_EVALUATED
