"""Milliseconds a resource of the compliance pack and of the merged one, by the evaluator alone, and how they grow.

Growth is against the smallest size. What the merged pack takes under the engine is in ``bench/preview.py``.

.venv/bin/python bench/policies.py --resources 1000,5000
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import sysconfig
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from levee.compliance import RULES, Outcome, Rule, Settings, evaluate
from levee.compliance.tagging import Places
from levee.cost import spending
from levee.plan import UNKNOWN, Plan, Resource

TODAY = date(2026, 11, 21)
TAGS = {
    "owner": "data-platform",
    "cost-centre": "cc-1042",
    "environment": "prod",
    "data-classification": "internal",
    "managed-by": "pulumi",
}
TLS_ONLY = json.dumps(
    {
        "Statement": [
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": "*",
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ]
    }
)
POD = {
    "containers": [
        {
            "name": "web",
            "image": "web:1.2",
            "securityContext": {"privileged": False, "capabilities": {"drop": ["ALL"]}},
            "env": [{"name": "LOG_LEVEL", "value": "info"}],
            "resources": {"limits": {"memory": "1Gi"}, "requests": {"cpu": "1", "memory": "1Gi"}},
        }
    ]
}
GROUP: Mapping[str, Mapping[str, Any]] = {
    "aws:kms/key:Key": {"enableKeyRotation": True, "tags": TAGS},
    "aws:s3/bucket:Bucket": {"tags": TAGS},
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": dict.fromkeys(
        ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"), True
    ),
    "aws:s3/bucketVersioning:BucketVersioning": {"versioningConfiguration": {"status": "Enabled"}},
    "aws:s3/bucketPolicy:BucketPolicy": {"policy": TLS_ONLY},
    "aws:ec2/securityGroup:SecurityGroup": {
        "ingress": [{"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": ["10.0.0.0/8"]}],
        "tags": TAGS,
    },
    "aws:rds/instance:Instance": {"storageEncrypted": True, "backupRetentionPeriod": 7, "tags": TAGS},
    "kubernetes:apps/v1:Deployment": {
        "metadata": {"namespace": "web", "labels": {}},
        "spec": {"template": {"spec": POD}},
    },
    "databricks:index/cluster:Cluster": {"sparkVersion": "17.3.x-scala2.13", "autoterminationMinutes": 20},
    "databricks:index/secretScope:SecretScope": {"name": "scope"},
}
"""Type to inputs of what is repeated; what names the bucket refers to it."""


def stack(count: int) -> Plan:
    """A stack of ``count`` resources."""
    return Plan("bench", "prod", operation="preview", offline=True, resources=tuple(resources(count)))


def resources(count: int) -> Iterator[Resource]:
    """Group after group."""
    for index in range(count):
        token, inputs = list(GROUP.items())[index % len(GROUP)]
        bucket = f"urn:pulumi:prod::bench::aws:s3/bucket:Bucket::{index // len(GROUP)}"
        refers = token.startswith("aws:s3/bucket") and token != "aws:s3/bucket:Bucket"
        yield Resource(
            urn=f"urn:pulumi:prod::bench::{token}::{index // len(GROUP)}",
            type=token,
            name=str(index // len(GROUP)),
            inputs={**inputs, "bucket": UNKNOWN} if refers else inputs,
            property_dependencies={"bucket": (bucket,)} if refers else {},
        )


def main(argv: list[str] | None = None) -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--resources", default="1000,5000", help="sizes of the stack")
    parser.add_argument("--runs", type=int, default=5, help="runs of each, the median of which is printed")
    given = parser.parse_args(argv)
    sets = {"compliance": [rule for rule in RULES if rule.pack == "compliance"], "merged, priced": RULES}
    types = Places.installed(Path(sysconfig.get_path("purelib")))
    print("| pack | rules | resources | verdicts | processor s | ms a resource | growth |")
    print(f"|---|{'---:|' * 6}")
    for pack, rules in sets.items():
        first = 0.0
        for count in map(int, given.resources.split(",")):
            seconds, verdicts = _timed(stack(count), rules, types, given.runs)
            each = seconds * 1000 / count
            first = first or each
            measured = f"{count:,} | {verdicts:,} | {seconds:.2f} | {each:.3f} | {each / first:.2f}"
            print(f"| {pack} | {len(rules)} | {measured} |")
    return 0


def _timed(plan: Plan, rules: Sequence[Rule], types: Places, runs: int) -> tuple[float, int]:
    """The median of the processor seconds, and how many verdicts there are."""
    settings = Settings.from_config(rules, {})
    outcomes: Sequence[Outcome] = ()
    seconds = []
    for _ in range(runs):
        begun = time.process_time()
        outcomes = evaluate(plan, rules, settings, types, TODAY, spending=spending)
        seconds.append(time.process_time() - begun)
    return statistics.median(seconds), len(outcomes)


if __name__ == "__main__":
    sys.exit(main())
