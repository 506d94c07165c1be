"""Runs rules over resources: applicable or not, passed, failed, exempt, not evaluated.

A rule that raises is a failed gate that names the rule, whatever its level: a broken rule must never look like a pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any

from levee.compliance.budgets import Pricer
from levee.compliance.exemption import Exemption
from levee.compliance.exemption_rules import PACK as EXEMPTIONS
from levee.compliance.graph import Graph
from levee.compliance.rule import Excused, Facts, Finding, NotConcerned, Rule, Undecidable
from levee.compliance.settings import Settings
from levee.compliance.tagging.place import Places
from levee.plan import STACK_TYPE, Level, Op, Plan, Resource, Verdict, Violation

_NO_INPUTS: Mapping[str, Any] = {}
_NOT_JUDGED = frozenset({Op.READ, Op.DELETE})
_EXCUSABLE = frozenset({Verdict.FAILED, Verdict.NOT_EVALUATED})
"""What an exemption is of use to; what is not evaluated yet stays so, and may turn out to need it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one rule says of one resource.

    Attributes:
        rule: The rule.
        urn: The resource; empty for the stack as a whole.
        verdict: Its verdict.
        level: How strictly it holds here; a rule that raised is mandatory.
        message: Empty where it passed.
        property: Dotted path of the property meant, or empty.
        exemption: What excused it, where the verdict is ``EXEMPT``.
    """

    rule: Rule
    urn: str
    verdict: Verdict
    level: Level
    message: str = ""
    property: str = ""
    exemption: Exemption | None = None


@dataclass(frozen=True, slots=True)
class _Broken:
    """A rule that raised."""

    message: str

    @classmethod
    def by(cls, rule: Rule, error: Exception) -> _Broken:
        return cls(f"the rule {rule.id} failed itself: {type(error).__name__}: {error}")


@dataclass(frozen=True, slots=True)
class Applicable:
    """The rules for one type.

    Attributes:
        rules: Those to run.
        unsure: Those that cannot even tell whether they apply, with what they say of it.
    """

    rules: Sequence[Rule] = ()
    unsure: Sequence[tuple[Rule, Finding | _Broken]] = ()

    @property
    def ids(self) -> frozenset[str]:
        """Ids of all that speak, the unsure ones too."""
        return frozenset(rule.id for rule in (*self.rules, *(rule for rule, _ in self.unsure)))


_NOTHING = Applicable()


class _FactsOfProvider(dict[str, Facts]):
    """Rule id to what it may know of a resource of one provider, made when it is asked for.

    Args:
        plain: The same without a provider.
        provider: The provider's inputs; held, so that no other provider's take their identity.
    """

    def __init__(self, plain: Mapping[str, Facts], provider: Mapping[str, Any]) -> None:
        super().__init__()
        self._plain = plain
        self._provider = provider

    def __missing__(self, rule_id: str) -> Facts:
        facts = self[rule_id] = replace(self._plain[rule_id], provider=self._provider)
        return facts


class Evaluator:
    """Evaluates the resources of one stack, one after the other, then the stack.

    It remembers which exemptions were of use, and nothing else.

    Args:
        rules: The rules of the pack.
        settings: Levels, parameters and exemptions.
        places: Where types carry tags.
        stack: The stack's name.
        today: The UTC date that expiry is judged by.
        spending: Prices a graph, for the budgets.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        settings: Settings,
        places: Places,
        stack: str,
        today: date,
        *,
        spending: Pricer | None = None,
    ) -> None:
        self._settings = settings
        enabled = [rule for rule in rules if settings.levels[rule.id] is not Level.DISABLED]
        self._resource_rules = [rule for rule in enabled if rule.check is not None]
        self._graph_rules = [rule for rule in enabled if rule.check_graph is not None]
        self._stack_rules = [rule for rule in enabled if rule.check_stack is not None]
        names = {name for rule in rules for name in (rule.id, rule.pack)}
        self._exemptions = [e for e in settings.exemptions if e.policy in names]
        self._matched = [0] * len(self._exemptions)
        self._excused = [0] * len(self._exemptions)
        self._facts = {
            rule.id: Facts(
                stack=stack,
                today=today,
                places=places,
                parameters=settings.parameters[rule.id],
                exemptions=self._exemptions,
                spending=spending,
            )
            for rule in enabled
        }
        self._today = today
        self._by_type: dict[str, Applicable] = {}
        self._graph_by_type: dict[str, Applicable] = {}
        self._of_provider: dict[int, _FactsOfProvider] = {}

    def applicable(self, resource: Resource) -> Applicable:
        """The resource rules that have something to say about that resource."""
        return self._applicable(resource, self._resource_rules, self._by_type)

    def _applicable(self, resource: Resource, rules: Sequence[Rule], by_type: dict[str, Applicable]) -> Applicable:
        if not resource.custom and resource.type != STACK_TYPE:
            return _NOTHING  # a component is no thing in any cloud: its children are judged
        found = by_type.get(resource.type)
        if found is None:
            found = by_type[resource.type] = self._select(resource.type, rules)
        return found

    def _select(self, token: str, candidates: Sequence[Rule]) -> Applicable:
        rules: list[Rule] = []
        unsure: list[tuple[Rule, Finding | _Broken]] = []
        for rule in candidates:
            try:
                if rule.applies(token, self._facts[rule.id]):
                    rules.append(rule)
            except Undecidable as undecidable:
                unsure.append((rule, undecidable.finding()))
            except Exception as error:  # noqa: BLE001 - whatever a rule raises fails the gate, by name
                unsure.append((rule, _Broken.by(rule, error)))
        return Applicable(tuple(rules), tuple(unsure))

    def resource(self, resource: Resource, provider: Mapping[str, Any] = _NO_INPUTS) -> list[Outcome]:
        """Every applicable rule's outcome, passed ones included.

        Args:
            resource: The resource, with its inputs.
            provider: Inputs of its provider.
        """
        for index, exemption in enumerate(self._exemptions):
            self._matched[index] += exemption.covers(resource.urn)
        applicable = self.applicable(resource)
        outcomes = self._unsure(applicable, resource)
        if not applicable.rules:
            return outcomes
        facts = self._of_provider.get(id(provider))
        if facts is None:
            facts = self._of_provider[id(provider)] = _FactsOfProvider(self._facts, provider)
        for rule in applicable.rules:
            check = rule.check
            if check is not None:
                findings = _run(rule, partial(check, resource, facts[rule.id]))
                outcomes += self._outcomes(rule, findings, resource.urn)
        return outcomes

    def stack(self, resources: Sequence[Resource]) -> list[Outcome]:
        """The outcomes of graph rules, passed ones included, then of stack rules; call it last, after each resource."""
        outcomes = self._graph(resources)
        excused = Excused(tuple(self._matched), tuple(self._excused))
        for rule in self._stack_rules:
            check = rule.check_stack
            if check is not None:
                findings = _run(rule, partial(check, resources, self._facts[rule.id], excused))
                outcomes += self._outcomes(rule, findings, "")
        return outcomes

    def _graph(self, resources: Sequence[Resource]) -> list[Outcome]:
        graph = Graph(resources)
        outcomes: list[Outcome] = []
        for resource in resources:
            applicable = self._applicable(resource, self._graph_rules, self._graph_by_type)
            outcomes += self._unsure(applicable, resource)
            for rule in applicable.rules:
                check = rule.check_graph
                if check is not None:
                    findings = _run(rule, partial(check, resource, graph, self._facts[rule.id]))
                    outcomes += self._outcomes(rule, findings, resource.urn)
        return outcomes

    def _unsure(self, applicable: Applicable, resource: Resource) -> list[Outcome]:
        return [o for rule, said in applicable.unsure for o in self._outcomes(rule, [said], resource.urn)]

    def _outcomes(self, rule: Rule, findings: Sequence[Finding | _Broken] | None, urn: str) -> list[Outcome]:
        if findings is None:
            return []
        if not findings:
            return [Outcome(rule, urn, Verdict.PASSED, self._settings.levels[rule.id])]
        return [
            Outcome(rule, urn, Verdict.FAILED, Level.MANDATORY, finding.message)
            if isinstance(finding, _Broken)
            else self._judge(rule, finding, finding.urn or urn)
            for finding in findings
        ]

    def _judge(self, rule: Rule, finding: Finding, urn: str) -> Outcome:
        level = self._settings.levels[rule.id]
        if finding.verdict in _EXCUSABLE and rule.pack != EXEMPTIONS:
            for index, exemption in enumerate(self._exemptions):
                if exemption.names(rule.id, rule.pack) and exemption.covers(urn) and not exemption.expired(self._today):
                    self._excused[index] += 1
                    if finding.verdict is not Verdict.FAILED:
                        break
                    message = f"{finding.message} (until {exemption.expires}, {exemption.owner}: {exemption.reason})"
                    return Outcome(rule, urn, Verdict.EXEMPT, level, message, finding.property, exemption)
        return Outcome(rule, urn, finding.verdict, level, finding.message, finding.property)


