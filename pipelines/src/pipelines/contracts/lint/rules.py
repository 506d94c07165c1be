"""The linter's rules as a table: what each asks, how loudly, and who says so."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


class LintLevel(enum.StrEnum):
    """How loudly a rule speaks."""

    ERROR = "error"
    """The contract cannot be used as it is; the command ends with exit code 1."""
    WARNING = "warning"
    """It can be used, and somebody will miss something."""


@dataclass(frozen=True, slots=True)
class LintRule:
    """One rule.

    Attributes:
        id: Its name in every output.
        level: How loudly it speaks.
        title: What holds where it is kept, one sentence.
        fix: The edit that mends it.
        source: Who asks for it.
    """

    id: str
    level: LintLevel
    title: str
    fix: str
    source: str


@dataclass(frozen=True, slots=True)
class LintFinding:
    """A rule's word about one place of a contract.

    Attributes:
        rule: The rule.
        message: What was found, one sentence.
        file: The contract's file.
        line: Line in it, from 1.
        fix: The edit that mends it.
    """

    rule: LintRule
    message: str
    file: str
    line: int
    fix: str


_ERROR, _WARNING = LintLevel.ERROR, LintLevel.WARNING
_ODCS: Final = "ODCS v3.1.0"
_RULES: Final = (
    LintRule(
        "contract-refused", _ERROR, "The loader and the compiler of rules take the contract.", "See the message.", _ODCS
    ),
    LintRule(
        "duplicate-id",
        _ERROR,
        "No two contracts have the same id.",
        "Give the copy an id of its own: `uuidgen`.",
        f"{_ODCS}, Fundamentals, id",
    ),
    LintRule(
        "version-format",
        _WARNING,
        "The version has three numbers, so that a change can be held against it.",
        "Write `version: 1.0.0`.",
        "Semantic Versioning 2.0.0, 2",
    ),
    LintRule(
        "status-unknown",
        _WARNING,
        "The status is one of the standard's.",
        "Use proposed, draft, active, deprecated or retired.",
        f"{_ODCS}, Fundamentals, status",
    ),
    LintRule(
        "owner-missing",
        _WARNING,
        "A team owns the dataset.",
        "Add `team: {name: ...}`.",
        f"{_ODCS}, Team; ISO/IEC 27001:2022 A.5.9",
    ),
    LintRule(
        "contact-missing",
        _WARNING,
        "Readers know where to ask.",
        "Add `support: [{channel: ..., url: ...}]`.",
        f"{_ODCS}, Support",
    ),
    LintRule(
        "readers-missing",
        _WARNING,
        "Some role reads the tables of the domain.",
        "Add `roles: [{role: ..., access: read}]` to a source; without one nobody is granted its domain.",
        f"{_ODCS}, Roles",
    ),
    LintRule(
        "description-missing",
        _WARNING,
        "The table says what it is.",
        "Add `description:` to the schema's object.",
        f"{_ODCS}, Schema",
    ),
    LintRule(
        "column-description-missing",
        _WARNING,
        "Every column says what it is.",
        "Add `description:` to the property.",
        f"{_ODCS}, Schema",
    ),
    LintRule(
        "personal-purpose-missing",
        _WARNING,
        "A contract with personal columns says what for they are kept.",
        "Add `description: {purpose: ...}`.",
        "GDPR Art. 5(1)(b), 30(1)(b)",
    ),
    LintRule(
        "looks-personal",
        _WARNING,
        "A column whose name tells of a person is classified so, and masked.",
        "Set `classification: personal` with `masking`, or say in `description` why it names nobody.",
        "GDPR Art. 4(1), 25(1)",
    ),
    LintRule(
        "retention-missing",
        _WARNING,
        "The contract says how long rows stay.",
        "Add `slaProperties: [{property: retention, value: 7, unit: y}]`.",
        f"{_ODCS}, SLA; GDPR Art. 5(1)(e)",
    ),
    LintRule(
        "freshness-missing",
        _WARNING,
        "The contract says how fresh the data is.",
        "Add `{property: latency, value: 1, unit: d}` to `slaProperties`.",
        f"{_ODCS}, SLA",
    ),
    LintRule(
        "key-missing",
        _WARNING,
        "Something tells two rows apart, or the contract says which are the same.",
        "Set `primaryKey: true` or `unique: true` on a column, or add `deduplication` to the custom properties.",
        f"{_ODCS}, Schema, primaryKey",
    ),
    LintRule(
        "money-double",
        _WARNING,
        "Money is decimal.",
        "Write `physicalType: decimal(18,3)`.",
        "IEEE 754-2019 binary formats hold no tenth exactly; docs/decisions/0004",
    ),
    LintRule(
        "source-field-unused",
        _WARNING,
        "Every source field that a column names is in its expression.",
        "Use the field in `transformLogic`, or take it from `transformSourceObjects`.",
        f"{_ODCS}, transformSourceObjects",
    ),
    LintRule(
        "checks-missing",
        _WARNING,
        "The contract checks the table as a whole.",
        "Add e.g. `quality: [{id: has_rows, metric: rowCount, mustBeGreaterThan: 0}]` to the schema's object.",
        f"{_ODCS}, Data Quality",
    ),
)

LINT_RULES: Final[Mapping[str, LintRule]] = {rule.id: rule for rule in _RULES}
"""Every rule by its id."""
