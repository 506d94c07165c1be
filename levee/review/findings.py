"""Which of the head's findings are the head's doing: not those of the base, nor those that the repository accepts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import PurePosixPath

from levee.compliance import Rule
from levee.plan import Plan, Urn, Verdict, Violation
from levee.review.accepted import Acceptance
from levee.review.changes import in_repository
from levee.review.model import Finding, Status


def fingerprint(violation: Violation, verdict: Verdict = Verdict.FAILED) -> str:
    """A name of the finding that outlives moved lines and is the same in every environment.

    It is of the rule, the resource without its stack, the verdict and what was said: another value of the same property
    is another finding. It begins with a letter, so that YAML never takes it for a number.
    """
    where = ""
    if violation.urn:
        urn = Urn.parse(violation.urn)
        where = f"{urn.project}::{urn.qualified_type}::{urn.name}"
    said = f"{violation.policy}\x1f{where}\x1f{verdict.value}\x1f{violation.message}"
    return f"f{hashlib.sha256(said.encode('utf-8', 'surrogatepass')).hexdigest()[:31]}"


def findings(
    base: Plan | None,
    head: Plan,
    *,
    rules: Mapping[str, Rule],
    accepted: Mapping[str, Acceptance],
    today: date,
    folder: PurePosixPath | None = None,
) -> tuple[tuple[Finding, ...], int]:
    """Everything that the rules say of the head, each with where it stands.

    Args:
        base: A preview of the base on its own state; ``None`` where there is no base.
        head: A preview of the head on that state.
        rules: The rules by id.
        accepted: What the repository accepts, by fingerprint.
        today: The UTC date that an acceptance's expiry is judged by.
        folder: The project's folder in the repository, which the files of the findings then begin with; ``None``
            where it is the top one.

    Returns:
        The findings, blocking ones first; and how many of the base's broken rules are kept now.
    """
    known = {fingerprint(v, verdict) for v, verdict in _said(base)} if base else set()
    found: dict[str, Finding] = {}
    for violation, verdict in _said(head):
        name = fingerprint(violation, verdict)
        status, reason = Status.NEW, ""
        if name in known:
            status = Status.KNOWN
        elif (acceptance := accepted.get(name)) is not None and not acceptance.expired(today):
            status, reason = Status.ACCEPTED, acceptance.reason
        placed = replace(violation, source=in_repository(violation.source, folder))
        finding = Finding(placed, verdict, status, name, reason=reason)
        found.setdefault(name, _explained(finding, rules))
    failed_before = {fingerprint(v) for v in base.violations} if base else set()
    mended = len(failed_before - found.keys())
    order = (Status.NEW, Status.ACCEPTED, Status.KNOWN)
    return tuple(
        sorted(
            found.values(),
            key=lambda f: (not f.blocks, order.index(f.status), f.verdict.value, f.violation.policy, f.violation.urn),
        )
    ), mended


def _said(plan: Plan) -> Iterator[tuple[Violation, Verdict]]:
    yield from ((v, Verdict.FAILED) for v in plan.violations)
    yield from ((v, Verdict.NOT_EVALUATED) for v in plan.not_evaluated)


def _explained(finding: Finding, rules: Mapping[str, Rule]) -> Finding:
    rule = rules.get(finding.violation.policy)
    if rule is None:
        return finding
    return replace(finding, title=rule.title, remediation=rule.remediation, severity=rule.severity.value, url=rule.url)
