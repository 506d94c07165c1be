"""The platform of one environment: reads the environment, makes the providers, composes the capabilities.

Runs under plain ``pulumi up -s dev`` as under ``levee up dev``; it knows nothing of either.
"""

from __future__ import annotations

import pulumi

from levee.environment import Environment
from stacks import domains, lakes, providers, workspaces


def main() -> None:
    """Compose the stack."""
    config = pulumi.Config("levee")
    environment = Environment.from_config(pulumi.get_stack(), config.require_object("environment"))
    chosen = domains.load(environment, config.get_object("sources"))
    clouds = providers.create(environment)
    stores = lakes.create(environment, chosen, clouds)
    platforms = workspaces.create(environment, chosen, stores, clouds)

    pulumi.export(
        "lakes", {cloud: {layer.value: url for layer, url in lake.urls.items()} for cloud, lake in stores.items()}
    )
    pulumi.export("catalogs", {cloud: platform.catalog for cloud, platform in platforms.items()})
    pulumi.export("jobs", {domain: job for platform in platforms.values() for domain, job in platform.jobs.items()})
    for cloud, command in lakes.lock_commands(stores).items():
        pulumi.export(f"lock-audit-{cloud}", command)


main()
