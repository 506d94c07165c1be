from __future__ import annotations

import pytest

from levee.engine.standin.cloudformation import find
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
        ("kubernetes:core/v1:ConfigMap", "data.a", True, "Kubernetes"),
        ("kubernetes:core/v1:ConfigMap", "metadata.labels.a", False, "Kubernetes"),
        ("kubernetes:apps/v1:Deployment", "spec.selector.matchLabels.app", True, "Kubernetes"),
        ("kubernetes:apps/v1:Deployment", "spec.template.spec.containers[0].image", False, "Kubernetes"),
        ("aws:iam/rolePolicy:RolePolicy", "policy", False, "CloudFormation AWS::IAM::RolePolicy"),
        ("aws:iam/rolePolicy:RolePolicy", "role", True, "CloudFormation AWS::IAM::RolePolicy"),
        ("aws:cloudfront/distribution:Distribution", "comment", False, "CloudFormation AWS::CloudFront::Distribution"),
        ("aws:budgets/budget:Budget", "budgetType", False, "CloudFormation AWS::Budgets::Budget"),
        ("aws:ec2transitgateway/routeTable:RouteTable", "transitGatewayId", True, "TransitGatewayRouteTable"),
        ("aws:rds/clusterInstance:ClusterInstance", "clusterIdentifier", True, "AWS::RDS::DBInstance"),
        ("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "policyArn", True, "no call that changes"),
        ("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "bucket", True, "belongs to one bucket"),
        ("gcp:kms/cryptoKey:CryptoKey", "keyRing", True, "path"),
        ("gcp:projects/iAMMember:IAMMember", "member", True, "grants"),
        ("gcp:projects/iAMBinding:IAMBinding", "members", False, "grants"),
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


def test_most_aws_types_are_found_in_cloudformation(sdk: Sdk) -> None:
    tokens = sdk.packages["aws"].tokens[::6]
    assert sum(find(token) is not None for token in tokens) / len(tokens) > 0.55
    assert find("aws:athena/database:Database") is None, "an equal name that means another thing"


@pytest.mark.parametrize(
    ("package", "least"), [("aws", 0.5), ("azure-native", 0.9), ("gcp", 0.85), ("kubernetes", 1.0), ("random", 1.0)]
)
def test_the_share_of_types_of_which_something_is_known(sdk: Sdk, package: str, least: float) -> None:
    tokens = sdk.packages[package].tokens
    types = [t for t in map(sdk.resource, tokens[:: max(1, len(tokens) // 50)]) if t is not None and t.inputs]
    known = [t for t in types if any(FACTS.of(t, name) for name in t.inputs if name not in {"tags", "labels"})]
    assert len(known) / len(types) >= least
