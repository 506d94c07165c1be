"""The assessment as OSCAL assessment results.

Source: NIST OSCAL 1.1, "Assessment Results Model". Identifiers are version 5 UUIDs of what they name, so that the same
plan under the same rules gives the same document.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID, uuid5

from levee.evidence.assessment import Assessment, Requirement, RuleResult, Status
from levee.plan import Verdict

OSCAL_VERSION: Final = "1.1.3"
NAMESPACE: Final = UUID("5a9f7c1e-6b0d-4c3a-9b55-7d1c0f6e2a41")
_NS: Final = "https://levee.example/ns/oscal"
_PARTY: Final = "levee"


def to_oscal(assessment: Assessment) -> dict[str, Any]:
    """The document: an observation for each rule that judged something, a finding for each requirement it decides."""
    when = assessment.made_at.isoformat(timespec="seconds")
    plan, judged = assessment.plan, [result for result in assessment.rules if result.outcomes]
    covered = [r for r in assessment.requirements if r.status is not Status.NOT_COVERED]
    result: dict[str, Any] = {
        "uuid": _uuid("result", assessment.plan_digest, when),
        "title": f"{plan.project}, stack {plan.stack}",
        "description": "What Levee's rules say of the plan of this stack, requirement by requirement.",
        "start": when,
        "end": when,
        "props": _props(
            {
                "plan-sha256": assessment.plan_digest,
                "rules-sha256": assessment.rules_digest,
                "offline": str(plan.offline).lower(),
                **{f"version-{name}": version for name, version in assessment.versions.items()},
            }
        ),
        "reviewed-controls": {"control-selections": [_selection(covered)]},
        "observations": [_observation(r, assessment, when) for r in judged],
        "findings": [_finding(r) for r in covered if r.status is not Status.NOTHING_TO_JUDGE],
        "remarks": _remarks(assessment),
    }
    return {
        "assessment-results": {
            "uuid": _uuid("assessment", assessment.plan_digest, when),
            "metadata": {
                "title": f"Compliance evidence of {plan.project}/{plan.stack}",
                "last-modified": when,
                "version": assessment.plan_digest[:12],
                "oscal-version": OSCAL_VERSION,
                "parties": [{"uuid": _uuid("party", _PARTY), "type": "organization", "name": _PARTY}],
            },
            "import-ap": {"href": "#", "remarks": "The rules are the plan; their digest is a property of the result."},
            "results": [_without_empty(result)],
        }
    }


def control_id(requirement: Requirement) -> str:
    """The requirement's number as an OSCAL token: ``hipaa-164.312_a_2_iv``."""
    return f"{requirement.framework}-{re.sub(r'[^A-Za-z0-9.-]+', '_', requirement.reference).strip('_')}"


def _selection(requirements: Iterable[Requirement]) -> dict[str, Any]:
    chosen = [{"control-id": control_id(requirement)} for requirement in requirements]
    return {"include-controls": chosen} if chosen else {"description": "none is covered by a rule"}


def _observation(result: RuleResult, assessment: Assessment, when: str) -> dict[str, Any]:
    tally = result.tally
    return _without_empty(
        {
            "uuid": _observation_uuid(result),
            "title": result.rule.id,
            "description": result.rule.title,
            "props": _props({verdict.value: str(tally[verdict]) for verdict in Verdict if tally.get(verdict)}),
            "methods": ["TEST-AUTOMATED"],
            "types": ["control-objective"],
            "subjects": [_subject(urn, assessment) for urn in dict.fromkeys(o.urn for o in result.outcomes)],
            "collected": when,
            "remarks": "\n".join(
                f"{outcome.verdict.value}: {outcome.urn or assessment.plan.stack}: {outcome.message}"
                for outcome in result.outcomes
                if outcome.message
            ),
        }
    )


def _subject(urn: str, assessment: Assessment) -> dict[str, Any]:
    return {"subject-uuid": _uuid("resource", urn), "type": "resource", "title": urn or assessment.plan.stack}


def _finding(requirement: Requirement) -> dict[str, Any]:
    satisfied = requirement.status is Status.SATISFIED
    state = {"state": "satisfied" if satisfied else "not-satisfied", "reason": _reason(requirement.status)}
    return {
        "uuid": _uuid("finding", control_id(requirement)),
        "title": f"{requirement.framework.text.standard} {requirement.reference}",
        "description": f"{requirement.title}: {requirement.status}, as far as the rules can tell.",
        "target": {"type": "objective-id", "target-id": control_id(requirement), "status": state},
        "related-observations": [{"observation-uuid": _observation_uuid(r)} for r in requirement.rules if r.outcomes],
    }


def _reason(status: Status) -> str:
    return {Status.SATISFIED: "pass", Status.NOT_SATISFIED: "fail"}.get(status, "other")


def _remarks(assessment: Assessment) -> str:
    said = []
    for status in (Status.NOT_COVERED, Status.NOTHING_TO_JUDGE):
        numbers = [control_id(r) for r in assessment.requirements if r.status is status]
        said.append(f"{status.capitalize()}: {', '.join(numbers) or 'none'}.")
    return "\n".join(said)


def _props(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "ns": _NS, "value": value} for name, value in values.items() if value]


def _observation_uuid(result: RuleResult) -> str:
    return _uuid("rule", result.rule.id)


def _uuid(*parts: str) -> str:
    return str(uuid5(NAMESPACE, "\n".join(parts)))


def _without_empty(value: dict[str, Any]) -> dict[str, Any]:
    return {key: inner for key, inner in value.items() if inner not in ("", [])}
