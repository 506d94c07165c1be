"""What runs on the lake: job clusters, Unity Catalog and one job a domain, in a Databricks workspace on any cloud."""

from __future__ import annotations

import pulumi

from components.databricks import access as reach
from components.databricks.args import DatabricksArgs, DomainArgs, Schedule, Size
from components.databricks.compute import Compute
from components.databricks.job import DomainJob
from components.databricks.unity import UnityCatalog
from components.lake import Lake

__all__ = ["Databricks", "DatabricksArgs", "DomainArgs", "Schedule", "Size"]


class Databricks(pulumi.ComponentResource):
    """Compute, catalogue and jobs in the workspace of the lake's cloud: the facade.

    Pass the explicit providers of the workspace and of the cloud as ``opts.providers``.

    Attributes:
        catalog: Name of the catalogue.
        jobs: Job id by domain.
    """

    def __init__(self, name: str, args: DatabricksArgs, lake: Lake, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("levee:databricks:Databricks", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        access = reach.create(f"{name}-access", args, lake, child)
        compute = Compute(f"{name}-compute", args, access, child)
        unity = UnityCatalog(f"{name}-unity", args, lake, access, child)
        jobs = {
            item.domain.name: DomainJob(
                f"{name}-{item.domain.name}", args, item, compute=compute, unity=unity, lake=lake, opts=child
            )
            for item in args.domains
        }
        self.catalog = unity.catalog
        self.jobs = {domain: job.id for domain, job in jobs.items()}
        self.register_outputs({"catalog": self.catalog, "jobs": self.jobs})
