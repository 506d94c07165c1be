"""The lake: one on each cloud of the environment."""

from __future__ import annotations

from collections.abc import Iterable

import pulumi

from components.lake import Ageing, Aws, Azure, Dataset, Gcp, Lake, LakeArgs, Target
from components.lake import create as create_lake
from components.tags import Tags
from levee.environment import Environment
from pipelines.contracts import Layer
from stacks import domains as data
from stacks.domains import Chosen
from stacks.providers import Providers


def create(environment: Environment, domains: Iterable[Chosen], providers: Providers) -> dict[str, Lake]:
    """The lakes by cloud."""
    every = tuple(domains)
    return {
        cloud: create_lake(
            f"lake-{cloud}",
            _args(environment, target, data.on(cloud, every)),
            pulumi.ResourceOptions(providers=[providers[cloud]]),
        )
        for cloud, target in _targets(environment).items()
    }


def tags(environment: Environment) -> Tags:
    """The tags of the environment."""
    return Tags(
        owner=environment.owners.team,
        cost_centre=environment.owners.cost_centre,
        environment=environment.name,
        classification=environment.classification,
        expires_on=environment.expires_on.isoformat() if environment.expires_on else None,
    )


def lock_commands(lakes: dict[str, Lake]) -> dict[str, pulumi.Output[str]]:
    """What remains to be typed, by cloud, where a provider cannot lock the audit store itself."""
    found = {cloud: lake.lock_command for cloud, lake in lakes.items()}
    return {cloud: command for cloud, command in found.items() if command is not None}


def _args(environment: Environment, target: Target, domains: tuple[Chosen, ...]) -> LakeArgs:
    protection = environment.protection
    return LakeArgs(
        company=environment.company,
        environment=environment.name,
        target=target,
        tags=tags(environment),
        classes=data.classes(domains, environment.classification),
        datasets=tuple(
            Dataset(chosen.domain.name, contract.dataset, contract.retention(Layer.LANDING))
            for chosen in domains
            for contract in chosen.domain.sources
        ),
        ageing=_ageing(environment, domains),
        protect=protection.stateful,
        lock=protection.retention_lock,
        force_destroy=protection.force_destroy,
    )


def _ageing(environment: Environment, domains: tuple[Chosen, ...]) -> Ageing:
    """The environment's ages; a lock that is meant lasts as long as the longest contract asks."""
    retention = environment.retention
    asked = [contract.retention(Layer.AUDIT) or 0 for chosen in domains for contract in chosen.domain.sources]
    audit = max([retention.audit_days, *asked]) if environment.protection.retention_lock else retention.audit_days
    return Ageing(
        cool_after_days=retention.cool_after_days,
        cold_after_days=retention.cold_after_days,
        noncurrent_days=retention.noncurrent_days,
        audit_days=audit,
        log_days=retention.log_days,
    )


def _targets(environment: Environment) -> dict[str, Target]:
    clouds, careful = environment.clouds, environment.protection.stateful
    targets: dict[str, Target] = {}
    if clouds.aws:
        targets["aws"] = Aws(clouds.aws.account, clouds.aws.region)
    if clouds.azure:
        targets["azure"] = Azure(
            clouds.azure.subscription,
            clouds.azure.tenant,
            clouds.azure.region,
            zone_redundant=careful,
            allowed_cidrs=environment.network.allowed_cidrs,
            subnets=clouds.azure.subnets,
        )
    if clouds.gcp:
        targets["gcp"] = Gcp(clouds.gcp.project, clouds.gcp.region, hsm=careful)
    return targets
