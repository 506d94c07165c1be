"""Where, and about what, a dataset's owners are told that something is wrong (decision 0029)."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pipelines.contracts.extensions.registry import Extension, Registry
from pipelines.contracts.odcs import Model
from pipelines.secret_references import PATTERN

Reference = Annotated[str, Field(pattern=PATTERN)]
"""Where a secret is: ``env:NAME`` or ``file:/path``."""
Address = Annotated[str, Field(pattern=r"^[^@\s<>,;]+@[^@\s<>,;]+$")]
Severity = Literal["warning", "error", "critical"]
SEVERITIES: tuple[Severity, ...] = ("warning", "error", "critical")
"""From least to most severe."""


class Slack(Model):
    """An incoming webhook of Slack."""

    url: Reference = Field(description="Reference to the webhook's URL, which is a secret.")


class Teams(Model):
    """A webhook of Workflows in Microsoft Teams (template: post to a channel when a webhook request is received)."""

    url: Reference = Field(description="Reference to the webhook's URL, which is a secret.")


class Email(Model):
    """Mail by SMTP; the connection is encrypted by STARTTLS before anything is said."""

    server: Reference = Field(description="Reference to `smtp://USER:PASSWORD@HOST:587`; without a user no login.")
    sender: Address = Field(alias="from", description="Address of the sender.")
    to: tuple[Address, ...] = Field(strict=False, min_length=1, description="Addresses of the recipients.")


class Webhook(Model):
    """A POST of one CloudEvent 1.0 (structured JSON), signed as Standard Webhooks asks (HMAC-SHA256)."""

    url: Reference = Field(description="Reference to the URL, which may hold a token.")
    key: Reference = Field(description="Reference to the signing key; `whsec_` before base64, else its bytes.")


class Alerts(Model):
    """What this support channel is told by the platform; exactly one of `slack`, `teams`, `email` and `webhook`."""

    slack: Slack | None = None
    teams: Teams | None = None
    email: Email | None = None
    webhook: Webhook | None = None
    minimum_severity: Severity = Field(default="warning", description="Alerts that are less severe go elsewhere.")
    environments: tuple[str, ...] = Field(
        default=(), strict=False, description="Environments whose runs are told of; all where absent."
    )
    again_after_hours: Annotated[int, Field(ge=1)] = Field(
        default=24,
        description="So long the same rule of the same dataset and contract version is not told again, unless it has "
        "recovered in between.",
    )
    an_hour: Annotated[int, Field(ge=1)] = Field(
        default=20, description="Messages an hour; what is more is summed up in one message later."
    )

    samples: Annotated[int, Field(ge=0, le=10)] = Field(
        default=3,
        description="Records of a held batch that a message shows, masked as silver masks them; columns above internal "
        "without a mask are never shown. 0 shows none.",
    )

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if sum(way is not None for way in (self.slack, self.teams, self.email, self.webhook)) != 1:
            raise ValueError("a channel has exactly one of `slack`, `teams`, `email` and `webhook`")
        return self

    @property
    def way(self) -> Slack | Teams | Email | Webhook:
        """How it is told."""
        way = self.slack or self.teams or self.email or self.webhook
        assert way is not None, "the model asks for one of the four"
        return way


SUPPORT_PROPERTIES: Registry = {"alerts": Extension.of(Alerts)}
