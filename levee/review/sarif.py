"""The findings as SARIF 2.1.0, which code hosts show on the lines of a pull request.

Source: OASIS Standard "Static Analysis Results Interchange Format (SARIF) Version 2.1.0 Plus Errata 01" (2023-08-28);
GitHub documentation, "SARIF support for code scanning", for what is read of it (``security-severity``, fingerprints).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from levee.compliance import Rule
from levee.plan import Level, Verdict
from levee.review.model import EnvironmentReview, Finding, Review, Status

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_MOST: Final = 25_000
"""Results of one run that GitHub takes."""

_SEVERITY: Final[Mapping[str, str]] = {"low": "3.0", "medium": "5.5", "high": "8.0", "critical": "9.5"}
"""CVSS-like scores in the middle of the bands by which GitHub names severities."""

_BASELINE: Final[Mapping[Status, str]] = {
    Status.NEW: "new",
    Status.ACCEPTED: "new",
    Status.KNOWN: "unchanged",
}
_UNPRINTED: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")


def log(review: Review, rules: Mapping[str, Rule], version: str) -> dict[str, Any]:
    """The SARIF log: one run, one result a finding; the same finding in several environments is one result.

    Args:
        review: What was found.
        rules: The rules by id.
        version: Levee's version.
    """
    merged: dict[str, tuple[Finding, list[str]]] = {}
    for environment in review.environments:
        for finding in environment.findings:
            merged.setdefault(finding.fingerprint, (finding, []))[1].append(environment.name)
    used = sorted({f.violation.policy for f, _ in merged.values()})
    index = {name: place for place, name in enumerate(used)}
    results = [_result(finding, names, index) for finding, names in list(merged.values())[:_MOST]]
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "Levee",
                        "semanticVersion": version,
                        "rules": [_rule(name, rules.get(name)) for name in used],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "invocations": [_invocation(review.environments, review.exit_code)],
                "results": results,
            }
        ],
    }


def _rule(name: str, rule: Rule | None) -> dict[str, Any]:
    if rule is None:
        return {"id": name, "shortDescription": {"text": name}}
    controls = ", ".join(str(control) for control in rule.controls)
    serves = f"\n\nServes {controls}." if controls else ""
    return {
        "id": name,
        "shortDescription": {"text": rule.title},
        "help": {
            "text": f"{rule.remediation}{serves}",
            "markdown": f"**{rule.title}**\n\n{rule.remediation}{serves}",
        },
        **({"helpUri": rule.url} if rule.url.startswith("https://") else {}),
        "defaultConfiguration": {"level": _level(rule.level)},
        "properties": {
            "tags": ["policy", rule.pack],
            "problem.severity": "error" if rule.level is Level.MANDATORY else "warning",
            "security-severity": _SEVERITY[rule.severity.value],
        },
    }


def _result(finding: Finding, environments: Sequence[str], index: Mapping[str, int]) -> dict[str, Any]:
    violation = finding.violation
    undecided = finding.verdict is Verdict.NOT_EVALUATED
    result: dict[str, Any] = {
        "ruleId": violation.policy,
        "ruleIndex": index[violation.policy],
        "kind": "open" if undecided else "fail",
        "level": "none" if undecided else _level(violation.level),
        "message": {"text": _printed(f"{violation.message} (in {', '.join(environments)})")},
        "baselineState": _BASELINE[finding.status],
        "partialFingerprints": {"leveeFinding/v1": finding.fingerprint},
        "properties": {"environments": list(environments)},
    }
    location: dict[str, Any] = {}
    if violation.source and not violation.source.file.startswith("/"):
        location["physicalLocation"] = {
            "artifactLocation": {"uri": quote(_printed(violation.source.file))},
            "region": {"startLine": max(violation.source.line, 1)},
        }
    if violation.urn:
        location["logicalLocations"] = [{"fullyQualifiedName": _printed(violation.urn), "kind": "resource"}]
    if location:
        result["locations"] = [location]
    if finding.status is Status.ACCEPTED:
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": finding.reason}]
    return result


def _invocation(environments: Sequence[EnvironmentReview], code: int) -> dict[str, Any]:
    notes = [
        {"level": "error", "message": {"text": _printed(f"{e.name}: {e.failure}")}} for e in environments if e.failure
    ]
    return {"executionSuccessful": not notes, "exitCode": code, "toolExecutionNotifications": notes}


def _level(level: Level) -> str:
    return "error" if level is Level.MANDATORY else "warning"


def _printed(text: str) -> str:
    return _UNPRINTED.sub("�", text)
