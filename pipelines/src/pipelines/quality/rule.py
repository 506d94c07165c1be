"""What a compiled rule on rows is, and the names of the columns that it speaks of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pipelines.contracts.extensions import OnFailure
from pipelines.quality.measures import digest_of

Kind = Literal["type", "required", "option", "check", "delete", "lateness"]


@dataclass(frozen=True, slots=True)
class Expectation:
    """One expectation of a Great Expectations suite, without importing it.

    Attributes:
        type: Its name in snake_case, e.g. ``expect_column_values_to_not_be_null``.
        kwargs: Its arguments.
    """

    type: str
    kwargs: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Lookup:
    """Keys of another dataset's silver, which a rule's columns must be among.

    Attributes:
        dataset: The other dataset.
        columns: Its columns.
        of: The rule's columns, in the same order.
        every_version: Keys that hold no longer count too.
    """

    dataset: str
    columns: tuple[str, ...]
    of: tuple[str, ...]
    every_version: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule on rows.

    Attributes:
        id: Its name in quarantine, suite and run record.
        column: Column it is about; ``None`` for a rule over several.
        predicate: SQL over a candidate row, true where the row is good, never null.
        on_failure: ``warn``: counted, the row stays; ``quarantine``; ``failBatch``: the batch is held;
            ``stopPipeline``: and no task runs after it.
        kind: Where the rule comes from.
        description: One line for readers.
        dimension: Quality dimension of the standard, where it is known.
        native: The expectation of Great Expectations' own that says the same; ``None`` where there is none, and the
            suite expects the rule's column (:func:`rule_column`) to be true.
        lookup: Keys that the candidate rows must be joined with: the predicate speaks of :func:`found_column`.
    """

    id: str
    column: str | None
    predicate: str
    on_failure: OnFailure
    kind: Kind
    description: str
    dimension: str | None = None
    native: Expectation | None = None
    lookup: Lookup | None = None

    @property
    def digest(self) -> str:
        """Digest of what the rule says: counts of another predicate are not added to its own."""
        return digest_of(f"{self.predicate} {self.lookup}")

    @property
    def flagged(self) -> Expectation:
        """That the rule's own column (:func:`rule_column`) is true in every row."""
        return Expectation("expect_column_values_to_be_in_set", {"column": rule_column(self.id), "value_set": [True]})

    @property
    def expectation(self) -> Expectation:
        """What the suite expects for this rule."""
        return self.native or self.flagged


def rule_column(rule_id: str) -> str:
    """Name of the boolean column that holds a rule's predicate in the suite's batch."""
    return f"_rule_{rule_id}"


def found_column(rule_id: str) -> str:
    """Name of the column that is true where a rule's lookup has found the row's key, and null elsewhere."""
    return f"_found_{rule_id}"


def source_column(field: str) -> str:
    """Name of the column that holds the text of a source field in a candidate row."""
    return f"_source_{field}"
