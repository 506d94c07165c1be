"""Databricks: compute, catalogue and jobs, in each workspace of the environment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING

import pulumi

from components.lake import Lake
from levee.cost import node_hour
from levee.environment import CloudName, Environment, Workspace, run_budget
from levee.environment import Schedule as Times
from stacks import domains as data
from stacks import lakes
from stacks.domains import Chosen
from stacks.providers import Providers

if TYPE_CHECKING:
    from components.databricks import Databricks, Schedule

_WHEEL = "levee-pipelines"


def create(
    environment: Environment, domains: Iterable[Chosen], stores: Mapping[str, Lake], clouds: Providers
) -> dict[str, Databricks]:
    """What is in the workspaces, by cloud."""
    every = tuple(domains)
    return {
        cloud: _create(environment, cloud, workspace, data.on(cloud, every), lake=stores[cloud], provider=clouds[cloud])
        for cloud, workspace in environment.databricks.items()
    }


def _create(
    environment: Environment,
    cloud: CloudName,
    workspace: Workspace,
    domains: tuple[Chosen, ...],
    *,
    lake: Lake,
    provider: pulumi.ProviderResource,
) -> Databricks:
    # Imported here: this SDK costs four seconds, and an environment without a workspace does not need it.
    import pulumi_databricks

    from components.databricks import Databricks, DatabricksArgs, DomainArgs, Size

    name = f"databricks-{cloud}"
    here = pulumi_databricks.Provider(name, host=workspace.host)
    args = DatabricksArgs(
        company=environment.company,
        environment=environment.name,
        size=Size(
            node_type=workspace.node_type,
            spark_version=workspace.spark_version,
            min_workers=workspace.min_workers,
            max_workers=workspace.max_workers,
            idle_instances=workspace.idle_instances,
            idle_minutes=workspace.idle_minutes,
            spot=workspace.spot,
        ),
        tags=lakes.tags(environment),
        admins=workspace.admins,
        notify=environment.owners.email,
        wheel_version=environment.release or version(_WHEEL),
        domains=tuple(
            DomainArgs(
                chosen.domain,
                chosen.sources,
                _schedule(chosen.settings.schedule),
                _rate(environment, cloud, f"{name}-{chosen.domain.name}"),
            )
            for chosen in domains
        ),
        budget=run_budget(environment),
        run_as=workspace.run_as,
        protect=environment.protection.stateful,
        force_destroy=environment.protection.force_destroy,
    )
    opts = pulumi.ResourceOptions(providers=[provider, here])
    return Databricks(name, args, lake, opts)


def _rate(environment: Environment, cloud: CloudName, job: str) -> dict[str, str] | None:
    hour = node_hour(environment, cloud, job)
    return {"usd_per_hour": str(hour.usd), "source": hour.source} if hour else None


def _schedule(times: Times | None) -> Schedule | None:
    from components.databricks import Schedule

    return Schedule(times.cron, times.timezone, times.paused) if times else None
