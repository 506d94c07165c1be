"""Whom rows are about: how a contract's subject is read out of bronze, and under what it is known after masking."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from pipelines.contracts.document import nearest
from pipelines.contracts.domain import Domain
from pipelines.contracts.model import Column, Contract
from pipelines.errors import UsageError
from pipelines.privacy.methods import mask_one
from pipelines.silver.typing import typed


@dataclass(frozen=True)
class SubjectColumns:
    """The columns of one dataset that name its subject.

    Attributes:
        contract: Contract of the dataset, a source with `dataSubject`.
    """

    contract: Contract

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The columns."""
        subject = self.contract.data_subject
        return tuple(self.contract.column(name) for name in (subject.columns if subject else ()))

    @property
    def expressions(self) -> tuple[str, ...]:
        """SQL over bronze's fields that reads each of the columns, as text."""
        return tuple(f"CAST({typed(column)} AS STRING)" for column in self.columns)

    @property
    def names(self) -> frozenset[str]:
        """The columns by their names, and the source fields that they are made from."""
        return frozenset(name for column in self.columns for name in (column.name, *column.sources))

    @property
    def texts(self) -> tuple[str, ...]:
        """Source fields in whose text a subject may be mentioned: all but those that numbers and times come from."""
        read_as_text = {
            field
            for column in self.contract.columns
            if column.type == "string" or column in self.columns
            for field in column.sources
        }
        return tuple(field for field in self.contract.source_fields if field in read_as_text)

    @property
    def codes(self) -> frozenset[str]:
        """Fields and columns of which a whole value may equal the subject's by chance and speak of something else.

        They are not the subject's, and the contract calls them less than personal.
        """
        others = [column for column in self.contract.columns if column.name not in self.names]
        plain = [column for column in others if column.masking is None]
        return frozenset(name for column in plain for name in (column.name, *column.sources)) - self.names

    def masks(self, value: str, key: bytes) -> dict[str, str]:
        """Return under what the subject is known in silver, by column, where the mask tells."""
        known = {}
        for column in self.columns:
            if column.masking is None:
                known[column.name] = value
            elif column.masking.repeatable and (masked := mask_one(value, column.masking, key)) is not None:
                known[column.name] = masked
        return known


def datasets_of(domain: Domain, subject_type: str) -> tuple[SubjectColumns, ...]:
    """Return the datasets whose rows are about subjects of a type.

    Raises:
        UsageError: the domain has none.
    """
    found = tuple(
        SubjectColumns(contract)
        for contract in domain.sources
        if contract.data_subject is not None and contract.data_subject.type == subject_type
    )
    if not found:
        types = sorted({c.data_subject.type for c in domain.sources if c.data_subject is not None})
        raise UsageError(
            f"no contract of {domain.name} has data subjects of the type {subject_type!r}",
            where=str(domain.folder),
            fix=nearest(subject_type, types) if types else "add `dataSubject` to the contracts whose rows are about it",
        )
    return found
