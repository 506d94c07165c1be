"""A published table as one of its readers sees it: the rows that hold now, or every version."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.contracts.model import Classification, Column, Contract
from pipelines.contracts.versions import HISTORY, TYPES, holding_now

_SAYS = {
    "_version": "Number of the version within its key, from 1.",
    "_valid_from": "Since when the version holds, UTC.",
    "_valid_to": "Until when it held, UTC; null where it still does.",
    "_is_current": "It holds now.",
    "_is_deleted": "A delete ended it.",
    "_deleted_at": "When it was deleted, UTC.",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A published table and what of it a reader sees.

    Attributes:
        contract: The table's.
        every_version: The reader asked for the history: every row, with the columns of :data:`TYPES` beside the
            contract's.
    """

    contract: Contract
    every_version: bool = False

    @property
    def reference(self) -> str:
        """What SQL calls it."""
        return self.contract.reference

    @property
    def table(self) -> str:
        """Name of the table that has the rows."""
        history = self.contract.history
        beside = self.every_version and history is not None and history.type == 4
        return f"{self.contract.dataset}{HISTORY}" if beside else self.contract.dataset

    @property
    def condition(self) -> str | None:
        """SQL condition of the rows that are seen; ``None`` where all are."""
        return None if self.every_version else self.contract.current_rows

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that are seen."""
        return (*self.contract.columns, *_COLUMNS) if self.every_version else self.contract.columns

    def column(self, name: str) -> Column:
        """Return the column of that name; ``KeyError`` where there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


def _technical(name: str, kind: str) -> Column:
    return Column(
        name=name,
        sources=(),
        type=kind,
        logical_type={"bigint": "integer"}.get(kind, kind),
        format=None,
        expression=None,
        required=name not in ("_valid_to", "_deleted_at"),
        unique=False,
        key_position=None,
        classification=Classification.INTERNAL,
        masking=None,
        surrogate_key=None,
        options={},
        quality=(),
        description=_SAYS[name],
    )


_COLUMNS = tuple(_technical(name, kind) for name, kind in TYPES.items())

__all__ = ["Shown", "holding_now"]
