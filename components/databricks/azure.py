"""How Databricks on Azure reaches the lake: an access connector whose identity has roles on the containers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pulumi
import pulumi_databricks as databricks
from pulumi_azure_native import authorization
from pulumi_azure_native import databricks as azure_databricks

from components import names
from components.databricks.access import Access, Machines, given
from components.databricks.args import DatabricksArgs
from components.databricks.use import Use
from components.lake import Lake
from components.lake.azure import AzureLake
from pipelines.contracts import Layer

_READER: Final = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
_CONTRIBUTOR: Final = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
_DELEGATOR: Final = "db58b8e5-c6ad-4a2a-8342-4190687cbf4a"
"""Storage Blob Data Reader, Data Contributor and Delegator (Azure built-in roles)."""


class AzureAccess(Access):
    """The access connector, its roles, and the storage credential over it."""

    def __init__(self, name: str, args: DatabricksArgs, lake: Lake, opts: pulumi.ResourceOptions) -> None:
        super().__init__(name, opts)
        assert isinstance(lake, AzureLake)
        connector = azure_databricks.AccessConnector(
            name,
            connector_name=names.plain(args.company, args.environment, "unity-catalog"),
            resource_group_name=lake.resource_group,
            location=lake.target.region,
            identity=azure_databricks.ManagedServiceIdentityArgs(
                type=azure_databricks.ManagedServiceIdentityType.SYSTEM_ASSIGNED
            ),
            tags=args.tags.azure(),
            opts=pulumi.ResourceOptions(parent=self),
        )
        principal = connector.identity.apply(
            lambda identity: given(identity.principal_id if identity else None, "managed identity")
        )
        subscription = lake.target.subscription
        roles = [
            authorization.RoleAssignment(
                f"{name}-{title}",
                role_assignment_name=names.guid(subscription, args.company, args.environment, name, title),
                scope=scope,
                role_definition_id=(
                    f"/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{role}"
                ),
                principal_id=principal,
                principal_type=authorization.PrincipalType.SERVICE_PRINCIPAL,
                opts=pulumi.ResourceOptions(parent=self),
            )
            for title, role, scope in _assignments(lake, args.use_of)
        ]
        credential = databricks.StorageCredential(
            name,
            name=names.identifier(args.company, args.environment, "lake"),
            azure_managed_identity=databricks.StorageCredentialAzureManagedIdentityArgs(
                access_connector_id=connector.id
            ),
            comment=f"The lake of {args.environment}",
            isolation_mode="ISOLATION_MODE_ISOLATED",
            force_destroy=args.force_destroy,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect, depends_on=roles),
        )
        self.finish(credential.name)

    def machines(self, *, spot: bool) -> Machines:
        """What a pool asks of Azure; a spot machine is never let go for its price alone."""
        attributes = databricks.InstancePoolAzureAttributesArgs(
            availability="SPOT_AZURE" if spot else "ON_DEMAND_AZURE", spot_bid_max_price=-1 if spot else None
        )
        return Machines(azure=attributes)


def _assignments(lake: AzureLake, use: Callable[[Layer], Use]) -> list[tuple[str, str, pulumi.Output[str]]]:
    """Title, role and scope: each container to read or write; on each account, to sign what Unity Catalog vends."""
    containers = [
        (
            layer.value,
            _READER if use(layer) is Use.READ else _CONTRIBUTOR,
            pulumi.Output.format("{0}/blobServices/default/containers/{1}", lake.accounts[layer], layer.value),
        )
        for layer in Layer
    ]
    accounts = [
        (f"{purpose}-account", _DELEGATOR, lake.accounts[layer])
        for purpose, layer in (("data", Layer.LANDING), ("audit", Layer.AUDIT))
    ]
    return [*containers, *accounts]
