"""Cluster policies: what their JSON document must settle, so that a cluster held to one is a good one.

Source: Databricks documentation, "Compute policy reference" (attribute paths and limitation types).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from levee.compliance.rule import Finding, Severity, Undecidable
from levee.compliance.rules import controls as c
from levee.compliance.rules.build import rule
from levee.compliance.rules.checks import Check, document, reads
from levee.compliance.rules.databricks.compute import IDLE_MINUTES, UNITY_MODES
from levee.compliance.rules.databricks.specs import DOCS, POLICY, Definition, allowed_by, limits_of
from levee.compliance.rules.scope import Scope
from levee.compliance.rules.secrets import is_plain_secret
from levee.compliance.rules.settings import Setting, setting_value

_DEFINITION: Final = "definition"
_OVERRIDES: Final = "policyFamilyDefinitionOverrides"
_FAMILY: Final = "policyFamilyId"
_REFERENCE: Final = f"{DOCS}admin/clusters/policy-definition"


def _settles(
    accept: Callable[[Definition, Scope], str], *, open_fails: bool = True, settings: tuple[Setting, ...] = ()
) -> Check:
    """A check of the policy's document: its own, or what it overrides of a policy family's.

    Args:
        accept: What is wrong with a definition.
        open_fails: Whether a definition must settle something; else only what stands in it can be wrong.
        settings: The environment's limits that ``accept`` uses.
    """

    @reads(_DEFINITION, _OVERRIDES, _FAMILY, settings=settings)
    def run(scope: Scope) -> Iterator[Finding]:
        for path in (_DEFINITION, _OVERRIDES):
            found = scope.one(path)
            if found.empty:
                continue
            parsed = document(found.value, path)
            said = accept(parsed if isinstance(parsed, Mapping) else {}, scope)
            if said and path == _OVERRIDES and open_fails:
                yield Undecidable(path, f"the policy family may settle what `{path}` does not: {said}").finding()
            elif said:
                yield Finding(f"`{path}`: {said}", property=path)
            return
        if not open_fails:
            return
        if not scope.one(_FAMILY).empty:
            yield Undecidable(_FAMILY, "what a policy family settles is known to Databricks alone").finding()
        else:
            yield Finding(f"`{_DEFINITION}` is not set: the policy restricts nothing", property=_DEFINITION)

    return run


def _access_mode(definition: Definition, _scope: Scope) -> str:
    allowed = allowed_by(limits_of(definition, "data_security_mode"))
    if allowed is None:
        return "it leaves data_security_mode open: fix it, or list the modes of Unity Catalog"
    others = [str(mode) for mode in allowed if mode not in UNITY_MODES]
    return f"it allows data_security_mode {', '.join(others)}, in which Unity Catalog has no say" if others else ""


def _idle(definition: Definition, scope: Scope) -> str:
    if allowed_by(limits_of(definition, "cluster_type")) in (["job"], ["dlt"]):
        return ""  # such a cluster ends with its run
    limits = limits_of(definition, "autotermination_minutes")
    most = setting_value(IDLE_MINUTES, scope.facts)
    if limits.get("type") == "range":
        bounds = [limits.get("minValue"), limits.get("maxValue")]
    else:
        bounds = allowed_by(limits) or [None]
    if all(isinstance(bound, int) and 0 < bound <= most for bound in bounds):
        return ""
    return f"it must hold autotermination_minutes between 1 and {most}"


def _scripts(definition: Definition, _scope: Scope) -> str:
    opened = [
        attribute
        for attribute, entry in definition.items()
        if attribute.startswith("init_scripts.")
        and attribute.endswith((".dbfs.destination", ".file.destination"))
        and isinstance(entry, Mapping)
        and entry.get("type") != "forbidden"
    ]
    return f"it puts init scripts where anybody may change them: {', '.join(opened)}" if opened else ""


def _secrets(definition: Definition, _scope: Scope) -> str:
    plain = [
        attribute
        for attribute, entry in definition.items()
        if attribute.startswith(("spark_conf.", "spark_env_vars."))
        and isinstance(entry, Mapping)
        and any(
            is_plain_secret(attribute.partition(".")[2], value)
            for value in (entry.get("value"), entry.get("defaultValue"), *(entry.get("values") or ()))
            if value is not None
        )
    ]
    return f"it holds a secret in plain under {', '.join(plain)}" if plain else ""


RULES: Final = (
    rule(
        "databricks-policy-access-mode",
        "Every cluster policy allows no access mode but Unity Catalog's",
        POLICY,
        _settles(_access_mode),
        severity=Severity.HIGH,
        mend='Add `"data_security_mode": {"type": "fixed", "value": "SINGLE_USER"}` to the definition.',
        url=_REFERENCE,
        controls=(*c.LEAST_PRIVILEGE, *c.databricks_sat("GOV-12")),
    ),
    rule(
        "databricks-policy-auto-termination",
        "Every cluster policy for all-purpose clusters ends them when they are idle",
        POLICY,
        _settles(_idle, settings=(IDLE_MINUTES,)),
        severity=Severity.MEDIUM,
        mend='Add `"autotermination_minutes": {"type": "range", "minValue": 10, "maxValue": 120}`, or '
        '`"cluster_type": {"type": "fixed", "value": "job"}`.',
        url=_REFERENCE,
        controls=c.CAPACITY,
    ),
    rule(
        "databricks-policy-init-scripts",
        "No cluster policy puts init scripts on DBFS or a cluster's own disk",
        POLICY,
        _settles(_scripts, open_fails=False),
        severity=Severity.HIGH,
        mend='Write `{"type": "forbidden"}` for `init_scripts.*.dbfs.destination`; keep scripts in volumes.',
        url=f"{DOCS}init-scripts/",
        controls=(*c.HARDENING, *c.databricks_sat("GOV-25")),
    ),
    rule(
        "databricks-policy-no-plain-secrets",
        "No cluster policy hands out a secret in plain",
        POLICY,
        _settles(_secrets, open_fails=False),
        severity=Severity.CRITICAL,
        mend="Put it into a secret scope and write `{{secrets/scope/key}}` as the fixed value.",
        url=f"{DOCS}security/secrets/",
        controls=(*c.SECRETS, *c.databricks_sat("DP-1")),
    ),
)
