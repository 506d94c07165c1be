"""What runs on the lake: job clusters, Unity Catalog and one job a domain, in a Databricks workspace on any cloud.

Jobs are made from contracts, task for task. Clusters come from the pool and by the policy only, run one pinned runtime
as one service principal, and get the pseudonymisation key by reference. The catalogue belongs to the one workspace;
each layer of a domain is a schema, and who may read it stands in the contracts' roles.

Example::

    import pulumi
    from components import lake
    from components.databricks import Databricks, DatabricksArgs, DomainArgs, Schedule, Size
    from components.tags import Tags
    from pipelines.contracts import load_domain
    from pulumi_aws import Provider
    from pulumi_databricks import Provider as Workspace

    clouds = pulumi.ResourceOptions(
        providers=[
            Provider("aws-eu-west-1", region="eu-west-1", allowed_account_ids=["222222222222"]),
            Workspace("workspace", host="https://dbc-00000000.cloud.databricks.com"),
        ]
    )
    tags = Tags(owner="data", cost_centre="cc-1", environment="dev", classification="restricted")
    target = lake.Aws(account="222222222222", region="eu-west-1")
    store = lake.create("lake", lake.LakeArgs("acme", "dev", target, tags, protect=False), clouds)
    args = DatabricksArgs(
        company="acme",
        environment="dev",
        size=Size(node_type="m6gd.large", max_workers=4, spot=True),
        tags=tags,
        admins="data-engineers",
        notify="data@acme.example",
        wheel_version="0.1.0",
        domains=(DomainArgs(load_domain("sales"), ("online_retail",), Schedule("0 0 5 * * ?")),),
        protect=False,
    )
    platform = Databricks("databricks", args, store, clouds)
    pulumi.export("jobs", platform.jobs)
"""

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
                f"{name}-{item.domain.name}", args, item, compute=compute, unity=unity, opts=child
            )
            for item in args.domains
        }
        self.catalog = unity.catalog
        self.jobs = {domain: job.id for domain, job in jobs.items()}
        self.register_outputs({"catalog": self.catalog, "jobs": self.jobs})
