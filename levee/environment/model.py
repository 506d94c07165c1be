"""The pydantic model of an environment. The reference page is generated from the descriptions below."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from ipaddress import IPv4Network
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, TypeAlias

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from levee.environment import load as loading
from levee.environment.base import Email, Model
from levee.environment.governance import Budgets, Exemption, PolicySettings, Usage

_PRIVATE: Final = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
_WIDEST: Final = 16
_HOSTS: Final[Mapping[str, str]] = {
    "aws": ".cloud.databricks.com",
    "azure": ".azuredatabricks.net",
    "gcp": ".gcp.databricks.com",
}
"""How a workspace's host ends, by cloud (Databricks documentation, "Workspace URL")."""

CloudName: TypeAlias = Literal["aws", "azure", "gcp"]
Classification: TypeAlias = Literal["public", "internal", "confidential", "restricted"]
"""Those of the contracts' classes that tags know (``components.tags``); a test keeps them equal."""

Guid: TypeAlias = Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Subnet: TypeAlias = Annotated[
    str,
    Field(
        pattern=r"^/subscriptions/[0-9a-f-]{36}/resourceGroups/[^/]+/providers/Microsoft\.Network"
        r"/virtualNetworks/[^/]+/subnets/[^/]+$"
    ),
]


def _public_range(text: str) -> str:
    """An IPv4 range that a cloud's firewall may be told: real, of the public internet, and not all of it."""
    try:
        network = IPv4Network(text)
    except ValueError as error:
        raise PydanticCustomError("cidr", "not an IPv4 range: {why}", {"why": str(error)}) from None
    if any(network.subnet_of(IPv4Network(private)) for private in _PRIVATE):
        raise PydanticCustomError("cidr", "private addresses never reach a cloud's firewall: name the public range")
    if network.prefixlen < _WIDEST:
        raise PydanticCustomError("cidr", "wider than /{widest}: that is everybody", {"widest": _WIDEST})
    return text


Cidr: TypeAlias = Annotated[str, AfterValidator(_public_range)]
Days: TypeAlias = Annotated[int, Field(ge=1, le=36500)]
CoolAge: TypeAlias = Annotated[int, Field(ge=30, le=36500)]
"""S3 moves nothing to STANDARD_IA sooner; other clouds' tiers bill 30 days in any case."""


