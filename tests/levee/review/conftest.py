"""Reviews made of plans that no engine ran."""

from datetime import date

import pytest

from levee.compliance import RULES
from levee.plan import Level, Op, Plan, Resource, Source, Violation
from levee.review.changes import changes
from levee.review.findings import findings
from levee.review.model import EnvironmentReview, Review, Revision

RULES_BY_ID = {rule.id: rule for rule in RULES}
TODAY = date(2026, 11, 21)


def urn(name, type_="aws:s3/bucket:Bucket", stack="dev"):
    return f"urn:pulumi:{stack}::shop::{type_}::{name}"


def bucket(name, op=Op.SAME, type_="aws:s3/bucket:Bucket", line=7, **more):
    return Resource(urn(name, type_), type_, name, op, source=Source("__main__.py", line), **more)


def broken(name, message="tags are missing", level=Level.MANDATORY, policy="tagging-required", line=7):
    return Violation("levee", policy, level, message, urn(name), Source("__main__.py", line))


def plan(*resources, violations=(), not_evaluated=()):
    return Plan(
        "shop",
        "dev",
        "preview",
        offline=True,
        resources=tuple(resources),
        violations=tuple(violations),
        not_evaluated=tuple(not_evaluated),
    )


def environment(base, head, name="dev", accepted=None, **more):
    changed, unsettled = changes(base, head)
    found, mended = findings(base, head, rules=RULES_BY_ID, accepted=accepted or {}, today=TODAY)
    return EnvironmentReview(name, head, changed, found, None, mended, unsettled, rules=RULES, **more)


def review(*environments, **more):
    base, head = Revision("main", "a" * 40, "b" * 40), Revision("feature", "c" * 40, "d" * 40)
    return Review("shop", base, head, environments=environments, **more)


@pytest.fixture
def one_of_each():
    """A base with a bucket, a queue and a known finding; a head that replaces, deletes, makes and breaks."""
    before = plan(
        bucket("photos", inputs={"bucket": "old"}),
        bucket("work", type_="aws:sqs/queue:Queue"),
        bucket("rule", type_="aws:ec2/securityGroup:SecurityGroup", inputs={"ingress": [{"fromPort": 443}]}),
        violations=[broken("photos"), broken("work")],
    )
    after = plan(
        bucket("photos", Op.REPLACE, inputs={"bucket": "new"}, diff=("bucket",), replace_keys=("bucket",), line=9),
        bucket("work", Op.DELETE, type_="aws:sqs/queue:Queue"),
        bucket(
            "rule",
            Op.UPDATE,
            type_="aws:ec2/securityGroup:SecurityGroup",
            inputs={"ingress": [{"fromPort": 80}]},
            diff=("ingress",),
        ),
        bucket("more", Op.CREATE, inputs={"bucket": "more"}, line=11),
        violations=[broken("photos", line=9), broken("more", line=11)],
        not_evaluated=[broken("more", "`tags` is not known before the update", line=11)],
    )
    return before, after