def _run(rule: Rule, check: Any) -> list[Finding | _Broken] | None:
    """What a rule finds; ``None`` where it says that it is not concerned."""
    findings: list[Finding | _Broken] = []
    try:
        findings.extend(check())
    except NotConcerned:
        return None
    except Undecidable as undecidable:
        findings.append(undecidable.finding())
    except Exception as error:  # noqa: BLE001 - whatever a rule raises fails the gate, by name
        findings.append(_Broken.by(rule, error))
    return findings


def evaluate(
    plan: Plan,
    rules: Sequence[Rule],
    settings: Settings,
    places: Places,
    today: date,
    *,
    spending: Pricer | None = None,
) -> Sequence[Outcome]:
    """Every rule over every resource of a plan, then over the stack: the packs' verdicts without an engine.

    As the engine does, it leaves out what the stack only reads and what is about to be deleted.

    Args:
        plan: A preview or a deployed stack.
        rules: The rules.
        settings: Levels, parameters and exemptions; ``Settings.from_config(rules, pack_config(...))``.
        places: Where types carry tags.
        today: The UTC date that expiry is judged by.
        spending: Prices a graph, for the budgets: ``levee.cost.spending``.
    """
    evaluator = Evaluator(rules, settings, places, plan.stack, today, spending=spending)
    providers = {r.urn: r.inputs for r in plan.resources if r.is_provider}
    outcomes: list[Outcome] = []
    judged = [r for r in plan.resources if r.op not in _NOT_JUDGED]
    for resource in judged:
        provider = providers.get(resource.provider.rpartition("::")[0], _NO_INPUTS)
        outcomes += evaluator.resource(resource, provider)
    return (*outcomes, *evaluator.stack(judged))


def judged(plan: Plan, outcomes: Iterable[Outcome]) -> Plan:
    """The plan with what was said of it, as a preview with the packs has it."""
    said: dict[Verdict, list[Violation]] = {verdict: [] for verdict in Verdict}
    for outcome in outcomes:
        level = outcome.level if outcome.verdict is Verdict.FAILED else Level.ADVISORY
        resource = plan.by_urn.get(outcome.urn)
        source = resource.source if resource else None
        violation = Violation(outcome.rule.pack, outcome.rule.id, level, outcome.message, outcome.urn, source)
        said[outcome.verdict].append(violation)
    return replace(
        plan,
        violations=tuple(said[Verdict.FAILED]),
        exempt=tuple(said[Verdict.EXEMPT]),
        not_evaluated=tuple(said[Verdict.NOT_EVALUATED]),
    )
