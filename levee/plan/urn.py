"""Pulumi URNs: ``urn:pulumi:<stack>::<project>::<parent type>$<type>::<name>``.

Source: Pulumi documentation, "Resource names and URNs"; ``sdk/go/common/resource/urn``.
"""

from __future__ import annotations

from dataclasses import dataclass

from levee.errors import UsageError

_PREFIX = "urn:pulumi:"


@dataclass(frozen=True, slots=True)
class Urn:
    """A parsed URN; ``str()`` gives the text back unchanged."""

    stack: str
    project: str
    qualified_type: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Urn:
        """Parse a URN.

        Raises:
            UsageError: The text is not a URN.
        """
        parts = text.removeprefix(_PREFIX).split("::", 3)
        if not text.startswith(_PREFIX) or len(parts) != 4:
            raise UsageError(f"not a Pulumi URN: {text!r}", fix="pass urn:pulumi:<stack>::<project>::<type>::<name>")
        return cls(*parts)

    @property
    def type(self) -> str:
        """The resource's own type token, without its parents' types."""
        return self.qualified_type.rsplit("$", 1)[-1]

    @property
    def package(self) -> str:
        """The provider package: ``aws`` of ``aws:s3/bucket:Bucket``; ``pulumi`` for built-ins and components."""
        token = self.type
        if token.startswith("pulumi:providers:"):
            return token.rsplit(":", 1)[-1]
        return token.split(":", 1)[0]

    def __str__(self) -> str:
        return f"{_PREFIX}{self.stack}::{self.project}::{self.qualified_type}::{self.name}"
