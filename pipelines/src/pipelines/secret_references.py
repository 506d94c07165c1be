"""References to secrets: contracts and settings say where a secret is, never what it is.

Two forms, the same on a laptop and on a cluster: ``env:NAME``, an environment variable (on Databricks a secret scope
puts it there: ``{{secrets/scope/key}}``), and ``file:/path``, a file that only its owner can read (a mounted secret).
A secret is read where it is used, in memory only; nothing of it is in a plan, a log, an event or an error.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import PipelineError, UsageError

PATTERN = r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:/.+)$"
"""What a reference looks like, for the models of contracts."""


@dataclass(frozen=True, slots=True)
class SecretReference:
    """Where a secret is.

    Attributes:
        kind: ``env`` or ``file``.
        name: Name of the variable, or path of the file.
    """

    kind: str
    name: str

    @classmethod
    def parse(cls, text: str) -> SecretReference:
        """Read ``env:NAME`` or ``file:/path``.

        Raises:
            UsageError: it is neither; the text itself, which may be a secret, is not repeated.
        """
        if re.match(PATTERN, text) is None:
            raise UsageError(
                "a reference to a secret is neither env:NAME nor file:/path",
                fix="put the secret into an environment variable or a file of mode 0600 and name that",
            )
        kind, _, name = text.partition(":")
        return cls(kind, name)

    def read(self, environment: Mapping[str, str] | None = None) -> bytes:
        """Return the secret, without blanks around it.

        Raises:
            UsageError: it is not there or empty, or the file can be read by others: no second try finds it.
            PipelineError: the disk or the mount failed.
        """
        if self.kind == "env":
            secret = (os.environ if environment is None else environment).get(self.name, "").encode().strip()
            if not secret:
                raise UsageError(
                    f"the environment variable {self.name} with a secret is not set or empty",
                    where=str(self),
                    fix=f"set {self.name}; on Databricks by `{{{{secrets/SCOPE/KEY}}}}` in the cluster's variables",
                )
            return secret
        return self._read_file(Path(self.name))

    def _read_file(self, path: Path) -> bytes:
        try:
            open_to_others = path.stat().st_mode & 0o077
            secret = path.read_bytes().strip()
        except OSError as error:
            wrong = isinstance(error, (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError))
            kind = UsageError if wrong else PipelineError
            raise kind(
                f"the file with a secret cannot be read: {error.strerror}", where=str(self), fix=f"write it to {path}"
            ) from error
        if open_to_others:
            raise UsageError("the file with a secret can be read by others", where=str(self), fix=f"chmod 600 {path}")
        if not secret:
            raise UsageError("the file with a secret is empty", where=str(self), fix=f"write the secret to {path}")
        return secret

    def __str__(self) -> str:
        """The reference, which may be shown."""
        return f"{self.kind}:{self.name}"
