"""`levee contracts diff` as Markdown for a pull request, and as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from levee.review.escape import code, prose
from pipelines.contracts import Difference, Impact

_WORDS: Final = {
    Impact.BREAKING: "**✗ breaking**",
    Impact.NON_BREAKING: "✓ non-breaking",
    Impact.DOCUMENTATION: "· documentation",
}
_HEADS: Final = ("", "Dataset", "Change", "Why", "Gold tables", "Roles", "Contract")
_MOST: Final = 200
"""Rows of the table; a comment has 65,536 characters."""


def document(differences: Sequence[Difference], old: str, new: str) -> dict[str, Any]:
    """The differences as data: every one with its rule, impact, reason, source of the rule, and whom it hits."""
    rows = [
        {
            "dataset": one.dataset,
            "file": one.file,
            "rule": one.rule.id,
            "impact": one.impact.value,
            "what": one.what,
            "column": one.column,
            "reason": one.rule.reason,
            "source": one.rule.source,
            "gold": list(one.gold),
            "roles": list(one.roles),
        }
        for one in differences
    ]
    blocked = any(one.unannounced for one in differences)
    return {"version": 1, "old": old, "new": new, "differences": rows, "blocked": blocked}


def markdown(differences: Sequence[Difference], old: str, new: str) -> str:
    """The differences as one table; whatever a contract says is harmless in it."""
    title = f"### Data contracts: {code(old, 60)} → {code(new, 60)}"
    if not differences:
        return f"{title}\n\nNothing changes.\n"
    rows = [f"| {' | '.join(_HEADS)} |", f"|{'---|' * len(_HEADS)}", *map(_row, differences[:_MOST])]
    more = [f"and {len(differences) - _MOST:,} more"] if len(differences) > _MOST else []
    gate = ["**Readers were not told: raise the version's major number.**"] * any(
        one.unannounced for one in differences
    )
    return "\n\n".join([title, "\n".join(rows), *more, *gate]) + "\n"


def _row(one: Difference) -> str:
    cells = (
        _WORDS[one.impact],
        code(one.dataset),
        prose(one.what),
        prose(one.rule.reason),
        ", ".join(code(table, 60) for table in one.gold) or "–",
        ", ".join(code(role, 60) for role in one.roles) or "–",
        code(one.file),
    )
    return f"| {' | '.join(cells)} |"
