"""Which change of a contract is breaking: one table, each row with its reason and its source.

A published table is read by those who know its former schema, so a change is judged as Avro judges old readers of new
data (Confluent calls it *forward* compatibility): columns may come, types may not change under the reader's feet. SQL
is stricter in one thing: a reader has no default for a column that went.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


class Impact(enum.StrEnum):
    """What a change means to who reads the table, from worst to least."""

    BREAKING = "breaking"
    """A reader may fail, read something else, or see what it must not."""
    NON_BREAKING = "non-breaking"
    """Readers go on as they are."""
    DOCUMENTATION = "documentation"
    """Neither data nor promises change."""


@dataclass(frozen=True, slots=True)
class DiffRule:
    """One kind of change.

    Attributes:
        id: Its name in every output.
        impact: What it means to readers.
        reason: Why.
        source: Standard or document that says so, with its section.
    """

    id: str
    impact: Impact
    reason: str
    source: str


_AVRO: Final = "Apache Avro 1.12 specification, Schema Resolution"
_FORWARD: Final = "Confluent Schema Registry, Schema evolution and compatibility, FORWARD"
_STORE: Final = "Spark SQL reference, ANSI compliance, store assignment"
_ODCS: Final = "ODCS v3.1.0"
_GDPR_MINIMAL: Final = "GDPR Art. 5(1)(c), 25(2)"
_SEMVER: Final = "Semantic Versioning 2.0.0"

_B, _N, _D = Impact.BREAKING, Impact.NON_BREAKING, Impact.DOCUMENTATION
_RULES: Final = (
    DiffRule("dataset-added", _N, "nobody reads it yet", _FORWARD),
    DiffRule("dataset-removed", _B, "whoever reads it finds nothing", _FORWARD),
    DiffRule(
        "removal-unannounced",
        _B,
        "readers were not told by `deprecated` or `retired`",
        f"{_ODCS}, Fundamentals, status",
    ),
    DiffRule("column-added", _N, "a reader leaves out what it does not know", _AVRO),
    DiffRule("column-removed", _B, "a query that names it fails; SQL has no default for it", _FORWARD),
    DiffRule("columns-reordered", _N, "columns are matched by name", _AVRO),
    DiffRule("type-widened", _N, "every old value is one of the new type", f"{_AVRO} (promotion); {_STORE}"),
    DiffRule("type-narrowed", _B, "values may no longer fit, and are rejected", _STORE),
    DiffRule("type-changed", _B, "the reader's type is no longer the table's", _AVRO),
    DiffRule("null-allowed", _B, "a reader meets nulls where there were none", f"{_ODCS}, Schema, required"),
    DiffRule("null-refused", _N, "a stricter promise; rows without a value go to quarantine", f"{_ODCS}, Schema"),
    DiffRule("key-changed", _B, "joins and merges on the key are no longer one to one", f"{_ODCS}, Schema, primaryKey"),
    DiffRule("unique-dropped", _B, "a value may come twice where it could not", f"{_ODCS}, Schema, unique"),
    DiffRule("unique-promised", _N, "a stricter promise", f"{_ODCS}, Schema, unique"),
    DiffRule("derivation-changed", _N, "same type, other values: readers should look", f"{_ODCS}, transformLogic"),
    DiffRule("classification-lowered", _B, "more people may see it than before", _GDPR_MINIMAL),
    DiffRule("classification-raised", _N, "fewer people may see it", _GDPR_MINIMAL),
    DiffRule("mask-removed", _B, "personal values are published as they are", "GDPR Art. 25(1), 32(1)(a)"),
    DiffRule("mask-changed", _B, "pseudonyms no longer join with those before", "GDPR Art. 4(5)"),
    DiffRule("mask-added", _B, "readers find pseudonyms where they found values", "GDPR Art. 4(5)"),
    DiffRule("check-removed", _B, "what the check kept out may now be there", f"{_ODCS}, Data Quality"),
    DiffRule("check-weakened", _B, "rows that break it now stay in the table", f"{_ODCS}, Data Quality, severity"),
    DiffRule("check-changed", _B, "nothing says that it still keeps out all it did", f"{_ODCS}, Data Quality"),
    DiffRule("check-added", _N, "a stricter promise", f"{_ODCS}, Data Quality"),
    DiffRule("check-strengthened", _N, "a stricter promise", f"{_ODCS}, Data Quality, severity"),
    DiffRule("retention-shortened", _B, "rows go that a reader counts on", f"{_ODCS}, SLA, retention"),
    DiffRule("retention-lengthened", _N, "rows stay longer", f"{_ODCS}, SLA, retention"),
    DiffRule("sla-loosened", _B, "data may come later or less often", f"{_ODCS}, SLA"),
    DiffRule("sla-changed", _N, "another promise, or a stricter one", f"{_ODCS}, SLA"),
    DiffRule("role-removed", _B, "who had access by it has none", f"{_ODCS}, Roles"),
    DiffRule("role-changed", _N, "another way to the same table", f"{_ODCS}, Roles"),
    DiffRule(
        "model-changed", _N, "same columns and types, other rows or values: readers should look", f"{_ODCS}, Schema"
    ),
    DiffRule("rows-changed", _B, "one thing has more or fewer rows: counts and sums differ", f"{_ODCS}, Schema"),
    DiffRule(
        "anonymity-loosened", _B, "a person is told from fewer others", "Sweeney 2002, k-anonymity; GDPR Recital 26"
    ),
    DiffRule("anonymity-tightened", _N, "a person is told from more others", "Sweeney 2002, k-anonymity"),
    DiffRule("processing-changed", _N, "how the table is made, not what it promises", f"{_ODCS}, Custom Properties"),
    DiffRule("owner-changed", _D, "somebody else answers for it", f"{_ODCS}, Team"),
    DiffRule("retired", _B, "the dataset is announced to end", f"{_ODCS}, Fundamentals, status"),
    DiffRule("words-changed", _D, "neither data nor promises change", f"{_SEMVER}, 3"),
    DiffRule("version-major-missing", _B, "readers trust the major version", f"{_SEMVER}, 8 (4 below 1.0.0)"),
    DiffRule("version-minor-missing", _N, "what is new has a number of its own", f"{_SEMVER}, 7"),
    DiffRule("version-patch-missing", _D, "one number names one text", f"{_SEMVER}, 3"),
)

DIFF_RULES: Final[Mapping[str, DiffRule]] = {rule.id: rule for rule in _RULES}
"""Every kind of change by its id."""
