"""The one error root of the toolkit: what happened, where, and the edit or command that mends it.

Exit codes (``docs/reference/cli.md``): 0 fine, 1 a gate said no, 2 wrong use, 3 the engine or a service failed.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar, Final

_LISTED: Final = 20
"""Names that an error lists at most."""


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


def meant(name: str, valid: Iterable[str]) -> str:
    """The mend of a name that there is not: the nearest one that there is, and, where they are few, all of them.

    Args:
        name: What was asked for.
        valid: What there is; of qualified names (``sales.cdnow``) the last part is compared.
    """
    names = list(valid)
    tails = {each.rpartition(".")[2]: each for each in names}
    near = difflib.get_close_matches(name.rpartition(".")[2], tails, n=1)
    more = f", ... ({len(names)} in all)" if len(names) > _LISTED else ""
    listed = f"choose one of {', '.join(names[:_LISTED])}{more}"
    if not near:
        return listed
    return f"did you mean {tails[near[0]]}?" + ("" if more else f" Else {listed}")
