"""One connection from the engine: the provider it belongs to, with its account and region.

Create and Invoke do not say which provider they are for; only the connection differs, and it was configured first.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from levee.engine.standin.journal import Journal
from levee.engine.standin.values import Values, plain

AWS_ACCOUNT: Final = "123456789012"
"""The account of AWS's own documentation examples."""
AZURE_SUBSCRIPTION: Final = "8d3c4f1e-2b6a-4c57-9e0d-5a7b1c2d3e4f"
AZURE_TENANT: Final = "5f1d2c3b-4a59-4687-9b8c-7d6e5f4a3b2c"
AZURE_CLIENT: Final = "0b9a8c7d-6e5f-4d3c-8b2a-1f0e9d8c7b6a"
AZURE_OBJECT: Final = "a1b2c3d4-e5f6-4789-8abc-def012345678"
GCP_PROJECT: Final = "levee-offline"
GCP_PROJECT_NUMBER: Final = "104857600123"
DATABRICKS_ACCOUNT: Final = "c2f5e8a1-7b4d-4e60-93c8-1d2e3f4a5b6c"

_DEFAULT_REGIONS: Final = {
    "aws": "us-east-1",
    "aws-native": "us-east-1",
    "gcp": "us-central1",
    "azure-native": "westeurope",
}
_NEEDS_REGION: Final = frozenset({"aws", "aws-native"})
"""Packages whose real provider refuses to start without a region."""
_REGION_VARIABLES: Final = {
    "aws": ("AWS_REGION", "AWS_DEFAULT_REGION"),
    "gcp": ("GOOGLE_REGION", "GCLOUD_REGION"),
    "azure-native": ("ARM_LOCATION",),
}
_ROLE_ACCOUNT: Final = re.compile(r"arn:[\w-]+:iam::(\d{12}):")


@dataclass(frozen=True)
class Connection:
    """The provider at the other end.

    Attributes:
        package: The provider's package.
        urn: The provider resource's URN; empty before Configure.
        config: Its configuration, secrets opened, JSON strings read.
        region: Region or location that resources take unless they say otherwise; empty where the package has none.
        account: AWS account, Azure subscription, GCP project or Databricks host.
    """

    package: str
    urn: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    region: str = ""
    account: str = ""

    @property
    def scope(self) -> str:
        """What keeps equal ids of two accounts apart in the simulated cloud."""
        return f"{self.account}/{self.region}"

    @property
    def partition(self) -> str:
        """The AWS partition of the region."""
        return "aws-cn" if self.region.startswith("cn-") else "aws-us-gov" if "-gov-" in self.region else "aws"

    @property
    def project(self) -> str:
        """The GCP project."""
        return self.account or GCP_PROJECT

    @property
    def tenant(self) -> str:
        """The Azure tenant."""
        return str(self.config.get("tenantId") or AZURE_TENANT)

    @property
    def host(self) -> str:
        """The Databricks workspace URL, without a trailing slash."""
        return str(self.config.get("host") or "https://dbc-0a1b2c3d-4e5f.cloud.databricks.com").rstrip("/")


def connect(package: str, urn: str, config: Values, journal: Journal) -> Connection:
    """The connection that a provider's configuration makes.

    A region that neither the configuration nor the environment gives is chosen, and the journal says so.
    """
    opened = {name: _json(plain(value)) for name, value in config.items()}
    region = _region(package, opened)
    if not region and package in _DEFAULT_REGIONS:
        region = _DEFAULT_REGIONS[package]
        if package in _NEEDS_REGION and urn:
            journal.write("invented_config", once=f"{urn}|region", provider=urn, name=f"{package}:region", value=region)
    return Connection(package, urn, opened, region, _account(package, opened))


def _region(package: str, config: Mapping[str, Any]) -> str:
    given = config.get("location" if package == "azure-native" else "region")
    variables = _REGION_VARIABLES.get(package, ())
    return str(given or next((os.environ[v] for v in variables if os.environ.get(v)), ""))


def _account(package: str, config: Mapping[str, Any]) -> str:
    if package in {"aws", "aws-native"}:
        return _aws_account(config)
    if package.startswith("azure"):
        return str(config.get("subscriptionId") or AZURE_SUBSCRIPTION)
    if package in {"gcp", "google-native"}:
        return str(config.get("project") or os.environ.get("GOOGLE_PROJECT") or GCP_PROJECT)
    return str(config.get("host") or config.get("accountId") or "")


def _aws_account(config: Mapping[str, Any]) -> str:
    roles = config.get("assumeRoles") or config.get("assumeRole") or []
    roles = roles if isinstance(roles, list) else [roles]
    for role in reversed(roles):
        found = _ROLE_ACCOUNT.match(str((role or {}).get("roleArn") or (role or {}).get("role_arn", "")))
        if found:
            return found[1]
    allowed = config.get("allowedAccountIds") or []
    return str(allowed[0]) if allowed else AWS_ACCOUNT


def _json(value: Any) -> Any:
    """Provider inputs that are not strings travel as JSON text."""
    if isinstance(value, str) and value[:1] in {"[", "{", '"'}:
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
