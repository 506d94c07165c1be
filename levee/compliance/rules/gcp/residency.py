"""Where data may lie on Google Cloud: the environment's regions."""

from __future__ import annotations

from typing import Final

from levee.compliance.rule import Severity
from levee.compliance.rules import controls as c
from levee.compliance.rules.build import rule
from levee.compliance.rules.checks import by_type
from levee.compliance.rules.gcp.common import DOCS
from levee.compliance.rules.regions import in_allowed_region

_LOCATED: Final = tuple(
    f"gcp:{store}"
    for store in (
        "alloydb/cluster:Cluster",
        "artifactregistry/repository:Repository",
        "cloudfunctionsv2/function:Function",
        "cloudrunv2/job:Job",
        "cloudrunv2/service:Service",
        "container/cluster:Cluster",
        "kms/keyRing:KeyRing",
        "workbench/instance:Instance",
    )
)
_REGIONAL: Final = tuple(
    f"gcp:{store}"
    for store in (
        "composer/environment:Environment",
        "dataflow/job:Job",
        "dataproc/cluster:Cluster",
        "redis/instance:Instance",
        "sql/databaseInstance:DatabaseInstance",
    )
)
_ZONAL: Final = ("gcp:compute/disk:Disk", "gcp:compute/instance:Instance")
_BUCKET: Final = "gcp:storage/bucket:Bucket"
_DATASET: Final = "gcp:bigquery/dataset:Dataset"
_FIRESTORE: Final = "gcp:firestore/database:Database"
_TOPIC: Final = "gcp:pubsub/topic:Topic"
_SECRET: Final = "gcp:secretmanager/secret:Secret"

_PLACES: Final = {
    **dict.fromkeys(_LOCATED, in_allowed_region("location", provider="region")),
    **dict.fromkeys(_REGIONAL, in_allowed_region("region", provider="region")),
    **dict.fromkeys(_ZONAL, in_allowed_region("zone", provider="zone")),
    _BUCKET: in_allowed_region("location", "customPlacementConfig.dataLocations[*]", provider=""),
    _DATASET: in_allowed_region("location", provider="", default="US"),
    _FIRESTORE: in_allowed_region("locationId", provider=""),
}
"""By type, where it says in which region it lies."""

RULES: Final = (
    rule(
        "gcp-region-allowed",
        "Whatever holds data lies in a region of the environment",
        tuple(_PLACES),
        by_type(_PLACES),
        severity=Severity.HIGH,
        mend="Set `location`, `region` or `zone` to one of the environment, or allow it by the parameter `regions`.",
        url=f"{DOCS}resource-manager/docs/organization-policy/defining-locations",
        controls=c.RESIDENCY,
    ),
    rule(
        "gcp-copies-in-region",
        "Messages and secrets are kept in regions of the environment only",
        (_TOPIC, _SECRET),
        by_type(
            {
                _TOPIC: in_allowed_region(
                    "messageStoragePolicy.allowedPersistenceRegions[*]", provider="", default="global"
                ),
                _SECRET: in_allowed_region(
                    "replication.userManaged.replicas[*].location", provider="", default="global"
                ),
            }
        ),
        severity=Severity.MEDIUM,
        mend="Name the regions in `message_storage_policy`, of a secret in `replication` under `user_managed`.",
        url=f"{DOCS}secret-manager/docs/choosing-replication",
        controls=c.RESIDENCY,
    ),
)
