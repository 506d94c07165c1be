"""How a rule of the compliance pack is put together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from levee.compliance.graph import Graph, base_type
from levee.compliance.rule import Control, Facts, Finding, Rule, Severity
from levee.compliance.rules.checks import Check
from levee.compliance.rules.scope import Scope
from levee.plan import Level, Resource

PACK: Final = "compliance"
_NO_GRAPH: Final = Graph()


@dataclass(frozen=True, slots=True)
class _Judge:
    """A check as the evaluator calls it, with the graph or without."""

    check: Check
    types: frozenset[str]

    def applies(self, token: str, _facts: Facts) -> bool:
        return base_type(token) in self.types

    def resource(self, resource: Resource, facts: Facts) -> Iterator[Finding]:
        return self.check.run(Scope.of(resource, _NO_GRAPH, facts))

    def in_graph(self, resource: Resource, graph: Graph, facts: Facts) -> Iterator[Finding]:
        return self.check.run(Scope.of(resource, graph, facts))


def rule(
    id_: str,
    title: str,
    types: str | Sequence[str],
    check: Check,
    *,
    severity: Severity,
    mend: str,
    url: str,
    controls: Sequence[Control],
    level: Level | None = None,
) -> Rule:
    """A rule over some types of resource.

    It blocks a resource before its creation where the resource alone decides, and the stack where its graph must.

    Args:
        id_: ``<cloud>-<service>-<what holds>``, kebab-case.
        title: What holds when the rule is kept, one sentence without its full stop.
        types: Base type tokens (azure-native's without a date).
        check: What must hold.
        severity: How bad a breach is.
        mend: The edit that mends a breach, in Pulumi's Python.
        url: The provider's own documentation of the requirement.
        controls: Paragraphs of standards that it serves, from ``controls``.
        level: Enforcement where the environment says nothing; by default a critical rule is mandatory, others advise.
    """
    tokens = (types,) if isinstance(types, str) else tuple(types)
    judge = _Judge(check, frozenset(tokens))
    return Rule(
        id=id_,
        pack=PACK,
        title=title,
        severity=severity,
        level=level or (Level.MANDATORY if severity is Severity.CRITICAL else Level.ADVISORY),
        remediation=mend,
        url=url,
        controls=tuple(dict.fromkeys(controls)),
        parameters={setting.name: setting.parameter for setting in check.settings},
        applies=judge.applies,
        types=tokens,
        reads=tuple(dict.fromkeys(check.reads)),
        check=None if check.graph else judge.resource,
        check_graph=judge.in_graph if check.graph else None,
    )
