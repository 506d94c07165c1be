"""Findings about contracts as SARIF, for the lines of a pull request, and as plain data."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from levee.review import sarif
from pipelines.contracts import LINT_RULES, LintFinding, LintLevel, LintRule


def failed(findings: Sequence[LintFinding], *, strict: bool) -> bool:
    """Whether the gate says no: for any error, and where it is strict for any warning."""
    return any(strict or finding.rule.level is LintLevel.ERROR for finding in findings)


def document(findings: Sequence[LintFinding], files: int, *, blocked: bool) -> dict[str, Any]:
    """The findings as data: ``findings`` (rule, level, message, file, line, fix), ``files`` looked at, ``blocked``."""
    rows = [{**asdict(finding), "rule": finding.rule.id, "level": finding.rule.level.value} for finding in findings]
    return {"version": 1, "files": files, "findings": rows, "blocked": blocked}


def sarif_log(findings: Sequence[LintFinding], version: str, *, blocked: bool) -> dict[str, Any]:
    """The findings as a SARIF log, with every rule that the linter has."""
    index = {name: place for place, name in enumerate(LINT_RULES)}
    return sarif.document(
        version,
        rules=[_rule(rule) for rule in LINT_RULES.values()],
        results=[_result(finding, index[finding.rule.id]) for finding in findings],
        invocation={"executionSuccessful": True, "exitCode": int(blocked)},
    )


def _rule(rule: LintRule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "help": {"text": f"{rule.fix}\n\nSource: {rule.source}."},
        "defaultConfiguration": {"level": rule.level.value},
        "properties": {"tags": ["data-contract"], "problem.severity": rule.level.value},
    }


def _result(finding: LintFinding, index: int) -> dict[str, Any]:
    name = f"{finding.rule.id}\x1f{finding.file}\x1f{finding.message}"
    return {
        "ruleId": finding.rule.id,
        "ruleIndex": index,
        "kind": "fail",
        "level": finding.rule.level.value,
        "message": {"text": sarif.printed(f"{finding.message}. {finding.fix}")},
        "locations": [sarif.at_line(finding.file, finding.line)],
        "partialFingerprints": {
            "leveeFinding/v1": f"f{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:31]}"
        },
    }