class Owners(Model):
    """Who answers for what is deployed; the source of the ``owner`` and ``cost-centre`` tags."""

    team: str = Field(
        description="Team that answers for the environment.", pattern=r"^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$"
    )
    email: Email = Field(description="Where failures of its jobs are sent.")
    cost_centre: str = Field(description="Cost centre that pays.", pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")


class AwsTarget(Model):
    """One AWS account and region."""

    account: str = Field(
        description="Account id, 12 digits, quoted. Any other account is refused.", pattern=r"^\d{12}$"
    )
    region: str = Field(description="Region.", pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")
    deploy_role: str | None = Field(
        default=None,
        description="ARN of the role that deployments assume; without it the ambient credentials are used.",
        pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/.+$",
    )


class AzureTarget(Model):
    """One Azure subscription and region."""

    subscription: Guid = Field(description="Subscription id.")
    tenant: Guid = Field(description="Microsoft Entra tenant id.")
    region: str = Field(description="Region, in its short form such as `westeurope`.", pattern=r"^[a-z0-9]+$")
    subnets: Annotated[tuple[Subnet, ...], Field(max_length=400)] = Field(
        default=(),
        description="Resource ids of the subnets that the stores' firewall lets in, each with the service endpoint "
        "`Microsoft.Storage`: both of the Databricks workspace, from which its clusters read and write.",
    )


class GcpTarget(Model):
    """One Google Cloud project and region."""

    project: str = Field(description="Project id.", pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$")
    region: str = Field(description="Region.", pattern=r"^[a-z]+-[a-z]+\d$")


class Clouds(Model):
    """The clouds that the environment spans; each one named here gets a lake."""

    aws: AwsTarget | None = Field(default=None, description="Amazon Web Services.")
    azure: AzureTarget | None = Field(default=None, description="Microsoft Azure.")
    gcp: GcpTarget | None = Field(default=None, description="Google Cloud.")

    @model_validator(mode="after")
    def _at_least_one(self) -> Self:
        if not self.enabled:
            raise PydanticCustomError("no_cloud", "an environment needs at least one of aws, azure and gcp")
        return self

    @property
    def enabled(self) -> tuple[CloudName, ...]:
        """The clouds in use, in the order aws, azure, gcp."""
        every: tuple[tuple[CloudName, object], ...] = (("aws", self.aws), ("azure", self.azure), ("gcp", self.gcp))
        return tuple(name for name, target in every if target is not None)

    def region(self, cloud: CloudName) -> str:
        """The region of a cloud in use.

        Raises:
            KeyError: It is not in use.
        """
        targets = {"aws": self.aws, "azure": self.azure, "gcp": self.gcp}
        if (target := targets[cloud]) is None:
            raise KeyError(cloud)
        return target.region


class Workspace(Model):
    """A Databricks workspace that exists already, and the size of what runs in it."""

    host: str = Field(description="Workspace URL.", pattern=r"^https://[a-z0-9.-]+$")
    spark_version: str = Field(
        default="17.3.x-scala2.13",
        description="Databricks runtime of the job clusters, pinned: 17.3 LTS has Spark 4.0 and Python 3.12.",
        pattern=r"^\d+\.\d+\.x-(photon-)?scala2\.1[23]$",
    )
    node_type: str = Field(description="Node type of the pool, such as `m6gd.large`.")
    min_workers: int = Field(default=1, ge=1, le=100, description="Fewest workers of a job cluster.")
    max_workers: int = Field(default=2, ge=1, le=100, description="Most workers of a job cluster.")
    idle_instances: int = Field(default=0, ge=0, le=20, description="Machines that the pool keeps warm, and pays for.")
    idle_minutes: int = Field(
        default=15, ge=5, le=60, description="Minutes after which an idle machine or cluster is given back."
    )
    spot: bool = Field(default=False, description="Whether workers may be spot instances; never the driver.")
    run_as: Guid | None = Field(
        default=None, description="Application id of the service principal that jobs run as; without it the deployer."
    )
    admins: str = Field(default="platform-admins", description="Account group that manages jobs, pools and policies.")

    @model_validator(mode="after")
    def _workers_in_order(self) -> Self:
        if self.min_workers > self.max_workers:
            raise PydanticCustomError(
                "workers",
                "min_workers {low} is above max_workers {high}",
                {"low": self.min_workers, "high": self.max_workers, "at": ("min_workers",)},
            )
        return self


class Schedule(Model):
    """When a domain's job runs."""

    cron: str = Field(description="Quartz cron expression, seconds first.", pattern=r"^(\S+\s+){5,6}\S+$")
    timezone: str = Field(default="UTC", description="IANA time zone of the expression.")
    paused: bool = Field(default=False, description="Whether the schedule is kept but not obeyed.")


class Domain(Model):
    """A data domain that this environment runs."""

    cloud: CloudName = Field(description="The cloud whose lake holds the domain and whose workspace runs its job.")
    sources: Annotated[tuple[str, ...], Field(min_length=1)] | None = Field(
        default=None, description="The source datasets to ingest; without it all of the domain's."
    )
    schedule: Schedule | None = Field(default=None, description="When it runs; without it only on demand.")


class Retention(Model):
    """How long things are kept, where no contract says so. Contracts decide for their own data."""

    audit_days: Days = Field(
        description="Audit store: written once, not deletable before that age; with `protection.retention_lock` at "
        "least as long as the contracts ask."
    )
    log_days: Days = Field(description="Access logs and platform logs.")
    noncurrent_days: Days = Field(description="Replaced or deleted versions of an object, then gone for good.")
    cool_after_days: CoolAge = Field(
        default=30, description="Age from which landing files lie in the infrequent-access tier; S3 has no less."
    )
    cold_after_days: Days = Field(
        default=120, description="Age from which they lie in the archive tier that reads at once."
    )

    @model_validator(mode="after")
    def _tiers_in_order(self) -> Self:
        # S3 keeps an object at least 30 days in STANDARD_IA before it may move on.
        if self.cold_after_days < self.cool_after_days + 30:
            raise PydanticCustomError(
                "tiers",
                "cold_after_days must be at least 30 days above cool_after_days ({cool})",
                {"cool": self.cool_after_days, "at": ("cold_after_days",)},
            )
        return self


class Network(Model):
    """Who may reach the stores from outside the clouds' own services."""

    allowed_cidrs: tuple[Cidr, ...] = Field(
        default=(), description="Public IPv4 ranges, /16 or narrower, let through storage and vault firewalls."
    )


class Protection(Model):
    """What may be destroyed."""

    stateful: bool = Field(description="Whether stores, keys and catalogues are protected from deletion.")
    retention_lock: bool = Field(
        description="Whether the audit store's retention is locked, so that nobody can shorten it. Cannot be undone."
    )
    force_destroy: bool = Field(
        default=False, description="Whether `destroy` may empty stores that still hold data. Only for throw-away ones."
    )

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Self:
        if self.force_destroy and (self.stateful or self.retention_lock):
            raise PydanticCustomError(
                "protection",
                "force_destroy contradicts stateful and retention_lock",
                {"at": ("force_destroy",)},
            )
        return self


class Environment(Model):
    """One deployment target: everything that differs between local, dev, staging and prod."""

    name: str = Field(description="Name of the stack; taken from the file's name, never written in it.")
    offline: bool = Field(
        default=False, description="Whether it only ever lives on the simulated clouds. `local` is always offline."
    )
    company: str = Field(
        description="Short name that begins every global name, such as a bucket's.", pattern=r"^[a-z][a-z0-9]{1,11}$"
    )
    owners: Owners = Field(description="Who answers and who pays.")
    classification: Classification = Field(
        description="Highest class of data that may be held here. Stores and jobs are tagged with their data's own "
        "class, everything else (keys, logs, pools) with this one."
    )
    expires_on: date | None = Field(
        default=None, description="When a short-lived environment is to be gone, quoted; the `expires-on` tag."
    )
    clouds: Clouds = Field(description="The clouds and where in them.")
    databricks: Mapping[CloudName, Workspace] = Field(
        default_factory=dict, description="Workspaces by the cloud that hosts them."
    )
    domains: Mapping[str, Domain] = Field(default_factory=dict, description="Data domains that run here, by name.")
    budgets: Budgets = Field(description="Spending limits.")
    usage: Usage = Field(default_factory=Usage, description="How much is used in a month, for what it costs.")
    retention: Retention = Field(description="How long things are kept.")
    network: Network = Field(default_factory=Network, description="Who may reach the stores.")
    protection: Protection = Field(description="What may be destroyed.")
    policies: Mapping[str, PolicySettings] = Field(
        default_factory=dict,
        description="Enforcement by name of a policy or of a whole pack; what is not named keeps its default.",
    )
    exemptions: tuple[Exemption, ...] = Field(default=(), description="Accepted violations.")
    release: str | None = Field(
        default=None, description="Release that is pinned here; without it the checkout's own wheel version."
    )

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if self.name == "local" and not self.offline:
            raise PydanticCustomError("offline", "`local` is always offline: set `offline: true`", {"at": ("offline",)})
        for cloud, workspace in self.databricks.items():
            if not workspace.host.endswith(_HOSTS[cloud]):
                raise PydanticCustomError(
                    "host",
                    "a workspace on {cloud} has a host that ends in {suffix}",
                    {"cloud": cloud, "suffix": _HOSTS[cloud], "at": ("databricks", cloud, "host")},
                )
            if cloud not in self.clouds.enabled:
                raise PydanticCustomError(
                    "cloud",
                    "a workspace on {cloud}, which is not among `clouds`",
                    {"cloud": cloud, "at": ("databricks", cloud)},
                )
        for name, domain in self.domains.items():
            if domain.cloud not in self.databricks:
                raise PydanticCustomError(
                    "cloud",
                    "domain {name} runs on {cloud}, which has no workspace under `databricks`",
                    {"name": name, "cloud": domain.cloud, "at": ("domains", name, "cloud")},
                )
            if domain.cloud == "azure" and self.clouds.azure and not self.clouds.azure.subnets:
                raise PydanticCustomError(
                    "subnets",
                    "domain {name} runs on azure, whose firewall keeps its clusters out: name the workspace's subnets",
                    {"name": name, "at": ("clouds", "azure")},
                )
        return self

    @classmethod
    def load(cls, project_root: Path, name: str) -> Environment:
        """Read ``environments/Pulumi.<name>.yaml``.

        Raises:
            UsageError: No such environment, wrong YAML, or a value that the model refuses; with file and line.
        """
        source = loading.read(project_root, name)
        try:
            return cls.model_validate({**source.value, "name": name})
        except ValidationError as error:
            raise loading.refusal(error, cls, source) from None

    @classmethod
    def from_config(cls, name: str, value: Mapping[str, Any]) -> Environment:
        """Build from the value of ``levee:environment`` as Pulumi's config hands it over.

        Raises:
            UsageError: The model refuses the value.
        """
        try:
            return cls.model_validate({**value, "name": name})
        except ValidationError as error:
            raise loading.refusal(error, cls, loading.Source.without_file(name, value)) from None
