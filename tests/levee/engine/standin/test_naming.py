from __future__ import annotations

import re

import pytest

from levee.engine.standin.name_property import name_property
from levee.engine.standin.naming import Creation, automatic_name, name_inputs
from levee.engine.standin.values import UNKNOWN, Secret
from levee.sdk import ResourceType, Sdk

FIRST = Creation("lake_Raw", "urn:lake", 0)
SECOND = Creation("lake_Raw", "urn:lake", 1)


def type_of(sdk: Sdk, token: str) -> ResourceType:
    found = sdk.resource(token)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("token", "property_", "pattern"),
    [
        ("aws:s3/bucket:Bucket", "bucket", r"lake-raw-[0-9a-f]{7}"),
        ("aws:iam/role:Role", "name", r"lake_Raw-[0-9a-f]{7}"),
        ("gcp:storage/bucket:Bucket", "name", r"lake-raw-[0-9a-f]{7}"),
        ("azure-native:storage:StorageAccount", "accountName", r"lakeraw[0-9a-f]{8}"),
        ("azure-native:resources:ResourceGroup", "resourceGroupName", r"lake_Raw[0-9a-f]{8}"),
        ("azure-native:storage:BlobContainer", "containerName", r"lake-raw[0-9a-f]{8}"),
        ("azure-native:keyvault:Vault", "vaultName", r"lake-raw[0-9a-f]{8}"),
        ("azure-native:web:WebApp", "name", r"lake-Raw[0-9a-f]{8}"),
        ("aws:kms/alias:Alias", "name", r"alias/lake_Raw-[0-9a-f]{7}"),
        ("databricks:index/job:Job", "name", r"lake_Raw-[0-9a-f]{7}"),
    ],
)
def test_the_real_providers_forms(sdk: Sdk, token: str, property_: str, pattern: str) -> None:
    type_ = type_of(sdk, token)
    assert name_property(type_) == property_
    named = name_inputs(type_, FIRST, {}, {})
    assert re.fullmatch(pattern, named[property_])
    assert named == name_inputs(type_, FIRST, {}, {}), "the same whenever it is asked for"
    assert named != name_inputs(type_, SECOND, {}, {}), "a replacement gets another"


@pytest.mark.parametrize(
    "token", ["aws:kms/key:Key", "random:index/randomId:RandomId", "gcp:cloudrunv2/jobIamBinding:JobIamBinding"]
)
def test_types_without_automatic_names(sdk: Sdk, token: str) -> None:
    assert name_property(type_of(sdk, token)) is None


def test_a_given_name_an_old_name_and_a_prefix_stay(sdk: Sdk) -> None:
    bucket = type_of(sdk, "aws:s3/bucket:Bucket")
    assert name_inputs(bucket, FIRST, {"bucket": "old"}, {"bucket": "mine"}) == {"bucket": "mine"}
    assert name_inputs(bucket, FIRST, {}, {"bucket": UNKNOWN}) == {"bucket": UNKNOWN}
    assert name_inputs(bucket, FIRST, {"bucket": "old"}, {}) == {"bucket": "old"}
    assert name_inputs(bucket, FIRST, {"bucket": Secret("old")}, {}) == {"bucket": Secret("old")}
    assert name_inputs(bucket, FIRST, {}, {"bucketPrefix": "p-"}) == {"bucketPrefix": "p-"}
    assert name_inputs(bucket, FIRST, {}, {}, "proposed") == {"bucket": "proposed"}


def test_manifests_are_named_in_their_metadata(sdk: Sdk) -> None:
    config = type_of(sdk, "kubernetes:core/v1:ConfigMap")
    named = name_inputs(config, FIRST, {}, {"metadata": {"labels": {"a": "b"}}})
    assert re.fullmatch(r"lake-raw-[0-9a-f]{8}", named["metadata"]["name"])
    assert named["metadata"]["labels"] == {"a": "b"}
    assert name_inputs(config, SECOND, named, {})["metadata"]["name"] == named["metadata"]["name"]
    given = {"metadata": {"name": "mine"}}
    assert name_inputs(config, FIRST, {}, given) == given


def test_lengths_are_kept(sdk: Sdk) -> None:
    creation = Creation("a-very-long-logical-name-that-no-storage-account-may-have", "urn", 0)
    assert len(automatic_name(type_of(sdk, "azure-native:storage:StorageAccount"), creation)) == 24
    assert len(automatic_name(type_of(sdk, "gcp:storage/bucket:Bucket"), Creation("x" * 90, "urn", 0))) == 63
