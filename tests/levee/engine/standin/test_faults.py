from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from levee.engine.standin.clouds.fault_words import Blanks, words
from levee.engine.standin.fault_rules import Rule, load
from levee.engine.standin.faults import Call, FaultError, Faults, Made, PartialError
from levee.engine.standin.journal import Journal
from levee.errors import UsageError

if TYPE_CHECKING:
    from conftest import Served

BUCKET = "aws:s3/bucket:Bucket"


def faults(*rules: Rule, **hooks: Any) -> Faults:
    return Faults(rules, Journal(None), **hooks)


def test_the_nth_create_of_a_type_fails_and_the_next_does_not() -> None:
    injected = faults(Rule("fail", type="aws:s3/*", nth=2, message="no room"))
    injected.before(Call("create", BUCKET))
    injected.before(Call("create", "aws:kms/key:Key"))
    injected.before(Call("update", BUCKET))
    with pytest.raises(FaultError, match="no room"):
        injected.before(Call("create", BUCKET))
    injected.before(Call("create", BUCKET))


def test_throttling_ends_after_so_many_times() -> None:
    injected = faults(Rule("throttle", operation="read", times=2))
    for _ in range(2):
        with pytest.raises(FaultError, match="Rate exceeded"):
            injected.before(Call("read", BUCKET))
    injected.before(Call("read", BUCKET))


def test_slow_waits_and_kill_kills() -> None:
    did: list[Any] = []
    rules = (Rule("slow", seconds=2.5), Rule("kill", nth=2))
    injected = faults(*rules, sleep=did.append, kill=lambda: did.append("killed"))
    injected.before(Call("create", BUCKET))
    injected.before(Call("create", BUCKET))
    assert did == [2.5, 2.5, "killed"]


def test_by_urn_and_not_in_previews_unless_told() -> None:
    injected = faults(Rule("fail", urn="*::raw"), Rule("fail", urn="*::gold", preview=True))
    injected.before(Call("create", BUCKET, "urn:pulumi:dev::p::t::silver"))
    injected.before(Call("create", BUCKET, "urn:pulumi:dev::p::t::raw", preview=True))
    with pytest.raises(FaultError):
        injected.before(Call("create", BUCKET, "urn:pulumi:dev::p::t::gold", preview=True))
    with pytest.raises(FaultError):
        injected.before(Call("create", BUCKET, "urn:pulumi:dev::p::t::raw"))


def create(name: str, live: int = 0, **inputs: Any) -> Call:
    return Call("create", BUCKET, f"urn:pulumi:dev::p::{BUCKET}::{name}", inputs=inputs, live=lambda: live)


def test_a_provider_backs_off_ever_longer_and_gives_up_after_so_many_retries() -> None:
    waited: list[float] = []
    injected = faults(Rule("throttle", absorb=3, seconds=0.1), sleep=waited.append)
    with pytest.raises(FaultError, match=r"Rate exceeded \[fault rule 1: throttle\]"):
        injected.before(create("lake"))
    assert waited == [0.1, 0.2, 0.4]


def test_a_fault_after_the_effect_comes_after_it() -> None:
    injected = faults(Rule("timeout", after=True), Rule("partial", urn="*::half"))
    for name, error in (("lake", FaultError), ("half", FaultError)):
        injected.before(create(name))
        with pytest.raises(error, match="deadline exceeded"):
            injected.after(create(name), MADE)
    injected.after(Call("create", BUCKET, "urn", preview=True), MADE)
    with pytest.raises(PartialError) as half:
        faults(Rule("partial")).after(create("half"), MADE)
    assert half.value.made is MADE


MADE = Made("acme-lake-0123", {}, {"arn": "arn:aws:s3:::acme-lake-0123"})


def test_only_who_refers_to_a_new_resource_does_not_find_it_and_only_so_often() -> None:
    injected = faults(Rule("eventual", times=2, urn="*::lake"))
    injected.after(create("lake"), MADE)
    injected.before(create("other", bucket="acme-lake"))
    for text in ("acme-lake-0123", '{"Resource": "arn:aws:s3:::acme-lake-0123/*"}'):
        with pytest.raises(FaultError, match="NoSuchBucket"):
            injected.before(create("rules", policy=[{"of": text}]))
    injected.before(create("rules", policy="acme-lake-0123"))


def test_what_is_late_is_found_after_its_time() -> None:
    injected = faults(Rule("eventual", seconds=0.01, absorb=100), sleep=lambda _: None)
    injected.after(create("lake"), MADE)
    time.sleep(0.02)
    injected.before(create("rules", policy="acme-lake-0123"))


def test_a_quota_counts_what_is_there() -> None:
    injected = faults(Rule("quota", limit=2))
    injected.before(create("second", live=1))
    with pytest.raises(FaultError, match="TooManyBuckets"):
        injected.before(create("third", live=2))


@pytest.mark.parametrize("kind", ["throttle", "fail", "partial", "eventual", "quota", "timeout"])
@pytest.mark.parametrize("package", ["aws", "azure-native", "gcp", "kubernetes", "databricks", "snowflake"])
def test_every_cloud_has_its_words_for_every_fault(package: str, kind: str) -> None:
    said = words(kind, Blanks(f"{package}:a/b:Thing", "thing-1", "somewhere", 5, 5))
    assert said
    assert "{" not in said
    assert package == "snowflake" or said != words(kind, Blanks("snowflake:a/b:Thing", "thing-1", "somewhere", 5, 5))


def test_rules_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text("faults:\n  - {action: slow, operation: delete, seconds: 0.5}\n  - {action: fail, nth: 3}\n")
    assert load(file) == [Rule("slow", operation="delete", seconds=0.5), Rule("fail", nth=3)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("faults:\n  - {operation: create}", "faults.yaml:2"),
        ("faults:\n  - {action: explode}", "unknown action 'explode'"),
        ("faults:\n  - {action: fail, operation: destroy}", "unknown operation"),
        ("faults:\n  - {action: fail, nht: 2}", "unknown key 'nht'"),
        ("faults:\n  - {action: fail, nth: two}", "wrong value for nth"),
        ("faults:\n  - {action: fail, nth: true}", "wrong value for nth"),
        ("faults:\n  - {action: fail, after: 1}", "wrong value for after"),
        ("faults:\n  - {action: partial, operation: read}", "partial never meets 'read'"),
        ("faults:\n  - {action: quota}", "a quota needs a `limit`"),
        ("faults: 3", "no list of fault rules"),
        ("- {action: [", "the fault rules are not YAML"),
    ],
)
def test_bad_rules_are_refused_with_their_place(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text(text)
    with pytest.raises(UsageError) as error:
        load(file)
    assert says in str(error.value)
    assert str(file) in str(error.value)


def test_over_the_wire_with_its_line_in_the_journal(serve: Callable[..., Served], tmp_path: Path) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text("faults:\n  - {action: fail, type: 'aws:s3/*', nth: 1, message: 'InternalError: on purpose'}\n")
    served = serve(faults=file)
    aws = served.connect("aws", region="eu-west-1")
    with pytest.raises(grpc.RpcError, match="InternalError: on purpose"):
        aws.create(BUCKET, "a", {"bucket": "a"})
    assert aws.create(BUCKET, "a", {"bucket": "a"})[0] == "a"
    (line,) = [x for x in map(json.loads, served.log.read_text().splitlines()) if x["kind"] == "fault"]
    assert (line["action"], line["operation"], line["type"]) == ("fail", "create", BUCKET)
