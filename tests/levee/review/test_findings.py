"""What is the head's doing, and what was there before it."""

from datetime import date

import pytest

from levee.errors import UsageError
from levee.plan import Level, Op, Verdict
from levee.review import accepted
from levee.review.accepted import Acceptance
from levee.review.changes import changes
from levee.review.findings import fingerprint
from levee.review.model import Status
from tests.levee.review.conftest import broken, bucket, environment, plan, review


def test_what_was_broken_at_the_base_is_known_and_blocks_nobody(one_of_each):
    reviewed = environment(*one_of_each)
    status = {f.violation.urn.rsplit("::", 1)[-1]: f.status for f in reviewed.findings if f.verdict is Verdict.FAILED}
    assert status == {"photos": Status.KNOWN, "more": Status.NEW}
    assert [f.violation.source.line for f in reviewed.findings if f.blocks] == [11]
    assert reviewed.mended == 1, "the queue's finding went with it"
    assert review(reviewed).exit_code == 1


def test_an_advisory_finding_blocks_nobody():
    reviewed = environment(plan(), plan(bucket("a"), violations=[broken("a", level=Level.ADVISORY)]))
    assert reviewed.findings[0].status is Status.NEW
    assert review(reviewed).exit_code == 0


def test_another_message_about_the_same_resource_is_another_finding():
    before, after = broken("a", "port 443 is open"), broken("a", "port 22 is open")
    reviewed = environment(plan(bucket("a"), violations=[before]), plan(bucket("a"), violations=[after]))
    assert reviewed.blocked


def test_what_was_undecided_and_now_fails_is_new():
    said = broken("a")
    reviewed = environment(plan(bucket("a"), not_evaluated=[said]), plan(bucket("a"), violations=[said]))
    assert reviewed.blocked


def test_a_fingerprint_outlives_lines_and_stacks_only():
    one = broken("a", line=1)
    assert fingerprint(one) == fingerprint(broken("a", line=99))
    assert fingerprint(one) == fingerprint(
        type(one)(one.pack, one.policy, one.level, one.message, one.urn.replace(":dev:", ":prod:"))
    )
    assert (
        len({fingerprint(v) for v in (one, broken("b"), broken("a", "other"), broken("a", policy="tagging-values"))})
        == 4
    )


@pytest.mark.parametrize(("expires", "blocked"), [(date(2026, 11, 21), False), (date(2026, 11, 20), True)])
def test_an_accepted_finding_folds_away_until_it_expires(expires, blocked):
    said = broken("a")
    entry = Acceptance(
        fingerprint=fingerprint(said), reason="the vendor needs it", owner="a@b.example", expires=expires
    )
    reviewed = environment(plan(), plan(bucket("a"), violations=[said]), accepted={entry.fingerprint: entry})
    assert reviewed.blocked is blocked


def test_what_is_accepted_is_read_with_its_line(tmp_path):
    file = tmp_path / accepted.FILE
    assert accepted.read(file) == {}
    good = (
        f"- fingerprint: f{'0' * 31}\n  reason: because of the vendor\n  owner: a@b.example\n  expires: '2027-01-01'\n"
    )
    file.write_text(good)
    assert accepted.read(file)["f" + "0" * 31].expires == date(2027, 1, 1)
    file.write_text(
        good
        + "- fingerprint: nonsense\n  reason: because of the vendor\n  owner: a@b.example\n  expires: '2027-01-01'\n"
    )
    with pytest.raises(UsageError) as refused:
        accepted.read(file)
    assert refused.value.where == f"{file}:5"
    assert "fingerprint" in refused.value.message
    file.write_text("- [\n")
    with pytest.raises(UsageError, match="not YAML"):
        accepted.read(file)


def test_changes_are_told_by_value_and_the_dangerous_come_first(one_of_each):
    found, unsettled = changes(*one_of_each)
    assert [(c.op, c.resource.name, c.endangers) for c in found] == [
        (Op.REPLACE, "photos", True),
        (Op.DELETE, "work", True),
        (Op.UPDATE, "rule", False),
        (Op.CREATE, "more", False),
    ]
    assert [(p.path, p.before, p.after) for p in found[0].properties] == [("bucket", '"old"', '"new"')]
    assert [(p.path, p.before, p.after) for p in found[2].properties] == [("ingress[0].fromPort", "443", "80")]
    assert unsettled == 0


def test_what_the_base_changes_by_itself_is_not_the_heads_doing():
    restless = bucket("clock", Op.UPDATE, inputs={"tags": {"at": "12:00"}}, diff=("tags.at",))
    later = bucket("clock", Op.UPDATE, inputs={"tags": {"at": "12:01"}}, diff=("tags.at",))
    assert changes(plan(restless), plan(later)) == ((), 1)
    more = bucket("clock", Op.UPDATE, inputs={"tags": {"at": "12:01", "owner": "x"}}, diff=("tags.at", "tags.owner"))
    assert len(changes(plan(restless), plan(more))[0]) == 1


@pytest.mark.parametrize(
    ("type_", "is_stateful"),
    [
        ("aws:s3/bucket:Bucket", True),
        ("aws:s3/bucketV2:BucketV2", True),
        ("aws:s3/bucketPolicy:BucketPolicy", False),
        ("aws:rds/instance:Instance", True),
        ("aws:ec2/instance:Instance", False),
        ("aws:kms/key:Key", True),
        ("aws:kms/alias:Alias", False),
        ("azure-native:storage:StorageAccount", True),
        ("azure-native:storage/v20230101:StorageAccount", True),
        ("azure-native:network:VirtualNetwork", False),
        ("gcp:storage/bucket:Bucket", True),
        ("gcp:bigquery/dataset:Dataset", True),
        ("gcp:compute/network:Network", False),
        ("databricks:index/catalog:Catalog", True),
        ("databricks:index/job:Job", False),
        ("kubernetes:core/v1:PersistentVolumeClaim", True),
        ("kubernetes:apps/v1:Deployment", False),
    ],
)
def test_what_holds_data_is_known_by_its_type(type_, is_stateful):
    ((change,), _) = changes(None, plan(bucket("x", Op.DELETE, type_=type_)))
    assert change.stateful is is_stateful


def test_what_the_program_protects_holds_something():
    ((change,), _) = changes(None, plan(bucket("x", Op.DELETE, type_="aws:ec2/instance:Instance", protect=True)))
    assert change.endangers


def test_a_policy_document_is_compared_by_what_it_holds():
    before = bucket(
        "p", type_="aws:iam/policy:Policy", inputs={"policy": '{"Statement":[{"Effect":"Deny"}], "Version":"1"}'}
    )
    after = bucket(
        "p",
        Op.UPDATE,
        type_="aws:iam/policy:Policy",
        inputs={"policy": '{"Version":"1","Statement":[{"Effect":"Allow"}]}'},
        diff=("policy",),
    )
    ((change,), _) = changes(plan(before), plan(after))
    assert [(p.path, p.before, p.after) for p in change.properties] == [
        ("policy.Statement[0].Effect", '"Deny"', '"Allow"')
    ]
