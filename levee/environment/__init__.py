"""One deployment target: ``environments/Pulumi.<name>.yaml``, refused with file and line where it is wrong."""

from levee.environment.governance import Budget, Budgets, Exemption, PolicySettings, Usage, UsageRange
from levee.environment.load import describes, names, path_of
from levee.environment.model import (
    AwsTarget,
    AzureTarget,
    Clouds,
    Domain,
    Environment,
    GcpTarget,
    Network,
    Owners,
    Protection,
    Retention,
    Schedule,
    Workspace,
)

__all__ = [
    "AwsTarget",
    "AzureTarget",
    "Budget",
    "Budgets",
    "Clouds",
    "Domain",
    "Environment",
    "Exemption",
    "GcpTarget",
    "Network",
    "Owners",
    "PolicySettings",
    "Protection",
    "Retention",
    "Schedule",
    "Usage",
    "UsageRange",
    "Workspace",
    "describes",
    "names",
    "path_of",
]
