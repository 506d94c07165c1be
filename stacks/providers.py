"""One explicit provider a cloud, each held to its own account: no resource ever lands in an ambient one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import pulumi

from levee.environment import AwsTarget, AzureTarget, Environment, GcpTarget

Providers: TypeAlias = Mapping[str, pulumi.ProviderResource]


def create(environment: Environment) -> Providers:
    """The providers by cloud."""
    clouds, found = environment.clouds, {}
    if clouds.aws:
        found["aws"] = _aws(clouds.aws)
    if clouds.azure:
        found["azure"] = _azure(clouds.azure)
    if clouds.gcp:
        found["gcp"] = _gcp(clouds.gcp)
    return found


def _aws(target: AwsTarget) -> pulumi.ProviderResource:
    import pulumi_aws as aws

    roles = [aws.ProviderAssumeRoleArgs(role_arn=target.deploy_role, session_name="levee")]
    return aws.Provider(
        f"aws-{target.region}",
        region=target.region,
        allowed_account_ids=[target.account],
        assume_roles=roles if target.deploy_role else None,
    )


def _azure(target: AzureTarget) -> pulumi.ProviderResource:
    import pulumi_azure_native as azure

    return azure.Provider(
        f"azure-{target.region}",
        subscription_id=target.subscription,
        tenant_id=target.tenant,
        location=target.region,
    )


def _gcp(target: GcpTarget) -> pulumi.ProviderResource:
    import pulumi_gcp as gcp

    return gcp.Provider(
        f"gcp-{target.region}", project=target.project, region=target.region, user_project_override=True
    )
