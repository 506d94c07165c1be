"""What a rule that invents values is given: one resource, its type, its inputs and where it lies."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from levee.engine.standin.connection import Connection
from levee.engine.standin.values import UNKNOWN, Secret, Value
from levee.sdk import ResourceType


class NotYetError(Exception):
    """A value is asked for that depends on something unknown; the rule's own result is then unknown."""


@dataclass(frozen=True, slots=True)
class Target:
    """The resource that a call is about."""

    urn: str
    type: str
    name: str


@dataclass(frozen=True)
class Subject:
    """One resource that values are invented for. All that it gives is a function of ``seed``.

    Attributes:
        type: The SDK's view of its type.
        name: The logical name.
        inputs: The checked inputs.
        connection: Where it lies.
        seed: Unique to one creation of one URN.
    """

    type: ResourceType
    name: str
    inputs: Mapping[str, Value]
    connection: Connection
    seed: str

    @property
    def service(self) -> str:
        """The module part of the token (``s3`` of ``aws:s3/bucket:Bucket``)."""
        return self.type.token.split(":")[1].split("/")[0]

    @property
    def kind(self) -> str:
        """The token without its package and file part (``s3:Bucket``)."""
        return f"{self.service}:{self.type.token.rsplit(':', 1)[-1]}"

    @property
    def region(self) -> str:
        """Its own region where it gives one, else the connection's."""
        return str(self.text("region") or self.connection.region)

    def given(self, *names: str) -> Any:
        """The first of those inputs that is set, secrets opened; ``None`` where none is.

        Raises:
            NotYetError: It is unknown.
        """
        for name in names:
            value = self.inputs.get(name)
            if isinstance(value, Secret):
                value = value.value
            if value is UNKNOWN:
                raise NotYetError(name)
            if value is not None:
                return value
        return None

    def like(self, name: str, value: Value) -> Value:
        """The value, secret where that input is."""
        return Secret(value) if isinstance(self.inputs.get(name), Secret) else value

    def text(self, *names: str) -> str:
        """The first of those inputs that is a non-empty string, or a number, as text; else the empty string.

        A secret gives a digest of itself, so that no secret ends up in an id or an ARN.

        Raises:
            NotYetError: It is unknown.
        """
        for name in names:
            value = self.inputs.get(name)
            if isinstance(value, Secret):
                return self.hex(f"secret:{name}", 12)
            if value is UNKNOWN:
                raise NotYetError(name)
            if isinstance(value, str) and value:
                return value
            if isinstance(value, int | float) and not isinstance(value, bool):
                return str(value)
        return ""

    def digest(self, salt: str) -> bytes:
        """32 bytes, the same for the same seed and salt."""
        return hashlib.sha256(f"{self.seed}|{salt}".encode()).digest()

    def hex(self, salt: str, length: int) -> str:
        """Hexadecimal digits, at most 64."""
        return self.digest(salt).hex()[:length]

    def number(self, salt: str, digits: int) -> str:
        """Decimal digits, the first of them not zero."""
        span = 10 ** (digits - 1)
        return str(span + int.from_bytes(self.digest(salt)[:16], "big") % (9 * span))

    def letters(self, salt: str, length: int, alphabet: str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") -> str:
        """Letters of an alphabet, at most 32."""
        return "".join(alphabet[byte % len(alphabet)] for byte in self.digest(salt)[:length])

    def guid(self, salt: str) -> str:
        """A version 4 UUID."""
        return str(uuid.UUID(bytes=self.digest(salt)[:16], version=4))
