"""What is in a bundle of evidence: the files for an auditor's tools and eyes, and the summary that its manifest has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from levee.evidence.assessment import Assessment
from levee.evidence.oscal import to_oscal
from levee.evidence.page import render
from levee.plan import document


def files(assessment: Assessment) -> Mapping[str, bytes]:
    """Name to content: OSCAL assessment results, the page, and the plan that was judged."""
    return {
        "assessment-results.json": json.dumps(to_oscal(assessment), indent=2).encode(),
        "report.html": render(assessment).encode(),
        "plan.json": json.dumps(document.to_document(assessment.plan), indent=2).encode(),
    }


def summary(assessment: Assessment) -> Mapping[str, Any]:
    """What was judged, by what, and how many requirements of each framework stand how."""
    return {
        "project": assessment.plan.project,
        "stack": assessment.plan.stack,
        "made_at": assessment.made_at.isoformat(timespec="seconds"),
        "plan_sha256": assessment.plan_digest,
        "rules_sha256": assessment.rules_digest,
        "versions": dict(assessment.versions),
        "requirements": {
            framework.value: {status.value: count for status, count in counts.items()}
            for framework, counts in assessment.counts.items()
        },
    }
