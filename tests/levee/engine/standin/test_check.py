from __future__ import annotations

from typing import Any

import pytest

from levee.engine.standin.check import Checker, near
from levee.engine.standin.values import UNKNOWN, Secret
from levee.sdk import Sdk

ACCOUNT = "azure-native:storage:StorageAccount"
BUCKET = "aws:s3/bucket:Bucket"
RULES = {"defaultAction": "Deny", "ipRules": [{"action": "Allow"}]}
GOOD: dict[str, Any] = {"resourceGroupName": "rg", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}}


def failures(sdk: Sdk, token: str, inputs: dict[str, Any], *, strict: bool = True) -> dict[str, str]:
    type_ = sdk.resource(token)
    assert type_ is not None
    return {f.path: f.reason for f in Checker(sdk, strict=strict).check(inputs, type_.inputs)}


def test_good_inputs_pass(sdk: Sdk) -> None:
    assert failures(sdk, ACCOUNT, GOOD) == {}


def test_unknown_and_secret_inputs_pass(sdk: Sdk) -> None:
    inputs = {**GOOD, "kind": UNKNOWN, "resourceGroupName": Secret("rg"), "sku": Secret({"name": UNKNOWN})}
    assert failures(sdk, ACCOUNT, inputs) == {}


@pytest.mark.parametrize(
    ("change", "path", "reason"),
    [
        ({"sku": None}, "sku", "missing required property 'sku'"),
        ({"sku": {}}, "sku", "missing required property 'sku.name'"),
        ({"accessTier": "Warm"}, "accessTier", "'Warm'"),
        ({"accessTier": Secret("Warm")}, "accessTier", "holds a secret that does not fit"),
        ({"tags": {"a": ["b"]}}, "tags.a", "must be a string, got a list"),
        ({"tags": "a"}, "tags", "must be an object, got a string"),
        ({"enableHttpsTrafficOnly": "yes"}, "enableHttpsTrafficOnly", "must be a boolean"),
        ({"networkRuleSet": RULES}, "networkRuleSet.ipRules[0]", "iPAddressOrRange"),
        ({"kindd": "x"}, "kindd", "did you mean 'kind'"),
    ],
)  # fmt: skip
def test_what_a_real_provider_would_refuse(sdk: Sdk, change: dict[str, Any], path: str, reason: str) -> None:
    found = failures(sdk, ACCOUNT, {**GOOD, **change})
    assert path in found, found
    assert reason in found[path]


def test_a_secret_is_never_told(sdk: Sdk) -> None:
    type_ = sdk.resource(ACCOUNT)
    assert type_ is not None
    checker = Checker(sdk)
    secrets = {"accessTier": "hunter-a", "kind": "hunter-b", "tags": "hunter-c", "sku": {"hunter-d": 1}}
    failures = checker.check({**GOOD, **{k: Secret(v) for k, v in secrets.items()}}, type_.inputs)
    assert {f.path for f in failures} == {"accessTier", "tags", "sku"}
    assert checker.open_values == ["kind=[secret]"]
    assert "hunter" not in repr(failures)


def test_an_open_enum_admits_others_and_says_so(sdk: Sdk) -> None:
    type_ = sdk.resource(ACCOUNT)
    assert type_ is not None
    checker = Checker(sdk)
    assert checker.check({**GOOD, "kind": "StorageV3"}, type_.inputs) == []
    assert checker.open_values == ["kind=StorageV3"]


def test_unknown_properties_are_counted_where_they_are_not_refused(sdk: Sdk) -> None:
    type_ = sdk.resource(ACCOUNT)
    assert type_ is not None
    checker = Checker(sdk, strict=False)
    assert checker.check({**GOOD, "brandNew": 1}, type_.inputs) == []
    assert checker.unchecked == ["brandNew"]


def test_the_wires_spelling_of_scalars_passes(sdk: Sdk) -> None:
    assert failures(sdk, BUCKET, {"forceDestroy": "true", "bucket": 42, "__defaults": []}) == {}
    assert "length" in failures(sdk, "random:index/randomPassword:RandomPassword", {"length": 1.5})
    assert failures(sdk, "random:index/randomPassword:RandomPassword", {"length": "16"}) == {}


def test_unions_take_any_member(sdk: Sdk) -> None:
    statement = {"Version": "2012-10-17", "Statement": []}
    assert failures(sdk, BUCKET, {"policy": "{}"}) == {}
    assert failures(sdk, BUCKET, {"policy": statement}) == {}
    assert "policy" in failures(sdk, BUCKET, {"policy": [1]})


def test_near_names() -> None:
    assert near("aws:s3/buket:Buket", ["aws:s3/bucket:Bucket", "gcp:x:Y"], "near: ") == "near: 'aws:s3/bucket:Bucket'"
    assert near("zzz", ["abc"], "near: ") == ""
