"""How strictly the rules hold in one environment: from its file to CrossGuard's configuration, and back."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from levee.compliance.budgets import PACK as BUDGETS
from levee.compliance.exemption import FIELDS, Exemption, parse_exemptions
from levee.compliance.exemption_rules import EXPIRED
from levee.compliance.exemption_rules import PACK as EXEMPTIONS
from levee.compliance.rule import Rule
from levee.compliance.rules import PACK as COMPLIANCE
from levee.errors import UsageError
from levee.plan import Level

if TYPE_CHECKING:
    from levee.environment import Environment

LEVEL_KEY = "enforcementLevel"
_READ = {"budgets", "clouds", "protection", "retention", "usage"}
"""What of an environment's model decides parameters of rules."""


@dataclass(frozen=True)
class Settings:
    """What the environment decided, rule by rule.

    Attributes:
        levels: Rule id to enforcement level.
        parameters: Rule id to its parameters, defaults filled in.
        exemptions: The exemptions, in the environment's order.
    """

    levels: Mapping[str, Level] = field(default_factory=dict)
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    exemptions: Sequence[Exemption] = ()

    @classmethod
    def from_config(cls, rules: Iterable[Rule], config: Mapping[str, Any]) -> Settings:
        """Read CrossGuard's configuration: policy name to a level, or to an object with a level and parameters.

        Names of policies that are not among ``rules`` are passed over: a pack that runs alone is given the whole file.

        Raises:
            UsageError: An exemption is malformed.
        """
        levels: dict[str, Level] = {}
        parameters: dict[str, Mapping[str, Any]] = {}
        for rule in rules:
            given = config.get(rule.id, {})
            given = {LEVEL_KEY: given} if isinstance(given, str) else dict(given)
            levels[rule.id] = Level(given.pop(LEVEL_KEY, None) or config.get("all") or rule.level)
            parameters[rule.id] = {**rule.defaults, **given}
        return cls(levels, parameters, parse_exemptions(parameters.get(EXPIRED, {}).get("entries", ())))


@dataclass(frozen=True, slots=True)
class PolicySetting:
    """What an environment says of one policy or pack; ``levee.environment.PolicySettings`` without its model."""

    level: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PolicyView:
    """What the packs read of an environment.

    A pack's process builds it from the stack's configuration, which the program validates as a whole: loading the
    environment's model and its YAML reader only for this would add a quarter of a second to every run.
    """

    name: str
    classification: str
    expires_on: object
    policies: Mapping[str, PolicySetting]
    exemptions: Sequence[Exemption]
    limits: Mapping[str, Any]
    spending: Mapping[str, Any]

    @classmethod
    def parse(cls, name: str, value: Mapping[str, Any]) -> PolicyView:
        """Read the value of ``levee:environment``.

        Raises:
            UsageError: Policies or exemptions have not the shape that the environment's model asks for.
        """
        where = f"environments/Pulumi.{name}.yaml"
        policies: dict[str, PolicySetting] = {}
        for policy, given in (value.get("policies") or {}).items():
            entry = given if isinstance(given, Mapping) else {}
            level = entry.get("level")
            if level not in (Level.ADVISORY, Level.MANDATORY, Level.DISABLED):
                fix = "write level: advisory, mandatory or disabled"
                at = f"{where}: policies.{policy}"
                raise UsageError(f"{level or given!r} is not an enforcement level", where=at, fix=fix)
            policies[policy] = PolicySetting(level, entry.get("parameters") or {})
        return cls(
            name=name,
            classification=str(value.get("classification") or ""),
            expires_on=value.get("expires_on"),
            policies=policies,
            exemptions=parse_exemptions(value.get("exemptions") or ()),
            limits=_limits(value),
            spending=_budgets(value),
        )


def pack_config(environment: Environment | PolicyView, rules: Sequence[Rule]) -> dict[str, Any]:
    """What ``pulumi --policy-pack-config`` reads, as JSON.

    Args:
        environment: Its ``policies`` name a rule, or a pack for all rules of it; the rule's own entry wins.
        rules: Every rule there is.

    Raises:
        UsageError: A policy, pack or parameter does not exist, or an exemption is about none; with the nearest name.
    """
    by_id = {rule.id: rule for rule in rules}
    packs = {rule.pack for rule in rules}
    names = [*by_id, *sorted(packs)]
    about_exemptions = {EXEMPTIONS, *(rule.id for rule in rules if rule.pack == EXEMPTIONS)}
    excusable = [name for name in names if name not in about_exemptions]
    where = f"environments/Pulumi.{environment.name}.yaml"
    for name in environment.policies:
        _must_be(name, names, f"{where}: policies.{name}", "policy")
    for index, exemption in enumerate(environment.exemptions):
        _must_be(exemption.policy, excusable, f"{where}: exemptions[{index}].policy", "policy")
    config = {rule.id: _entry(rule, environment, where) for rule in rules}
    config[EXPIRED]["entries"] = [{name: str(getattr(e, name)) for name in FIELDS} for e in environment.exemptions]
    return config


def _entry(rule: Rule, environment: Environment | PolicyView, where: str) -> dict[str, Any]:
    entry: dict[str, Any] = {LEVEL_KEY: rule.level.value, **_from_environment(rule, environment)}
    for name in (rule.pack, rule.id):
        settings = environment.policies.get(name)
        if settings is None:
            continue
        entry[LEVEL_KEY] = settings.level
        for parameter, value in settings.parameters.items():
            if parameter in rule.parameters:
                entry[parameter] = value
            elif name == rule.id:
                _must_be(parameter, list(rule.parameters), f"{where}: policies.{name}.parameters", "parameter")
    return entry


def _from_environment(rule: Rule, environment: Environment | PolicyView) -> dict[str, Any]:
    """Parameters that the environment's own fields decide: by rule, or for every rule that has one of the name."""
    if rule.pack == COMPLIANCE:
        limits = environment.limits if isinstance(environment, PolicyView) else _limits(_plain(environment))
        return {name: value for name, value in limits.items() if name in rule.parameters}
    if rule.pack == BUDGETS:
        return dict(environment.spending if isinstance(environment, PolicyView) else _budgets(_plain(environment)))
    match rule.id:
        case "tagging-values":
            return {"environment": environment.name, "highest_classification": environment.classification}
        case "tagging-expiry" if environment.expires_on is not None:
            return {"environments": sorted({*rule.defaults["environments"], environment.name})}
    return {}


def _plain(environment: Environment) -> Mapping[str, Any]:
    return environment.model_dump(mode="json", include=_READ, exclude_none=True, exclude_unset=True)


def _budgets(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the rules about budgets take from the value of ``levee:environment``."""
    return {"budgets": value.get("budgets") or {}, "usage": value.get("usage") or {}}


def _limits(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """What ``levee.compliance.rules.settings`` names, from the value of ``levee:environment``."""
    retention, protection = value.get("retention") or {}, value.get("protection") or {}
    found = {
        "audit_days": retention.get("audit_days"),
        "log_days": retention.get("log_days"),
        "protected": protection.get("stateful"),
        "regions": [cloud["region"] for cloud in (value.get("clouds") or {}).values() if cloud.get("region")],
    }
    return {name: limit for name, limit in found.items() if limit is not None}


def _must_be(name: str, valid: Sequence[str], where: str, what: str) -> None:
    if name in valid:
        return
    near = difflib.get_close_matches(name, valid, n=1)
    fix = f"did you mean {near[0]!r}?" if near else f"use one of {', '.join(valid) or '(it has none)'}"
    raise UsageError(f"no {what} is called {name!r}", where=where, fix=fix)
