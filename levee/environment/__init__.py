"""One deployment target: ``environments/Pulumi.<name>.yaml``, refused with file and line where it is wrong."""

from levee.environment.governance import Budget, Budgets, Exemption, PolicySettings, Usage, UsageRange
from levee.environment.load import describes, names, path_of
from levee.environment.model import (
    AwsTarget,
    AzureTarget,
    CloudName,
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
from levee.environment.run_budget import run_budget

__all__ = [
    "AwsTarget",
    "AzureTarget",
    "Budget",
    "Budgets",
    "CloudName",
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
    "run_budget",
]
