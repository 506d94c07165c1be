"""Databricks: compute, catalogue and jobs, in each workspace of the environment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING

import pulumi

from components.lake import Lake
from levee.environment import Environment, Workspace
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
    cloud: str,
    workspace: Workspace,
    domains: tuple[Chosen, ...],
    *,
    lake: Lake,
    provider: pulumi.ProviderResource,
) -> Databricks:
    # Imported here: this SDK costs four seconds, and an environment without a workspace does not need it.
    import pulumi_databricks

    from components.databricks import Databricks, DatabricksArgs, DomainArgs, Size

    here = pulumi_databricks.Provider(f"databricks-{cloud}", host=workspace.host)
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
            DomainArgs(chosen.domain, chosen.sources, _schedule(chosen.settings.schedule)) for chosen in domains
        ),
        run_as=workspace.run_as,
        protect=environment.protection.stateful,
        force_destroy=environment.protection.force_destroy,
    )
    opts = pulumi.ResourceOptions(providers=[provider, here])
    return Databricks(f"databricks-{cloud}", args, lake, opts)


def _schedule(times: Times | None) -> Schedule | None:
    from components.databricks import Schedule

    return Schedule(times.cron, times.timezone, times.paused) if times else None
