"""The one error root of the wheel: what happened, where, and the edit or command that mends it.

The twin of the toolkit's ``LeveeError``, written again because the wheel knows nothing of the toolkit. Exit codes are
the same: 0 fine, 1 a gate said no, 2 wrong use or wrong input, 3 the engine or a service failed.
"""

from __future__ import annotations

from typing import ClassVar


class PipelineError(Exception):
    """Anything a pipeline tells a user went wrong; raised itself where an engine, a disk or a service failed.

    Args:
        message: What happened, one sentence, no trailing full stop needed.
        where: ``file:line``, a table, a dataset, a delivery or a row; ``None`` where there is no place.
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


class UsageError(PipelineError):
    """The call is wrong: an unknown domain, dataset or parameter, a setting that is missing."""

    exit_code = 2


class ContractError(PipelineError):
    """A contract is wrong, or asks for what cannot be: raised before any data is touched."""

    exit_code = 2


class SchemaError(PipelineError):
    """Data and contract disagree: a column the delivery lacks, a table whose columns are not the contract's."""

    exit_code = 1


class QualityError(PipelineError):
    """A quality gate said no: a rule that fails the batch was broken, or the count law does not hold."""

    exit_code = 1


class BudgetError(PipelineError):
    """The budget said no: a run is expected to cost more than is left, or has spent what was."""

    exit_code = 1


class UpstreamError(PipelineError):
    """An input of a table failed in the same run: the table stays as it was."""

    exit_code = 1
