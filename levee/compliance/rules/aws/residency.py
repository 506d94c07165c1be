"""Where data may lie: the environment's regions."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Final

from levee.compliance.rule import Finding, Severity, Undecidable
from levee.compliance.rules import controls as c
from levee.compliance.rules.build import rule
from levee.compliance.rules.checks import reads
from levee.compliance.rules.scope import Scope, Value
from levee.compliance.rules.settings import REGIONS, setting_value

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


@reads("region", settings=(REGIONS,))
def _in_a_region_allowed(scope: Scope) -> Iterator[Finding]:
    allowed = setting_value(REGIONS, scope.facts)
    given = scope.one("region")
    found = Value("provider.region", scope.facts.provider.get("region")) if given.empty else given
    if not allowed or found.empty:
        return
    if found.undecidable:
        yield Undecidable(found.path).finding()
    elif not any(fnmatchcase(str(found.value), pattern) for pattern in allowed):
        yield Finding(f"`{found.path}` is {found.value!r}: data may lie in {', '.join(allowed)}", property=found.path)


RULES: Final = (
    rule(
        "aws-region-allowed",
        "Whatever holds data lies in a region of the environment",
        _STORES,
        _in_a_region_allowed,
        severity=Severity.HIGH,
        mend="Remove `region`, or the provider whose region it is; or allow it by the rule's parameter `regions`.",
        url="https://docs.aws.amazon.com/controltower/latest/controlreference/data-residency-controls.html",
        controls=c.RESIDENCY,
    ),
)
