"""What the Databricks component is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from components.databricks.use import Use, use_of
from components.tags import Tags
from pipelines.contracts import Domain, Layer


@dataclass(frozen=True, slots=True)
class Size:
    """How large the job clusters are.

    Attributes:
        node_type: Node type of the pool.
        spark_version: Databricks runtime, pinned.
        min_workers: Fewest workers of a cluster.
        max_workers: Most workers of a cluster.
        idle_instances: Machines that the pool keeps warm.
        idle_minutes: Minutes after which an idle machine is given back.
        spot: Whether the pool's machines may be spot instances.
    """

    node_type: str
    spark_version: str = "17.3.x-scala2.13"
    min_workers: int = 1
    max_workers: int = 2
    idle_instances: int = 0
    idle_minutes: int = 15
    spot: bool = False


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a job runs.

    Attributes:
        cron: Quartz expression, seconds first.
        timezone: IANA time zone.
        paused: Whether it is kept but not obeyed.
    """

    cron: str
    timezone: str = "UTC"
    paused: bool = False


Told: TypeAlias = Mapping[str, str | float]
"""One of the JSON objects that ``pipelines.budget.terms`` reads."""


@dataclass(frozen=True, slots=True)
class DomainArgs:
    """A domain that the workspace runs.

    Attributes:
        domain: Its contracts.
        sources: Source datasets to ingest; all of the domain's where ``None``.
        schedule: When its job runs; ``None`` for on demand only.
        rate: What an hour of one of its nodes costs (``usd_per_hour``, ``source``); ``None`` where nobody has a price.
    """

    domain: Domain
    sources: tuple[str, ...] | None = None
    schedule: Schedule | None = None
    rate: Told | None = None


@dataclass(frozen=True, slots=True)
class DatabricksArgs:
    """What is made in a workspace.

    Attributes:
        company: Short name of the company.
        environment: Name of the environment.
        size: Size of the job clusters.
        tags: Tags of everything in it.
        admins: Account group that manages what is made.
        notify: Address that failures are sent to.
        wheel_version: Version of the wheel that the jobs install.
        domains: Domains that run here.
        budget: What the runs may spend in a month (``cost_centre``, ``monthly_usd``, ...); ``None`` for no limit.
        run_as: Application id of the service principal that jobs run as; ``None`` for the deployer.
        protect: Whether catalogue, credential and secrets are protected from deletion.
        force_destroy: Whether catalogue and locations may be deleted with what they hold.
    """

    company: str
    environment: str
    size: Size
    tags: Tags
    admins: str
    notify: str
    wheel_version: str
    domains: tuple[DomainArgs, ...] = field(default=())
    budget: Told | None = None
    run_as: str | None = None
    protect: bool = True
    force_destroy: bool = False

    def use_of(self, layer: Layer) -> Use:
        """What the jobs do in the store of a layer."""
        return use_of(layer, (item.domain for item in self.domains))
