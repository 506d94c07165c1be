from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from levee.engine.standin.faults import FaultError, Faults, Rule, load
from levee.engine.standin.journal import Journal
from levee.errors import UsageError

if TYPE_CHECKING:
    from conftest import Served

BUCKET = "aws:s3/bucket:Bucket"


def faults(*rules: Rule, **hooks: Any) -> Faults:
    return Faults(rules, Journal(None), **hooks)


def test_the_nth_create_of_a_type_fails_and_the_next_does_not() -> None:
    injected = faults(Rule("fail", type="aws:s3/*", nth=2, message="no room"))
    injected.apply("create", BUCKET)
    injected.apply("create", "aws:kms/key:Key")
    injected.apply("update", BUCKET)
    with pytest.raises(FaultError, match="no room"):
        injected.apply("create", BUCKET)
    injected.apply("create", BUCKET)


def test_throttling_ends_after_so_many_times() -> None:
    injected = faults(Rule("throttle", operation="read", times=2))
    for _ in range(2):
        with pytest.raises(FaultError, match="Rate exceeded"):
            injected.apply("read", BUCKET)
    injected.apply("read", BUCKET)


def test_slow_waits_and_kill_kills() -> None:
    did: list[Any] = []
    rules = (Rule("slow", seconds=2.5), Rule("kill", nth=2))
    injected = faults(*rules, sleep=did.append, kill=lambda: did.append("killed"))
    injected.apply("create", BUCKET)
    injected.apply("create", BUCKET)
    assert did == [2.5, 2.5, "killed"]


def test_by_urn_and_not_in_previews_unless_told() -> None:
    injected = faults(Rule("fail", urn="*::raw"), Rule("fail", urn="*::gold", preview=True))
    injected.apply("create", BUCKET, "urn:pulumi:dev::p::t::silver")
    injected.apply("create", BUCKET, "urn:pulumi:dev::p::t::raw", preview=True)
    with pytest.raises(FaultError):
        injected.apply("create", BUCKET, "urn:pulumi:dev::p::t::gold", preview=True)
    with pytest.raises(FaultError):
        injected.apply("create", BUCKET, "urn:pulumi:dev::p::t::raw")


def test_rules_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text("faults:\n  - {action: slow, operation: delete, seconds: 0.5}\n  - {action: fail, nth: 3}\n")
    assert load(file) == [Rule("slow", operation="delete", seconds=0.5), Rule("fail", nth=3)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("faults:\n  - {operation: create}", "rule 1"),
        ("faults:\n  - {action: explode}", "unknown action 'explode'"),
        ("faults:\n  - {action: fail, operation: destroy}", "unknown operation"),
        ("faults:\n  - {action: fail, nht: 2}", "unknown key 'nht'"),
        ("faults:\n  - {action: fail, nth: two}", "wrong value for nth"),
        ("faults:\n  - {action: fail, nth: true}", "wrong value for nth"),
        ("faults: 3", "no list of rules"),
        ("- {action: [", "cannot read the fault rules"),
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
