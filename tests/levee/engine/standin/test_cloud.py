from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from levee.engine.standin.cloud import Record, SimulatedCloud
from levee.engine.standin.sealing import CHANGED, Sealer
from levee.engine.standin.values import Secret, plain
from levee.errors import UsageError

SEALER = Sealer(b"k" * 32)
scalars = st.none() | st.booleans() | st.integers() | st.text()
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(min_size=1, max_size=5), inner, max_size=3)
        | st.builds(Secret, inner.filter(lambda v: v is not None))
    ),
    max_leaves=8,
)
properties = st.dictionaries(st.text(min_size=1, max_size=5), values, max_size=4)


@given(properties)
def test_sealed_values_come_back_with_the_state(given_properties: dict[str, Any]) -> None:
    stored = {k: SEALER.seal(v) for k, v in given_properties.items()}
    back = SEALER.unseal_all(stored, given_properties)
    assert plain(back) == plain(given_properties)


@given(st.text(min_size=12))
def test_nothing_stored_holds_the_secret(secret: str) -> None:
    stored = SEALER.seal({"a": [Secret({"b": secret})]})
    assert secret not in repr(stored)


def test_a_secret_that_changed_cannot_be_told() -> None:
    stored = SEALER.seal({"p": Secret("new")})
    assert SEALER.unseal(stored, {"p": Secret("old")}) == {"p": Secret(CHANGED)}
    assert SEALER.unseal(stored, None) == {"p": Secret(CHANGED)}


def test_two_keys_give_two_hashes() -> None:
    assert Sealer(b"a" * 32).digest("x") != Sealer(b"b" * 32).digest("x")


@pytest.fixture
def cloud(tmp_path: Path) -> SimulatedCloud:
    return SimulatedCloud(tmp_path / "cloud.sqlite")


def record(cloud: SimulatedCloud, urn: str = "urn:1", id_: str = "b-1", scope: str = "acct/eu") -> Record:
    seal = cloud.sealer.seal
    inputs = {"tags": {"a": "1"}, "password": Secret("hunter2-hunter2")}
    made = Record(scope, "aws:s3/bucket:Bucket", id_, urn, "seed", seal(inputs), seal({**inputs, "arn": "arn:x"}))
    cloud.put(made, created=True)
    return made


def test_the_key_is_the_owners_alone(cloud: SimulatedCloud) -> None:
    key = cloud.path.with_name("cloud.sqlite.key")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert SimulatedCloud(cloud.path).sealer.digest("x") == cloud.sealer.digest("x")


def test_outlives_the_process_and_never_holds_a_secret(cloud: SimulatedCloud) -> None:
    made = record(cloud)
    cloud.close()
    for file in cloud.path.parent.iterdir():
        assert b"hunter2" not in file.read_bytes(), file.name
    with SimulatedCloud(cloud.path) as again:
        assert again.get("acct/eu", made.type, made.id) == made
        assert again.creations("urn:1") == 1


def test_scopes_keep_equal_ids_apart(cloud: SimulatedCloud) -> None:
    record(cloud, "urn:1", scope="acct/eu")
    record(cloud, "urn:2", scope="acct/us")
    found = cloud.get("acct/us", "aws:s3/bucket:Bucket", "b-1")
    assert found is not None
    assert found.urn == "urn:2"
    elsewhere = cloud.get("acct/ap", "aws:s3/bucket:Bucket", "b-1")
    assert elsewhere is not None, "an import may come over another connection"


def test_change_behind_the_engines_back(cloud: SimulatedCloud) -> None:
    record(cloud)
    changed = cloud.change("urn:1", {"tags": {"a": "2"}, "arn": "arn:y", "password": "other"})
    assert changed.inputs["tags"] == {"a": "2"}
    assert "arn" not in changed.inputs, "a computed output is no input"
    assert changed.outputs["arn"] == "arn:y"
    assert "other" not in repr(changed)
    assert "tags" not in cloud.change("b-1", {"tags": None}).outputs


def test_remove_and_resources(cloud: SimulatedCloud) -> None:
    record(cloud)
    assert [r.urn for r in cloud.resources()] == ["urn:1"]
    cloud.remove("urn:1")
    assert list(cloud.resources()) == []
    gone = cloud.get("acct/eu", "aws:s3/bucket:Bucket", "b-1")
    assert gone is not None
    assert gone.removed, "a vanished resource is not one that was never heard of"


def test_finding_nothing_says_what_there_is(cloud: SimulatedCloud) -> None:
    record(cloud)
    with pytest.raises(UsageError, match="0 resources") as error:
        cloud.change("urn:nope", {})
    assert "urn:1" in (error.value.fix or "")


def test_add_for_imports(cloud: SimulatedCloud) -> None:
    added = cloud.add("aws:s3/bucket:Bucket", "legacy", {"bucket": "legacy"}, {"arn": "arn:aws:s3:::legacy"})
    assert added.origin == "existing"
    assert cloud.find("legacy").outputs == {"bucket": "legacy", "arn": "arn:aws:s3:::legacy"}


def test_what_lies_in_a_network_is_found_by_an_index(cloud: SimulatedCloud) -> None:
    subnetwork, path = "gcp:compute/subnetwork:Subnetwork", "projects/acme/global/networks/"
    cloud.add(subnetwork, "a", {"network": f"{path}core"})
    cloud.add(subnetwork, "b", {"network": "core"}, {"network": f"https://www.example.com/{path}edge"})
    cloud.add("gcp:compute/firewall:Firewall", "c", {"network": "core"})
    cloud.add("aws:ec2/subnet:Subnet", "d", {"vpcId": "core"})
    statements: list[str] = []
    cloud._db.set_trace_callback(statements.append)
    assert [r.id for r in cloud.in_network(subnetwork, "core")] == ["a"]
    cloud._db.set_trace_callback(None)
    assert [r.id for r in cloud.in_network(subnetwork, "edge")] == ["b"]
    assert [r.id for r in cloud.in_network("aws:ec2/subnet:Subnet", "core")] == ["d"]
    plan = cloud._db.execute(f"EXPLAIN QUERY PLAN {statements[0]}").fetchall()
    assert "USING INDEX resource_by_network" in str(plan), "every resource of the type is read"
