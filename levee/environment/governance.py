"""What an environment allows, excuses and may spend: the part of its model that rules and prices are judged by."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from levee.environment.base import Email, Model

PolicyLevel: TypeAlias = Literal["advisory", "mandatory", "disabled"]
Usd: TypeAlias = Annotated[float, Field(gt=0)]


class PolicySettings(Model):
    """How one policy is enforced here."""

    level: PolicyLevel = Field(description="Enforcement level: `advisory`, `mandatory` or `disabled`.")
    parameters: Mapping[str, Any] = Field(default_factory=dict, description="The policy's own parameters.")


class Exemption(Model):
    """A rule that certain resources may break until a date. Expired, it is itself a violation."""

    policy: str = Field(description="Name of the policy.", min_length=1)
    urn_glob: str = Field(description="Shell-style pattern of the URNs exempted.", min_length=1)
    reason: str = Field(description="Why, for the auditor.", min_length=10)
    owner: Email = Field(description="Who answers for it.")
    expires: date = Field(description='Last day on which it holds, quoted: `"2027-03-31"`.')


class Budget(Model):
    """A limit on monthly cost, list price, US dollars."""

    monthly_usd: Usd = Field(description="Most that a month (730 hours) may cost.")
    warn_at: float = Field(default=0.8, gt=0, le=1, description="Share of the limit from which on it warns.")


RunPolicy: TypeAlias = Literal["warn", "ask", "refuse"]


class RunLimits(Model):
    """What becomes of a job run that would exceed the month's budget of its cost centre, or does while it runs."""

    monthly_usd: Usd | None = Field(
        default=None,
        description="Most that runs may spend in a month; without it the budget of the cost centre, or the total.",
    )
    policy: RunPolicy = Field(
        default="warn",
        description="`warn`: it runs, and the decision is recorded; `ask`: it needs `levee run --confirm-cost`; "
        "`refuse`: it does not run. Under `ask` and `refuse` a run that spends what is left is stopped.",
    )
    grace_seconds: float = Field(
        default=60,
        ge=0,
        description="Seconds that a run whose budget is spent has to stop between two batches, before it is "
        "interrupted.",
    )


class Budgets(Model):
    """What may be spent; the `budgets` pack blocks what would exceed it."""

    total: Budget = Field(description="Over everything in the environment.")
    capabilities: Mapping[str, Budget] = Field(
        default_factory=dict, description="Limits by capability, such as `lake` or `databricks`."
    )
    cost_centres: Mapping[str, Budget] = Field(default_factory=dict, description="Limits by cost centre.")
    max_increase_usd: Usd | None = Field(default=None, description="Most that one change may add to a month.")
    runs: RunLimits = Field(default_factory=RunLimits, description="How job runs are held to the budget.")


Amount: TypeAlias = Annotated[float, Field(ge=0)]


class UsageRange(Model):
    """A month's use at the least, as expected and at the most."""

    low: Amount = Field(description="At the least.")
    expected: Amount = Field(description="As expected.")
    high: Amount = Field(description="At the most.")


UsageByKey: TypeAlias = Mapping[str, Amount | UsageRange | str]
"""Use by key; the keys of each type are in docs/reference/cost.md. Only ``schedule`` is text."""


class Usage(Model):
    """How much is used in a month, where that decides what it costs; the rest is assumed by environment."""

    types: Mapping[str, UsageByKey] = Field(
        default_factory=dict,
        description="Use by type token, such as `aws:s3/bucket:Bucket: {storage_gb: 500}`.",
    )
    names: Mapping[str, UsageByKey] = Field(
        default_factory=dict,
        description='Use by shell pattern over names, which wins over the type\'s: `"*-gold": {storage_gb: 2000}`.',
    )
