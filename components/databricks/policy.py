"""The cluster policy of a workspace, as data: what a job cluster must be, and what it may not have.

Source: Databricks documentation, "Compute policy reference" (attribute paths, `fixed`, `range`, `forbidden`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from components.tags import CLASSES, CLASSIFICATION

_FORBIDDEN: Final = (
    # Code that nobody reviewed.
    "docker_image.url",
    "init_scripts.*.abfss.destination",
    "init_scripts.*.dbfs.destination",
    "init_scripts.*.gcs.destination",
    "init_scripts.*.s3.destination",
    "init_scripts.*.volumes.destination",
    "init_scripts.*.workspace.destination",
    "ssh_public_keys.*",
    # Machines come from the pool alone, whose permissions say who may attach.
    "driver_node_type_id",
    "node_type_id",
)


def definition(
    *,
    spark_version: str,
    max_workers: int,
    tags: Mapping[str, str],
    environment: Mapping[str, str],
    identities: Sequence[str] = (),
) -> dict[str, Any]:
    """The policy's JSON document.

    Args:
        spark_version: The one runtime allowed.
        max_workers: Most workers of a cluster.
        tags: Custom tags that every cluster bears; the data class is each job's own.
        environment: Environment variables that every cluster has; secrets by reference only.
        identities: Attributes by which the cloud would give a cluster an identity beside Unity Catalog's; forbidden.
    """
    return {
        "cluster_type": _fixed("job"),
        "spark_version": _fixed(spark_version),
        "data_security_mode": _fixed("SINGLE_USER"),
        "runtime_engine": _fixed("STANDARD"),
        "enable_local_disk_encryption": _fixed(True),
        "autoscale.min_workers": {"type": "range", "minValue": 1, "maxValue": max_workers},
        "autoscale.max_workers": {"type": "range", "minValue": 1, "maxValue": max_workers},
        **{f"custom_tags.{key}": _fixed(value) for key, value in tags.items()},
        f"custom_tags.{CLASSIFICATION}": {"type": "allowlist", "values": list(CLASSES)},
        **{f"spark_env_vars.{key}": _fixed(value) for key, value in environment.items()},
        **{path: {"type": "forbidden"} for path in (*_FORBIDDEN, *identities)},
    }


def _fixed(value: str | bool) -> dict[str, Any]:
    return {"type": "fixed", "value": value}
