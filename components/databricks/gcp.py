"""How Databricks on Google Cloud reaches the lake: a service account of Databricks' own with roles on the buckets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

import pulumi
import pulumi_databricks as databricks
import pulumi_gcp as gcp

from components import names
from components.databricks.access import Access, Machines, given
from components.databricks.args import DatabricksArgs
from components.databricks.use import Use
from components.lake import Lake
from components.lake.gcp import GcpLake

_BUCKET: Final = "roles/storage.legacyBucketReader"
_VIEW: Final = "roles/storage.objectViewer"
_ROLES: Final[Mapping[Use, tuple[str, ...]]] = {
    Use.READ: (_BUCKET, _VIEW),
    Use.APPEND: (_BUCKET, _VIEW, "roles/storage.objectCreator"),
    Use.WRITE: (_BUCKET, "roles/storage.objectUser"),
}


class GcpAccess(Access):
    """The storage credential, whose service account Databricks makes, and that account's roles."""

    identities: ClassVar[tuple[str, ...]] = ("gcp_attributes.google_service_account",)

    def __init__(self, name: str, args: DatabricksArgs, lake: Lake, opts: pulumi.ResourceOptions) -> None:
        super().__init__(name, opts)
        assert isinstance(lake, GcpLake)
        credential = databricks.StorageCredential(
            name,
            name=names.identifier(args.company, args.environment, "lake"),
            databricks_gcp_service_account=databricks.StorageCredentialDatabricksGcpServiceAccountArgs(),
            comment=f"The lake of {args.environment}",
            isolation_mode="ISOLATION_MODE_ISOLATED",
            force_destroy=args.force_destroy,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        member = credential.databricks_gcp_service_account.apply(
            lambda account: f"serviceAccount:{given(account.email if account else None, 'service account')}"
        )
        for layer, bucket in lake.buckets.items():
            for role in _ROLES[args.use_of(layer)]:
                gcp.storage.BucketIAMMember(
                    f"{name}-{layer.value}-{role.rsplit('.', 1)[-1]}",
                    bucket=bucket,
                    role=role,
                    member=member,
                    opts=pulumi.ResourceOptions(parent=self),
                )
        self.finish(credential.name)

    def machines(self, *, spot: bool) -> Machines:
        """What a pool asks of Compute Engine."""
        attributes = databricks.InstancePoolGcpAttributesArgs(
            gcp_availability="PREEMPTIBLE_GCP" if spot else "ON_DEMAND_GCP", zone_id="AUTO"
        )
        return Machines(gcp=attributes)
