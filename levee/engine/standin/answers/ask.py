"""One question to the table of answers: where it was asked, with which arguments, and what exists already."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from levee.engine.standin.connection import Connection
from levee.engine.standin.existing import Existing

CREATED: Final = "2025-01-01T00:00:00Z"
"""Every invented moment: an equal run gives an equal state."""


@dataclass(frozen=True)
class Ask:
    """One call of a lookup.

    Attributes:
        connection: The provider that was asked: region, account, project, host.
        args: The arguments by wire name, secrets opened.
        existing: What the simulated cloud holds.
    """

    connection: Connection
    args: Mapping[str, Any] = field(default_factory=dict)
    existing: Existing = field(default_factory=Existing)

    @property
    def region(self) -> str:
        """The region of the question: its own argument, else the connection's."""
        return str(self.args.get("region") or self.args.get("location") or self.connection.region)

    @property
    def account(self) -> str:
        """The AWS account, Azure subscription or GCP project."""
        return self.connection.account

    @property
    def project(self) -> str:
        """The GCP project of the question: its own argument, else the connection's."""
        return str(self.args.get("project") or self.connection.project)

    def text(self, *names: str, default: str = "") -> str:
        """The first of those arguments that is given, as text."""
        return next((str(self.args[n]) for n in names if self.args.get(n) not in (None, "")), default)

    def filtered(self, *names: str) -> list[str]:
        """The values of AWS-style filters of those names."""
        return [
            str(value)
            for one in self.args.get("filters") or []
            if isinstance(one, Mapping) and one.get("name") in names
            for value in one.get("values") or []
        ]

    def hex(self, salt: str, length: int) -> str:
        """Hexadecimal digits, at most 64, the same for one account and salt."""
        return digits(f"{self.connection.account}|{salt}", length)

    def guid(self, salt: str) -> str:
        """A version 4 UUID, the same for one account and salt."""
        h = self.hex(salt, 32)
        return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:]}"

    def arn(self, service: str, resource: str, *, region: bool = True, account: bool = True) -> str:
        """An ARN in the question's partition, region and account."""
        where = self.region if region else ""
        return f"arn:{self.connection.partition}:{service}:{where}:{self.account if account else ''}:{resource}"


def digits(seed: str, length: int) -> str:
    """Hexadecimal digits, at most 64, a function of the seed."""
    return hashlib.sha256(seed.encode()).hexdigest()[:length]


Answer = Mapping[str, Any]
Rule = Callable[[Ask], Answer]
"""Answers one function: its outputs by wire name; what it leaves out is filled in by type."""


@dataclass(frozen=True)
class Answers:
    """What one module answers, by function token.

    Attributes:
        invented: Realistic answers; listed as invented whenever one is given.
        exact: Answers that follow from the arguments and the provider's configuration alone, as the real provider's do.
    """

    invented: Mapping[str, Rule]
    exact: Mapping[str, Rule] = field(default_factory=dict)


def pick(table: Sequence[Mapping[str, Any]], **wanted: Any) -> list[Mapping[str, Any]]:
    """The rows that have every wanted value that is not ``None``."""
    return [row for row in table if all(v is None or row.get(k) == v for k, v in wanted.items())]
