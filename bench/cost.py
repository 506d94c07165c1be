"""Pricing of N resources: a plan of virtual machines, databases, buckets, clusters and free types, without an engine.

The catalogue is read anew each time, as a process does that prices once. Growth is seconds a resource against the
smallest size. Run by ``make bench``, or alone: ``.venv/bin/python bench/cost.py [SIZE ...]``.
"""

from __future__ import annotations

import statistics
import sys
import time

from levee.cost import Catalogue, price
from levee.plan import Plan, Resource

SIZES = (1_000, 5_000, 20_000)
RUNS = 5
KINDS = (
    (
        "aws:ec2/instance:Instance",
        {"instanceType": "m5.large", "region": "eu-west-1", "rootBlockDevice": {"volumeSize": 50}},
    ),
    ("aws:rds/instance:Instance", {"instanceClass": "db.t3.large", "engine": "postgres", "allocatedStorage": 100}),
    ("aws:s3/bucket:Bucket", {"tags": {"cost-centre": "cc-1"}}),
    (
        "azure-native:compute:VirtualMachine",
        {"hardwareProfile": {"vmSize": "Standard_D2_v3"}, "location": "westeurope"},
    ),
    (
        "gcp:container/nodePool:NodePool",
        {"nodeConfig": {"machineType": "e2-medium"}, "autoscaling": {"maxNodeCount": 5}},
    ),
    (
        "databricks:index/cluster:Cluster",
        {"nodeTypeId": "m5.xlarge", "numWorkers": 2, "awsAttributes": {"zoneId": "auto"}},
    ),
    ("aws:iam/role:Role", {}),
    ("aws:ec2/natGateway:NatGateway", {}),
)


def main() -> None:
    """Print seconds by size, and the growth."""
    sizes = [int(argument) for argument in sys.argv[1:]] or SIZES
    print(f"{'resources':>10}{'seconds':>10}{'ms each':>10}{'growth':>8}")
    first = None
    for size in sizes:
        plan = Plan("bench", "prod", "preview", offline=True, resources=tuple(_resource(i) for i in range(size)))
        seconds = statistics.median(_timed(plan) for _ in range(RUNS))
        each = seconds / size
        first = first or each
        print(f"{size:>10,}{seconds:>10.3f}{each * 1000:>10.3f}{each / first:>8.2f}")


def _timed(plan: Plan) -> float:
    started = time.process_time()
    report = price(plan, Catalogue())
    seconds = time.process_time() - started
    if not report.monthly_usd.expected:
        raise SystemExit("nothing was priced")
    return seconds


def _resource(index: int) -> Resource:
    token, inputs = KINDS[index % len(KINDS)]
    name = f"r{index}"
    return Resource(urn=f"urn:pulumi:prod::bench::{token}::{name}", type=token, name=name, inputs=inputs)


if __name__ == "__main__":
    main()
