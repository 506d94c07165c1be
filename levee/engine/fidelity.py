"""How far to believe an offline plan, from what the stand-ins wrote down while it was made.

Each check of the stand-in says itself how far it reaches on a type (``standin/coverage.py``); here that is laid beside
what the program gives.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from levee.engine.join import records, whose
from levee.plan import CheckReach, Fidelity, NotEvaluated, Op, Resource, TypeFidelity

ONLY_THE_PROVIDER: Final = (
    "quotas and service limits of the account",
    "what the caller's credentials permit",
    "names that somebody else has taken",
    "rules between properties, and between resources, that no SDK writes down",
    "the values of computed outputs and of lookups",
)
"""What no offline check decides, whatever the provider."""

ONLY_THIS_PROVIDER: Final[Mapping[str, str]] = {
    "aws": "service control policies, and which instance types, engine versions and zones a region has",
    "aws-native": "service control policies, and which instance types, engine versions and zones a region has",
    "azure": "Azure Policy, registered resource providers, and which SKUs a region has",
    "azure-native": "Azure Policy, registered resource providers, and which SKUs a region has",
    "gcp": "organisation policies, enabled APIs, and which machine types a zone has",
    "google-native": "organisation policies, enabled APIs, and which machine types a zone has",
    "kubernetes": "admission controllers, the cluster's own resource definitions, and whether pods become ready",
    "databricks": "entitlements, the metastore's assignment, and which node types and runtimes a workspace has",
}
"""What beside that only one provider can say."""


@dataclass
class _Seen:
    """What the stand-ins wrote of one type."""

    sdk: str = ""
    checks: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    invented: tuple[str, ...] = ()
    open_values: dict[str, None] = field(default_factory=dict)
    unchecked: dict[str, None] = field(default_factory=dict)
    replacement_unknown: dict[str, None] = field(default_factory=dict)


def of(
    graph: Sequence[Resource], standin_log: Path, opaque: Mapping[str, str], placeholders: Iterable[str] = ()
) -> Fidelity:
    """How far to believe a plan.

    Args:
        graph: Its resources.
        standin_log: What the stand-ins wrote down; absent where none ran.
        opaque: By URN, or its end, why nobody has looked into a component.
        placeholders: What stands in for something that nobody gave, one sentence each.
    """
    seen = _read(records(standin_log))
    by_type: dict[str, list[Resource]] = {}
    for resource in graph:
        if resource.custom and not resource.type.startswith("pulumi:") and resource.op is not Op.DELETE:
            by_type.setdefault(resource.type, []).append(resource)
    types = tuple(_of_type(token, found, seen[token]) for token, found in sorted(by_type.items()) if token in seen)
    packages = sorted({t.package for t in types})
    return Fidelity(
        types=types,
        not_evaluated=(*_opaque(opaque, graph), *_unseen(by_type, seen)),
        placeholders=tuple(placeholders),
        only_the_provider=(
            *(ONLY_THE_PROVIDER if types else ()),
            *(f"{package}: {ONLY_THIS_PROVIDER[package]}" for package in packages if package in ONLY_THIS_PROVIDER),
        ),
    )


def _read(lines: Iterable[Mapping[str, Any]]) -> dict[str, _Seen]:
    seen: dict[str, _Seen] = {}
    for line in lines:
        kind = line["kind"]
        if kind not in {"fidelity", "open_enum", "unchecked_property", "replacement_unknown"}:
            continue
        type_ = seen.setdefault(line["type"], _Seen())
        if kind == "fidelity":
            type_.sdk, type_.checks, type_.invented = line["sdk"], line["checks"], tuple(line["invented"])
        elif kind == "open_enum":
            type_.open_values[line["property"]] = None
        elif kind == "unchecked_property":
            type_.unchecked[line["property"]] = None
        else:
            type_.replacement_unknown.update(dict.fromkeys(line["properties"]))
    return {token: type_ for token, type_ in seen.items() if type_.sdk}


def _of_type(token: str, resources: Sequence[Resource], seen: _Seen) -> TypeFidelity:
    given = [[name for name in resource.inputs if not name.startswith("__")] for resource in resources]
    return TypeFidelity(
        type=token,
        sdk=seen.sdk,
        resources=len(resources),
        given=sum(map(len, given)),
        checks=tuple(_reach(name, given, **check) for name, check in seen.checks.items()),
        invented=seen.invented,
        open_values=tuple(seen.open_values),
        unchecked=tuple(seen.unchecked),
        replacement_unknown=tuple(seen.replacement_unknown),
    )


def _reach(
    name: str, given: Sequence[Sequence[str]], *, concerned: Sequence[str], undecided: Sequence[str]
) -> CheckReach:
    concerns, left = frozenset(concerned), frozenset(undecided)
    counted = [one for names in given for one in names if one in concerns]
    passed = [one for one in counted if one in left]
    return CheckReach(
        name=name,
        inputs=len(concerns),
        decided=len(concerns) - len(left),
        given=len(counted),
        undecided=tuple(dict.fromkeys(passed)),
        let_pass=len(passed),
    )


def _opaque(opaque: Mapping[str, str], graph: Sequence[Resource]) -> list[NotEvaluated]:
    """Also what is no resource of the graph, since nobody made it: its key then says type and name."""
    types = {resource.urn: resource.type for resource in graph}
    found = ((whose(key, types) or key, why) for key, why in opaque.items())
    return [NotEvaluated(urn, types.get(urn) or urn.partition("::")[0], why) for urn, why in found]


def _unseen(by_type: Mapping[str, Sequence[Resource]], seen: Mapping[str, _Seen]) -> list[NotEvaluated]:
    """Resources whose inputs no stand-in checked: read by id, or of a provider that is the program's own."""
    return [
        NotEvaluated(r.urn, r.type, "read by its id" if r.op is Op.READ else "its provider is not a stand-in")
        for token, resources in by_type.items()
        for r in resources
        if token not in seen
    ]
