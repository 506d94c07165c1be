"""One deployment target: ``environments/Pulumi.<name>.yaml``, refused with file and line where it is wrong."""

from levee.environment.load import describes, names, path_of
from levee.environment.model import (
    AwsTarget,
    AzureTarget,
    Budget,
    Budgets,
    Clouds,
    Domain,
    Environment,
    Exemption,
    GcpTarget,
    Network,
    Owners,
    PolicySettings,
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
    "Workspace",
    "describes",
    "names",
    "path_of",
]
