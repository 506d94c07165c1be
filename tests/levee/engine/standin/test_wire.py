from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from levee import wire as constants
from levee.engine import monitor
from levee.engine.standin import wire
from levee.engine.standin.values import (
    UNKNOWN,
    Secret,
    changes,
    has_secret,
    has_unknown,
    plain,
    same,
)
from levee.wire import OUTPUT_SIGNATURE, SECRET_SIGNATURE, SIGNATURE

keys = st.text(min_size=1, max_size=8).filter(lambda k: k != SIGNATURE)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
values = st.recursive(
    scalars | st.just(UNKNOWN),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3) | st.builds(Secret, inner),
    max_leaves=10,
)
properties = st.dictionaries(keys, values, max_size=4)
known = st.dictionaries(keys, st.recursive(scalars, lambda i: st.lists(i) | st.dictionaries(keys, i), max_leaves=6))


@given(properties)
def test_round_trip(given_properties: dict[str, Any]) -> None:
    assert wire.decode(wire.encode(given_properties)) == given_properties


def test_secrets_have_the_engines_shape() -> None:
    fields = wire.encode({"password": Secret("hunter2")}).fields["password"].struct_value.fields
    assert fields[SIGNATURE].string_value == SECRET_SIGNATURE
    assert fields["value"].string_value == "hunter2"


def test_output_values_become_what_they_hold() -> None:
    def output(**fields: object) -> object:
        return wire.decode(wire.encode({"x": {SIGNATURE: OUTPUT_SIGNATURE, **fields}}))["x"]

    assert output(value="a", dependencies=["urn"]) == "a"
    assert output(value="a", secret=True) == Secret("a")
    assert output() is UNKNOWN
    assert output(secret=True) == Secret(UNKNOWN)


def test_every_unknown_sentinel_is_unknown() -> None:
    sentinels = ["04da6b54-80e4-46f7-96ec-b56ff0331ba9", "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2"]
    assert wire.decode(wire.encode({"x": sentinels})) == {"x": [UNKNOWN, UNKNOWN]}


def test_a_secret_never_shows() -> None:
    assert "hunter2" not in repr({"password": Secret("hunter2")})


@given(values)
def test_plain_has_no_secret(value: object) -> None:
    assert not has_secret(plain(value))
    assert has_unknown(value) == has_unknown(plain(value))


@given(known, known)
def test_changes_are_empty_exactly_when_equal(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert (not list(changes(old, new))) == same(old, new)
    assert not list(changes(old, old))


@given(known)
def test_a_secret_equals_what_it_holds(given_properties: dict[str, Any]) -> None:
    assert not list(changes(given_properties, {k: Secret(v) for k, v in given_properties.items()}))


def test_paths_are_pulumis() -> None:
    old = {"tags": {"Name": "a", "cost centre": "1"}, "rules": [{"port": 1}], "gone": True}
    new = {"tags": {"Name": "b", "cost centre": "2"}, "rules": [{"port": 2}, {"port": 3}], "come": 1}
    assert {c.path for c in changes(old, new)} == {
        "tags.Name", 'tags["cost centre"]', "rules[0].port", "rules[1]", "gone", "come",
    }  # fmt: skip
    by_path = {c.path: c for c in changes(old, new)}
    assert by_path["gone"].deleted
    assert by_path["come"].added
    assert by_path["rules[0].port"].top == "rules"


def test_true_is_not_one() -> None:
    assert not same(True, 1)
    assert same(1, 1.0)


def test_assets_are_equal_by_hash() -> None:
    asset = {SIGNATURE: "c44067f5952c0a294b673a41bacd8c17", "hash": "abc", "text": "body"}
    assert same(asset, {**asset, "text": ""})
    assert not same(asset, {**asset, "hash": "def"})


def test_the_programs_side_which_can_import_nothing_of_ours_speaks_of_the_same_constants() -> None:
    assert monitor.SIGNATURE == constants.SIGNATURE
    assert monitor.ASSET == constants.ASSET_SIGNATURE
    assert monitor.ARCHIVE == constants.ARCHIVE_SIGNATURE
    assert monitor.OUTPUT == constants.OUTPUT_SIGNATURE
    assert monitor.UNKNOWN == constants.UNKNOWN_STRING
