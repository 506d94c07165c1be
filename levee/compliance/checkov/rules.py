"""Each check of Checkov as a rule of ours, so that levels, exemptions and reports treat it as any other.

``checks.json`` lists Checkov 3.3.30's checks for Terraform, ARM and Kubernetes as its own registries give them, a check
a line: title, categories and the types that it judges. A test holds it to the installed Checkov.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from levee.compliance.checkov import published
from levee.compliance.checkov.configuration import identity
from levee.compliance.checkov.judge import CheckRaised, judgement
from levee.compliance.graph import Graph
from levee.compliance.rule import Facts, Finding, NotConcerned, Rule, Severity
from levee.plan import STACK_TYPE, Level, Resource, Verdict

PACK: Final = "checkov"
ANSWERS: Final = "checkov-answers"
COVERAGE: Final = "checkov-coverage"

_URL: Final = "https://www.checkov.io/5.Policy%20Index/{}.html"
_PAGES: Final = {"terraform": "terraform", "arm": "arm", "kubernetes": "kubernetes"}
_MANDATORY: Final = (Severity.CRITICAL, Severity.HIGH)


def _rule(check: str, entry: Mapping[str, Any]) -> Rule:
    types = frozenset((framework, t) for framework, names in entry["types"].items() for t in names)
    severity = published.severity(check)
    return Rule(
        id=check,
        pack=PACK,
        title=entry["title"].rstrip("."),
        severity=severity,
        level=Level.MANDATORY if severity in _MANDATORY else Level.ADVISORY,
        remediation=f"Change the property that the message names, so that: {entry['title'].rstrip('.')}.",
        url=_URL.format(_PAGES[next(iter(entry["types"]))]),
        controls=published.CONTROLS.get(check, ()),
        applies=partial(_applies, types),
        check_graph=partial(_check, check, entry["title"].rstrip(".")),
    )


def _applies(types: frozenset[tuple[str, str]], token: str, _facts: Facts) -> bool:
    found = identity(token)
    return found is not None and (found.framework, found.type) in types


def _check(check: str, title: str, resource: Resource, graph: Graph, _facts: Facts) -> Iterator[Finding]:
    found = judgement(graph)
    if found.failure and STACK_TYPE not in graph.by_type:
        raise CheckRaised(found.failure)
    if check in found.broken:
        raise CheckRaised(found.broken[check])
    judged = found.by.get((check, resource.urn))
    if judged is None:
        raise NotConcerned
    if judged.verdict is Verdict.FAILED:
        yield Finding(f"{title}{_at(judged.property)}", property=judged.property)
    elif judged.verdict is Verdict.NOT_EVALUATED:
        message = f"{title}{_at(judged.property)}: a value it looks at is not known before the update"
        yield Finding(message, Verdict.NOT_EVALUATED, judged.property)


def _at(path: str) -> str:
    return f" (it looked at `{path}`)" if path else ""


def _answers(_stack: Resource, graph: Graph, _facts: Facts) -> Iterator[Finding]:
    """Said once, of the stack, rather than by every check of every resource."""
    if failure := judgement(graph).failure:
        raise CheckRaised(failure)
    yield from ()


def _coverage(_stack: Resource, graph: Graph, _facts: Facts) -> Iterator[Finding]:
    """What Checkov has no word for is said, by type: it is never passed."""
    found = judgement(graph)
    if found.failure:
        raise NotConcerned
    for token, count in sorted(found.unmapped.items()):
        plural = "resource" if count == 1 else "resources"
        yield Finding(f"Checkov has no check for {token}: {count} {plural} not evaluated", Verdict.NOT_EVALUATED)


def _is_stack(token: str, _facts: Facts) -> bool:
    return token == STACK_TYPE


def _rules() -> tuple[Rule, ...]:
    entries = json.loads(Path(__file__).with_name("checks.json").read_text(encoding="utf-8"))["checks"]
    answers = Rule(
        id=ANSWERS,
        pack=PACK,
        title="Checkov judged the graph",
        severity=Severity.CRITICAL,
        level=Level.MANDATORY,
        remediation="Install Checkov (make checkov), or mend what the message says.",
        url="docs/reference/checkov.md",
        applies=_is_stack,
        check_graph=_answers,
    )
    coverage = Rule(
        id=COVERAGE,
        pack=PACK,
        title="Checkov has a check for every type of resource",
        severity=Severity.LOW,
        level=Level.ADVISORY,
        remediation="Rely on the compliance pack for these types.",
        url="docs/reference/checkov.md#what-is-not-evaluated",
        applies=_is_stack,
        check_graph=_coverage,
    )
    return (*(_rule(check, entry) for check, entry in entries.items()), answers, coverage)


RULES: Final[Sequence[Rule]] = _rules()
"""Every check of Checkov's, that it answered, and what it does not cover."""
