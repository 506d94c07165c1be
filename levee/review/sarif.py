"""The findings as SARIF 2.1.0, which code hosts show on the lines of a pull request.

Source: OASIS Standard "Static Analysis Results Interchange Format (SARIF) Version 2.1.0 Plus Errata 01" (2023-08-28);
GitHub documentation, "SARIF support for code scanning", for what is read of it (``security-severity``, fingerprints,
a file for each result).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from levee.compliance import Rule
from levee.plan import Level, Source, Verdict, Violation
from levee.review.model import EnvironmentReview, Finding, Status

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


@dataclass(frozen=True, slots=True)
class Run:
    """What the log says beside the findings.

    Attributes:
        version: Levee's version.
        exit_code: That of the command.
        file: Where a finding without a line of its own is shown, relative to the repository. GitHub refuses a whole log
            for one result without a file.
        compared: Whether there is a base, so that a finding can be new.
    """

    version: str
    exit_code: int
    file: str
    compared: bool = True


def log(environments: Sequence[EnvironmentReview], run: Run) -> dict[str, Any]:
    """The SARIF log: one run, one result a finding; the same finding in several environments is one result.

    Args:
        environments: What was found.
        run: What is said beside it.
    """
    merged: dict[str, tuple[Finding, list[str]]] = {}
    for environment in environments:
        for finding in environment.findings:
            merged.setdefault(finding.fingerprint, (finding, []))[1].append(environment.name)
    rules = {rule.id: rule for environment in environments for rule in environment.rules}
    used = sorted({f.violation.policy for f, _ in merged.values()})
    index = {name: place for place, name in enumerate(used)}
    return document(
        run.version,
        rules=[_rule(name, rules.get(name)) for name in used],
        results=[_result(finding, names, index, run) for finding, names in merged.values()],
        invocation=_invocation(environments, run.exit_code),
    )


def document(
    version: str,
    *,
    rules: Sequence[Mapping[str, Any]],
    results: Sequence[Mapping[str, Any]],
    invocation: Mapping[str, Any],
) -> dict[str, Any]:
    """A log of one run of Levee: what any writer of findings puts its own into.

    Args:
        version: Levee's version.
        rules: ``reportingDescriptor`` objects (§3.49), in the order of ``ruleIndex``.
        results: ``result`` objects (§3.27); beyond what GitHub takes they are left out.
        invocation: The ``invocation`` object (§3.20).
    """
    driver = {"name": "Levee", "semanticVersion": version, "rules": list(rules)}
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "invocations": [dict(invocation)],
                "results": list(results[:_MOST]),
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


def _result(finding: Finding, environments: Sequence[str], index: Mapping[str, int], run: Run) -> dict[str, Any]:
    violation = finding.violation
    undecided = finding.verdict is Verdict.NOT_EVALUATED
    result: dict[str, Any] = {
        "ruleId": violation.policy,
        "ruleIndex": index[violation.policy],
        "kind": "open" if undecided else "fail",
        "level": "none" if undecided else _level(violation.level),
        "message": {"text": printed(f"{violation.message} (in {', '.join(environments)})")},
        "locations": [_location(violation, run.file)],
        "partialFingerprints": {"leveeFinding/v1": finding.fingerprint},
        "properties": {"environments": list(environments)},
    }
    if run.compared:
        result["baselineState"] = _BASELINE[finding.status]
    if finding.status is Status.ACCEPTED:
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": finding.reason}]
    return result


def _location(violation: Violation, file: str) -> dict[str, Any]:
    source = violation.source
    if source is None or source.file.startswith("/"):
        source = Source(file, 1)
    location = at_line(source.file, source.line)
    if violation.urn:
        location["logicalLocations"] = [{"fullyQualifiedName": printed(violation.urn), "kind": "resource"}]
    return location


def at_line(file: str, line: int) -> dict[str, Any]:
    """The ``location`` object (§3.28) of a line in a file of the repository."""
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(printed(file))},
            "region": {"startLine": max(line, 1)},
        }
    }


def _invocation(environments: Sequence[EnvironmentReview], code: int) -> dict[str, Any]:
    notes = [
        {"level": "error", "message": {"text": printed(f"{e.name}: {e.failure}")}} for e in environments if e.failure
    ]
    return {"executionSuccessful": not notes, "exitCode": code, "toolExecutionNotifications": notes}


def _level(level: Level) -> str:
    return "error" if level is Level.MANDATORY else "warning"


def printed(text: str) -> str:
    """The text with signs that no viewer prints replaced."""
    return _UNPRINTED.sub("�", text)
