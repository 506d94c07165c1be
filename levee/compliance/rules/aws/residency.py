"""Where data may lie: the environment's regions."""

from __future__ import annotations

from typing import Final

from levee.compliance.rule import Severity
from levee.compliance.rules import controls as c
from levee.compliance.rules.build import rule
from levee.compliance.rules.regions import in_allowed_region

_STORES: Final = (
    "aws:backup/vault:Vault",
    "aws:cloudwatch/logGroup:LogGroup",
    "aws:docdb/cluster:Cluster",
    "aws:dynamodb/table:Table",
    "aws:ebs/volume:Volume",
    "aws:ec2/instance:Instance",
    "aws:ecr/repository:Repository",
    "aws:efs/fileSystem:FileSystem",
    "aws:eks/cluster:Cluster",
    "aws:elasticache/replicationGroup:ReplicationGroup",
    "aws:kinesis/stream:Stream",
    "aws:kms/key:Key",
    "aws:lambda/function:Function",
    "aws:msk/cluster:Cluster",
    "aws:neptune/cluster:Cluster",
    "aws:opensearch/domain:Domain",
    "aws:rds/cluster:Cluster",
    "aws:rds/instance:Instance",
    "aws:redshift/cluster:Cluster",
    "aws:s3/bucket:Bucket",
    "aws:s3/bucketV2:BucketV2",
    "aws:sagemaker/notebookInstance:NotebookInstance",
    "aws:secretsmanager/secret:Secret",
    "aws:sns/topic:Topic",
    "aws:sqs/queue:Queue",
)
"""The types that hold data, or machines that do."""


RULES: Final = (
    rule(
        "aws-region-allowed",
        "Whatever holds data lies in a region of the environment",
        _STORES,
        in_allowed_region("region", provider="region"),
        severity=Severity.HIGH,
        mend="Remove `region`, or the provider whose region it is; or allow it by the rule's parameter `regions`.",
        url="https://docs.aws.amazon.com/controltower/latest/controlreference/data-residency-controls.html",
        controls=c.RESIDENCY,
    ),
)
