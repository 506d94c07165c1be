"""The review as a JSON document, for other programs: everything, uncut.

``{"version": 1, "project", "base", "head", "exit_code", "environments": [{"name", "counts", "changes": [...],
"findings": [...], "cost", "mended", "approval", "unsettled", "failure", "remarks"}], "contracts": [...],
"governed": [...], "remarks"}``
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from levee.review.model import Change, CostChange, EnvironmentReview, Finding, Review

VERSION: Final = 1
"""Raised by one with every change that an old reader would misread."""


def to_document(review: Review) -> dict[str, Any]:
    """The review as JSON values; equal reviews give equal documents."""
    return {
        "version": VERSION,
        "project": review.project,
        "base": asdict(review.base),
        "head": asdict(review.head),
        "exit_code": review.exit_code,
        "environments": [_environment(e) for e in review.environments],
        "contracts": [asdict(c) for c in review.contracts],
        "governed": [asdict(g) for g in review.governed],
        "remarks": list(review.remarks),
    }


def _environment(environment: EnvironmentReview) -> dict[str, Any]:
    return {
        "name": environment.name,
        "counts": {op.value: count for op, count in environment.counts.items()},
        "changes": [_change(c) for c in environment.changes],
        "findings": [_finding(f) for f in environment.findings],
        "cost": _cost(environment.cost) if environment.cost else None,
        "mended": environment.mended,
        "approval": environment.approval.digest if environment.approval else None,
        "unsettled": environment.unsettled,
        "failure": environment.failure,
        "remarks": list(environment.remarks),
    }


def _cost(cost: CostChange) -> dict[str, Any]:
    """Amounts are decimal numbers as text, US dollars a month."""
    moves = [
        {"name": m.name, "type": m.type, "before": str(m.before), "after": str(m.after), "open": list(m.open)}
        for m in cost.moves
    ]
    return {
        "before": str(cost.before),
        "after": str(cost.after),
        "difference": str(cost.after - cost.before),
        "moves": moves,
        "undecided": list(cost.undecided),
    }


def _change(change: Change) -> dict[str, Any]:
    resource = change.resource
    return {
        "op": change.op.value,
        "urn": resource.urn,
        "type": resource.type,
        "name": resource.name,
        "stateful": change.stateful,
        "source": asdict(resource.source) if resource.source else None,
        "replace_keys": list(resource.replace_keys),
        "replacement_unknown": resource.replacement_unknown,
        "properties": [asdict(p) for p in change.properties],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    violation = finding.violation
    return {
        "fingerprint": finding.fingerprint,
        "status": finding.status.value,
        "verdict": finding.verdict.value,
        "level": violation.level.value,
        "blocks": finding.blocks,
        "pack": violation.pack,
        "policy": violation.policy,
        "severity": finding.severity,
        "urn": violation.urn,
        "source": asdict(violation.source) if violation.source else None,
        "message": violation.message,
        "remediation": finding.remediation,
        "reason": finding.reason,
    }
