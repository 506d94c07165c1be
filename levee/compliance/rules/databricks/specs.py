"""Where compute is specified: in a cluster, in a job's clusters, in a pipeline's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from levee.compliance.rule import Finding
from levee.compliance.rules.checks import Check, by_type, document, each, either, every, present, reads
from levee.compliance.rules.relations import referred
from levee.compliance.rules.scope import Scope

CLUSTER: Final = "databricks:index/cluster:Cluster"
JOB: Final = "databricks:index/job:Job"
PIPELINE: Final = "databricks:index/pipeline:Pipeline"
POOL: Final = "databricks:index/instancePool:InstancePool"
WAREHOUSE: Final = "databricks:index/sqlEndpoint:SqlEndpoint"

POLICY: Final = "databricks:index/clusterPolicy:ClusterPolicy"

Definition = Mapping[str, Any]
"""A cluster policy's document: attribute path to its limits."""

COMPUTE: Final = (CLUSTER, JOB, PIPELINE)
"""Types that specify clusters; a job or pipeline on serverless compute specifies none."""

_OF_JOB: Final = (
    "newCluster",
    "jobClusters[*].newCluster",
    "tasks[*].newCluster",
    "tasks[*].forEachTask.task.newCluster",
)
DOCS: Final = "https://docs.databricks.com/aws/en/"
"""Databricks' documentation; Azure's and Google Cloud's have the same pages."""


def limits_of(definition: Definition, attribute: str) -> Mapping[str, Any]:
    """What a cluster policy says of an attribute; empty where it says nothing."""
    found = definition.get(attribute)
    return found if isinstance(found, Mapping) else {}


def allowed_by(limits: Mapping[str, Any]) -> list[Any] | None:
    """The values that an attribute may have; ``None`` where the policy leaves it open."""
    if limits.get("type") == "fixed":
        return [limits.get("value")]
    values = limits.get("values")
    return values if limits.get("type") == "allowlist" and isinstance(values, list) else None


def or_by_policy(check: Check, attribute: str, *wanted: Any) -> Check:
    """The check; or the cluster's policy fixes the attribute at a value wanted, which holds for a silent cluster.

    Args:
        check: What the cluster itself must say.
        attribute: The attribute's path in a cluster policy.
        wanted: The values that will do.
    """

    @reads("definition")
    def fixed(scope: Scope) -> Iterator[Finding]:
        found = scope.one("definition")
        definition = None if found.empty else document(found.value, found.path)
        limits = limits_of(definition, attribute) if isinstance(definition, Mapping) else {}
        if limits.get("type") != "fixed" or limits.get("value") not in wanted:
            yield Finding(f"its policy does not fix {attribute}", property=found.path)

    return either(check, every(present("policyId"), referred("policyId", POLICY, check=fixed)))


def of_job(check: Check) -> Check:
    """The check, for every cluster that a job specifies."""
    return every(*(each(path, check) for path in _OF_JOB))


def every_cluster(check: Check) -> Check:
    """The check, for every cluster that a resource of ``COMPUTE`` specifies."""
    return by_type({CLUSTER: check, JOB: of_job(check), PIPELINE: each("clusters[*]", check)})


def every_spark_cluster(check: Check) -> Check:
    """The same, for what a pipeline decides itself and never says: types ``CLUSTER`` and ``JOB`` only."""
    return by_type({CLUSTER: check, JOB: of_job(check)})
