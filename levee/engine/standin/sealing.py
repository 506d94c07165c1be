"""Secrets out of the simulated cloud: it keeps a keyed hash, and the engine's own copy is the value.

The key is random, one a database, in a file of mode 0600 beside it. A cloud that is asked for a resource gets the
engine's state with the question; where the hash of the state's value equals the stored one, the value is unchanged.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from levee.engine.standin.values import Secret, Value, Values, plain

_SEAL: Final = "$levee:sealed"
_KEY_BYTES: Final = 32
CHANGED: Final = "[changed outside of Pulumi]"
"""What stands for a secret whose stored hash is not that of the value in the state."""


class Sealer:
    """Seals and unseals the secrets in property values.

    Args:
        key: The database's key.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def beside(cls, database: Path) -> Sealer:
        """The sealer of a database; makes its key file, mode 0600, the first time."""
        path = database.with_name(f"{database.name}.key")
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return cls(path.read_bytes())
        key = secrets.token_bytes(_KEY_BYTES)
        with os.fdopen(descriptor, "wb") as file:
            file.write(key)
        return cls(key)

    def digest(self, value: Value) -> str:
        """The keyed hash (HMAC-SHA-256, hexadecimal) of a value."""
        text = json.dumps(plain(value), sort_keys=True, separators=(",", ":"), default=repr)
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()

    def seal(self, value: Value) -> Value:
        """The value as JSON, each secret replaced by its hash."""
        if isinstance(value, Secret):
            return {_SEAL: self.digest(value.value)}
        if isinstance(value, dict):
            return {k: self.seal(v) for k, v in value.items()}
        if isinstance(value, list):
            return [self.seal(v) for v in value]
        return value

    def unseal(self, stored: Value, known: Value) -> Value:
        """The value back.

        Args:
            stored: What :meth:`seal` gave.
            known: The value as the engine's state holds it, of any shape; ``None`` on an import.

        Returns:
            The stored value with the state's secrets in the place of their hashes; a secret :data:`CHANGED` where the
            state holds no value of that hash.
        """
        wrapped = isinstance(known, Secret)
        if wrapped:
            known = known.value
        if isinstance(stored, dict):
            if is_sealed(stored):
                return Secret(known if self._matches(stored, known) else CHANGED)
            inner: Mapping[str, Any] = known if isinstance(known, dict) else {}
            value: Value = {k: self.unseal(v, inner.get(k)) for k, v in stored.items()}
        elif isinstance(stored, list):
            items = known if isinstance(known, list) else []
            value = [self.unseal(v, items[i] if i < len(items) else None) for i, v in enumerate(stored)]
        else:
            return stored
        return value

    def unseal_all(self, stored: Values, known: Mapping[str, Value]) -> Values:
        """:meth:`unseal` over the properties of a resource."""
        return {k: self.unseal(v, known.get(k)) for k, v in stored.items()}

    def _matches(self, stored: Mapping[str, Any], known: Value) -> bool:
        return known is not None and hmac.compare_digest(stored[_SEAL], self.digest(known))


def is_sealed(value: Value) -> bool:
    """Whether the value stands for a secret."""
    return isinstance(value, dict) and len(value) == 1 and _SEAL in value
