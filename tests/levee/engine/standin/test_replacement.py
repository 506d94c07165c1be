from __future__ import annotations

import pytest

from levee.engine.standin.replacement import ReplacementFacts
from levee.sdk import Sdk

FACTS = ReplacementFacts()


@pytest.mark.parametrize(
    ("token", "path", "replaces", "source"),
    [
        ("aws:s3/bucket:Bucket", "bucket", True, "CloudFormation AWS::S3::Bucket"),
        ("aws:s3/bucket:Bucket", "tags.owner", False, "tags"),
        ("aws:dynamodb/table:Table", "name", True, "CloudFormation AWS::DynamoDB::Table"),
        ("aws:rds/instance:Instance", "identifier", True, "CloudFormation AWS::RDS::DBInstance"),
        ("aws:kms/key:Key", "enableKeyRotation", False, "CloudFormation AWS::KMS::Key"),
        ("aws:cloudwatch/logGroup:LogGroup", "name", True, "CloudFormation AWS::Logs::LogGroup"),
        ("azure-native:storage:StorageAccount", "accountName", True, "path"),
        ("azure-native:storage:StorageAccount", "resourceGroupName", True, "path"),
        ("azure-native:storage:StorageAccount", "location", True, "docstring"),
        ("azure-native:storage:BlobContainer", "accountName", True, "path"),
        ("gcp:storage/bucket:Bucket", "location", True, "path"),
        ("gcp:storage/bucket:Bucket", "labels.owner", False, "tags"),
        ("random:index/randomId:RandomId", "byteLength", True, "random"),
        ("kubernetes:core/v1:ConfigMap", "metadata.name", True, "Kubernetes"),
        ("kubernetes:core/v1:ConfigMap", "data.a", False, "Kubernetes"),
    ],
)
def test_facts_with_their_source(sdk: Sdk, token: str, path: str, replaces: bool, source: str) -> None:
    type_ = sdk.resource(token)
    assert type_ is not None
    fact = FACTS.of(type_, path)
    assert fact is not None
    assert fact.replaces is replaces
    assert source in fact.source


def test_no_fact_is_said_as_none(sdk: Sdk) -> None:
    type_ = sdk.resource("databricks:index/job:Job")
    assert type_ is not None
    assert FACTS.of(type_, "maxConcurrentRuns") is None


def test_what_the_sdk_itself_declares(sdk: Sdk) -> None:
    import dataclasses

    type_ = sdk.resource("databricks:index/job:Job")
    assert type_ is not None
    declared = dataclasses.replace(type_, replace_on_changes=("tasks[*].taskKey", "gitSource.url"))
    assert FACTS.of(declared, "tasks[3].taskKey") is not None
    assert FACTS.of(declared, "tasks[3].timeoutSeconds") is None
    assert (fact := FACTS.of(declared, "gitSource.url")) is not None
    assert fact.replaces
    assert FACTS.of(declared, "gitSource.branch") is None
