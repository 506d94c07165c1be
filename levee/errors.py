"""The one error root of the toolkit: what happened, where, and the edit or command that mends it.

Exit codes (``docs/reference/cli.md``): 0 fine, 1 a gate said no, 2 wrong use, 3 the engine or a service failed.
"""

from __future__ import annotations

from typing import ClassVar


class LeveeError(Exception):
    """Anything Levee tells a user went wrong; raised only through a subclass.

    Args:
        message: What happened, one sentence, no trailing full stop needed.
        where: ``file:line``, a URN, a dataset or a row; ``None`` where there is no place.
        fix: The exact command to run or the edit to make next.
    """

    exit_code: ClassVar[int] = 3

    def __init__(self, message: str, *, where: str | None = None, fix: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.fix = fix

    def __str__(self) -> str:
        """The message with its place and its mend, each on a line of its own."""
        lines = [self.message]
        if self.where:
            lines.append(f"  at  {self.where}")
        if self.fix:
            lines.append(f"  fix {self.fix}")
        return "\n".join(lines)


class GateError(LeveeError):
    """A gate said no: a mandatory policy, a failed quality gate, drift where none may be."""

    exit_code = 1


class UsageError(LeveeError):
    """The call, the environment file, the contract or another input is wrong."""

    exit_code = 2


class EngineError(LeveeError):
    """The Pulumi engine, a provider, Spark or another service failed."""

    exit_code = 3
