"""The assessment as one self-contained page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby
from pathlib import Path

import levee.report
from levee.evidence.assessment import Assessment, Requirement, RuleResult, Status
from levee.plan import Verdict
from levee.report.markup import card, section

_CAVEAT = (
    "Satisfied says that every rule which serves the requirement is kept by every resource that it judges. "
    "It proves neither that the rules are enough, nor anything about people, processes and buildings."
)

_GAP = Status.NOT_COVERED
_STYLE = ".scroll { max-height: none } th, td { vertical-align: top } td:nth-child(-n+3) { min-width: 7em }"
"""An auditor prints it: no table scrolls."""


def render(assessment: Assessment) -> str:
    """The page."""
    plan = assessment.plan
    title = f"Compliance evidence: {plan.project}, {plan.stack}"
    style = (Path(levee.report.__file__).parent / "assets" / "page.css").read_text(encoding="utf-8")
    body = "".join(_sections(assessment))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{style}{_STYLE}</style></head>'
        f'<body><header><h1>{escape(title)}</h1><p class="sub">{escape(_CAVEAT)}</p></header>'
        f"<main>{body}</main></body></html>\n"
    )


def _sections(assessment: Assessment) -> Iterator[str]:
    yield section("What was judged", [card("Made of", ("what", "value"), list(_made_of(assessment)))])
    for framework, group in groupby(assessment.requirements, key=lambda requirement: requirement.framework):
        text = framework.text
        yield section(f"{text.standard} ({text.version})", _cards(list(group)))
    findings = [row for result in assessment.rules for row in _finding_rows(result)]
    if findings:
        header = ("rule", "verdict", "resource", "what it says")
        yield section("Failed, exempt and not evaluated", [card(f"{len(findings)} findings", header, findings)])


def _cards(requirements: Sequence[Requirement]) -> list[str]:
    """What rules serve, and plainly apart from it what none does."""
    counts = Counter(requirement.status for requirement in requirements)
    covered = [requirement for requirement in requirements if requirement.rules]
    gaps = [(r.reference, r.title) for r in requirements if not r.rules]
    header = ("number", "requirement", "status", "passed", "failed", "exempt", "not evaluated", "rules")
    tally = ", ".join(f"{counts[status]} {status}" for status in Status if counts[status] and status is not _GAP)
    judged = card(tally or "No rule serves any", header, [_requirement_row(requirement) for requirement in covered])
    return [judged, card(f"{len(gaps)} {_GAP}", ("number", "requirement"), gaps)] if gaps else [judged]


def _made_of(assessment: Assessment) -> Iterator[tuple[str, str]]:
    plan = assessment.plan
    yield "time (UTC)", assessment.made_at.isoformat(timespec="seconds")
    yield "plan", f"{plan.operation}, {'simulated clouds' if plan.offline else 'real providers'}"
    yield "resources", f"{plan.summary.resources:,}"
    yield "SHA-256 of the plan", assessment.plan_digest
    yield "SHA-256 of the rules", assessment.rules_digest
    yield from assessment.versions.items()


def _requirement_row(requirement: Requirement) -> Sequence[str]:
    tally = requirement.tally
    order = (Verdict.PASSED, Verdict.FAILED, Verdict.EXEMPT, Verdict.NOT_EVALUATED)
    counts = (str(tally[verdict]) for verdict in order)
    rules = ", ".join(result.rule.id for result in requirement.rules if result.outcomes)
    silent = sum(not result.outcomes for result in requirement.rules)
    more = f"{'; ' if rules else ''}{silent} without a resource here" if silent else ""
    return (requirement.reference, requirement.title, requirement.status, *counts, f"{rules}{more}")


def _finding_rows(result: RuleResult) -> Iterator[Sequence[str]]:
    for outcome in result.outcomes:
        if outcome.verdict is not Verdict.PASSED:
            yield result.rule.id, outcome.verdict.value, outcome.urn or "the stack", outcome.message
