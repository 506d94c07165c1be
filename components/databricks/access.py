"""How a workspace reaches its lake, and what its pools ask of the cloud: the facade that picks the cloud."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import pulumi
import pulumi_databricks as databricks

from components.databricks.args import DatabricksArgs
from components.lake import Lake


@dataclass(frozen=True, slots=True)
class Machines:
    """What a pool asks of its cloud; one of the three is set.

    Attributes:
        aws: Of EC2.
        azure: Of Azure.
        gcp: Of Compute Engine.
    """

    aws: databricks.InstancePoolAwsAttributesArgs | None = None
    azure: databricks.InstancePoolAzureAttributesArgs | None = None
    gcp: databricks.InstancePoolGcpAttributesArgs | None = None


class Access(pulumi.ComponentResource):
    """A storage credential, and the identity behind it with no more rights than each layer needs.

    Attributes:
        credential: Name of the storage credential. It works once the whole component is there: depend on that.
        identities: Cluster attributes by which this cloud would give a cluster an identity of its own.
    """

    identities: ClassVar[tuple[str, ...]] = ()
    credential: pulumi.Output[str]

    def __init__(self, name: str, opts: pulumi.ResourceOptions) -> None:
        super().__init__(f"levee:databricks:{type(self).__name__}", name, None, opts)

    @abstractmethod
    def machines(self, *, spot: bool) -> Machines:
        """What a pool asks of this cloud."""

    def finish(self, credential: pulumi.Output[str]) -> None:
        """Keep and register the output; the last thing a cloud's constructor does."""
        self.credential = credential
        self.register_outputs({"credential": credential})


def given(value: str | None, what: str) -> str:
    """What Databricks gave an identity, which must never be written into a policy while it is empty.

    Raises:
        ValueError: It gave none.
    """
    if not value and not pulumi.runtime.is_dry_run():
        raise ValueError(f"Databricks gave the storage credential no {what}: run the update again")
    return value or ""


def create(name: str, args: DatabricksArgs, lake: Lake, opts: pulumi.ResourceOptions) -> Access:
    """Give the workspace access to the lake, on the lake's cloud.

    Raises:
        ValueError: The lake is on a cloud that Databricks does not run on.
    """
    # Imported here: each cloud's SDK costs half a second.
    match lake.cloud:
        case "aws":
            from components.databricks.aws import AwsAccess

            return AwsAccess(name, args, lake, opts)
        case "azure":
            from components.databricks.azure import AzureAccess

            return AzureAccess(name, args, lake, opts)
        case "gcp":
            from components.databricks.gcp import GcpAccess

            return GcpAccess(name, args, lake, opts)
        case _:
            raise ValueError(f"no Databricks on {lake.cloud!r}: put the lake on aws, azure or gcp")
