"""What the job is told of money: rates of node types and the budget of its cost centre, both from the environment.

They are parameters of the deployed job, whoever starts it. ``--rates`` is JSON by node type, each price with where it
comes from::

    {"m6gd.large": {"usd_per_hour": "0.1518", "source": "machine/aws/m6gd.large@eu-west-1 (libcloud, 2025-03-02)"}}

``--budget`` is JSON::

    {
        "cost_centre": "cc-1001",
        "monthly_usd": "50",
        "warn_at": 0.8,
        "policy": "refuse",
        "grace_seconds": 60,
        "source": "environments/Pulumi.local.yaml: budgets.total",
    }
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from pipelines.errors import UsageError

Policy: TypeAlias = Literal["warn", "ask", "refuse"]
"""What becomes of a run that would overspend: it is told, it needs somebody's word, or it does not start."""

SECONDS_AN_HOUR = 3600


class NodeRate(BaseModel):
    """What an hour of one node costs, all that is billed for it.

    Attributes:
        usd_per_hour: US dollars.
        source: Price list, file or person that the price comes from, with its date.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    usd_per_hour: Annotated[Decimal, Field(ge=0)]
    source: Annotated[str, Field(min_length=1)]

    def cost(self, seconds: float) -> Decimal:
        """US dollars that so many node-seconds cost, to a billionth."""
        exact = self.usd_per_hour * Decimal(repr(seconds)) / SECONDS_AN_HOUR
        return exact.quantize(Decimal("1e-9"))


class Budget(BaseModel):
    """What the cost centre may spend on runs in a calendar month (UTC).

    Attributes:
        cost_centre: Who pays.
        monthly_usd: Limit, US dollars.
        warn_at: Share of the limit from which on runs are told of it.
        policy: What becomes of a run that would exceed it.
        grace_seconds: From the moment at which it is spent to the end of a task that has not stopped by itself.
        source: Where it is written.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cost_centre: Annotated[str, Field(min_length=1)]
    monthly_usd: Annotated[Decimal, Field(ge=0)]
    warn_at: Annotated[float, Field(gt=0, le=1)] = 0.8
    policy: Policy = "warn"
    grace_seconds: Annotated[float, Field(ge=0)] = 60.0
    source: Annotated[str, Field(min_length=1)]


Rates: TypeAlias = Mapping[str, NodeRate]
"""By node type."""

_RATES: TypeAdapter[dict[str, NodeRate]] = TypeAdapter(dict[str, NodeRate])


def parse_rates(text: str | None) -> Rates:
    """Read ``--rates``; nothing where there is none.

    Raises:
        UsageError: it is not what this module's head says.
    """
    try:
        return MappingProxyType(_RATES.validate_json(text) if text else {})
    except ValidationError as error:
        raise _refused("--rates", error, '{"NODE TYPE": {"usd_per_hour": "0.15", "source": "…"}}') from None


def parse_budget(text: str | None) -> Budget | None:
    """Read ``--budget``; ``None`` where there is none.

    Raises:
        UsageError: it is not what this module's head says.
    """
    try:
        return Budget.model_validate_json(text) if text else None
    except ValidationError as error:
        raise _refused("--budget", error, '{"cost_centre": "…", "monthly_usd": "50", "source": "…"}') from None


def _refused(name: str, error: ValidationError, example: str) -> UsageError:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return UsageError(f"{name} cannot be read: {place}: {first['msg']}", fix=f"pass {example}")
