"""Where compute is specified: in a cluster, in a job's clusters, in a pipeline's."""

from __future__ import annotations

from typing import Final

from levee.compliance.rules.checks import Check, by_type, each, every

CLUSTER: Final = "databricks:index/cluster:Cluster"
JOB: Final = "databricks:index/job:Job"
PIPELINE: Final = "databricks:index/pipeline:Pipeline"
POOL: Final = "databricks:index/instancePool:InstancePool"
WAREHOUSE: Final = "databricks:index/sqlEndpoint:SqlEndpoint"

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


def of_job(check: Check) -> Check:
    """The check, for every cluster that a job specifies."""
    return every(*(each(path, check) for path in _OF_JOB))


def every_cluster(check: Check) -> Check:
    """The check, for every cluster that a resource of ``COMPUTE`` specifies."""
    return by_type({CLUSTER: check, JOB: of_job(check), PIPELINE: each("clusters[*]", check)})


def every_spark_cluster(check: Check) -> Check:
    """The same, for what a pipeline decides itself and never says: types ``CLUSTER`` and ``JOB`` only."""
    return by_type({CLUSTER: check, JOB: of_job(check)})
