"""The tagging rules: what a resource must say of itself, so that it can be owned, paid for and cleared away."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, Final

from levee.compliance.rule import Control, Facts, Finding, Parameter, Rule, Severity, Undecidable, known
from levee.compliance.tagging.dialect import Dialect, canonical_key, same_value
from levee.compliance.tagging.read import Tags, can_carry, tags_of
from levee.plan import Level, Resource

PACK: Final = "tagging"
OWNER: Final = "owner"
COST_CENTRE: Final = "cost-centre"
ENVIRONMENT: Final = "environment"
CLASSIFICATION: Final = "data-classification"
MANAGED_BY: Final = "managed-by"
EXPIRES_ON: Final = "expires-on"
REQUIRED: Final = (OWNER, COST_CENTRE, ENVIRONMENT, CLASSIFICATION, MANAGED_BY)
CLASSES: Final = ("public", "internal", "confidential", "restricted")
"""Data classes, the least protected first."""

_URL = "docs/reference/policies.md#tagging"
_STRINGS: Final = {"type": "array", "items": {"type": "string"}}
_INVENTORY: Final = (
    Control("ISO/IEC 27001", "2022", "A.5.9"),
    Control("PCI DSS", "4.0.1", "12.5.1"),
)
_LABELLING: Final = (
    Control("ISO/IEC 27001", "2022", "A.5.12"),
    Control("ISO/IEC 27001", "2022", "A.5.13"),
)


def required(resource: Resource, facts: Facts) -> Iterator[Finding]:
    """Every required key is there; a value that is still unknown counts, since the key is set."""
    tags = tags_of(resource, facts)
    found = tags.canonical()
    missing = [key for key in facts.parameters["keys"] if not _present(found.get(canonical_key(key)))]
    if missing:
        empty = [key for key in missing if canonical_key(key) in found]
        note = f" ({', '.join(empty)} is there but empty)" if empty else ""
        yield Finding(
            f"{tags.dialect.word} {', '.join(missing)} missing{note}: add {_them(missing)} to `{tags.place}`"
            f"{_or_provider(tags)}",
            property=str(tags.place),
        )


def values(resource: Resource, facts: Facts) -> Iterator[Finding]:
    """What is written under the known keys means something: a cost centre, this environment, a class of data."""
    tags = tags_of(resource, facts)
    found = tags.canonical()
    checks = {
        OWNER: _pattern("owner_pattern"),
        COST_CENTRE: _pattern("cost_centre_pattern"),
        ENVIRONMENT: _environment,
        CLASSIFICATION: _classification,
        MANAGED_BY: _managed_by,
    }
    for key, check in checks.items():
        value = found.get(key)
        if not _present(value):
            continue  # absent keys are the other rule's business
        path = f"{tags.place}.{key}"
        try:
            complaint = check(str(known(value, path)), tags.dialect, facts)
        except Undecidable as undecidable:
            yield undecidable.finding()
            continue
        if complaint:
            yield Finding(f"`{key}` is {value!r}: {complaint}", property=path)


def expiry(resource: Resource, facts: Facts) -> Iterator[Finding]:
    """In a short-lived environment everything says until when it is wanted; nowhere is that day in the past."""
    tags = tags_of(resource, facts)
    value = tags.canonical().get(EXPIRES_ON)
    path = f"{tags.place}.{EXPIRES_ON}"
    if not _present(value):
        if facts.stack in facts.parameters["environments"]:
            yield Finding(
                f"{tags.dialect.word} {EXPIRES_ON} missing: {facts.stack} is short-lived, add the last day that this "
                f"is wanted (YYYY-MM-DD) to `{tags.place}`{_or_provider(tags)}",
                property=str(tags.place),
            )
        return
    text = str(known(value, path))
    try:
        last_day = date.fromisoformat(text)
    except ValueError:
        yield Finding(f"`{EXPIRES_ON}` is {text!r}: write an ISO date, YYYY-MM-DD", property=path)
        return
    if last_day < facts.today:
        yield Finding(
            f"`{EXPIRES_ON}` is {text}, {(facts.today - last_day).days} days ago: destroy it, or give a new day",
            property=path,
        )


def syntax(resource: Resource, facts: Facts) -> Iterator[Finding]:
    """The provider will accept the tags, so that a deployment does not stop in its middle."""
    tags = tags_of(resource, facts)
    dialect = tags.dialect
    together = {**tags.inherited, **tags.own}
    if len(together) > dialect.limit:
        yield Finding(
            f"{len(together)} {dialect.word}, {dialect.package} allows {dialect.limit}", property=str(tags.place)
        )
    for key, value in tags.own.items():
        path = f"{tags.place}.{key}"
        if not dialect.key.fullmatch(key):
            yield Finding(f"key {key!r} is refused by {dialect.package}: {dialect.key_rule}", property=path)
        try:
            text = known(value, path)
        except Undecidable as undecidable:
            yield undecidable.finding()
            continue
        if isinstance(text, str) and not dialect.value.fullmatch(text):
            complaint = f"value {text!r} of `{key}` is refused by {dialect.package}: {dialect.value_rule}"
            yield Finding(complaint, property=path)
    yield from _colliding(tags)


def _colliding(tags: Tags) -> Iterable[Finding]:
    spellings: dict[str, str] = {}
    for key in tags.own:
        first = spellings.setdefault(canonical_key(key), key)
        if first != key:
            yield Finding(f"`{first}` and `{key}` say the same thing twice: keep one", property=f"{tags.place}.{key}")


def _environment(value: str, dialect: Dialect, facts: Facts) -> str:
    wanted = facts.parameters["environment"] or facts.stack
    return "" if same_value(wanted, value, dialect) else f"this environment is {wanted!r}"


def _classification(value: str, dialect: Dialect, facts: Facts) -> str:
    classes = facts.parameters["classifications"]
    rank = next((rank for rank, name in enumerate(classes) if same_value(name, value, dialect)), None)
    if rank is None:
        return f"one of {', '.join(classes)}"
    highest = facts.parameters["highest_classification"]
    if highest and rank > classes.index(highest):
        return f"above {highest!r}, the highest class of data that this environment may hold"
    return ""


def _managed_by(value: str, dialect: Dialect, facts: Facts) -> str:
    tools = facts.parameters["managed_by"]
    return "" if any(same_value(tool, value, dialect) for tool in tools) else f"one of {', '.join(tools)}"


def _pattern(parameter: str) -> Any:
    def check(value: str, dialect: Dialect, facts: Facts) -> str:
        pattern = facts.parameters[parameter]
        flags = re.IGNORECASE if dialect.folds_case else 0
        return "" if re.fullmatch(pattern, value, flags) else f"it must match {pattern}"

    return check


def _present(value: Any) -> bool:
    return value is not None and value != ""


def _them(keys: list[str]) -> str:
    return "it" if len(keys) == 1 else "them"


def _or_provider(tags: Tags) -> str:
    return f", or to the provider's `{tags.dialect.provider_property}`" if tags.dialect.provider_property else ""


def _rule(id_: str, title: str, severity: Severity, remediation: str, check: Any, **rest: Any) -> Rule:
    return Rule(
        id=id_,
        pack=PACK,
        title=title,
        severity=severity,
        level=rest.pop("level", Level.MANDATORY),
        remediation=remediation,
        url=_URL,
        applies=can_carry,
        check=check,
        **rest,
    )


_PARAMETERS: Final[Mapping[str, Parameter]] = {
    "owner_pattern": Parameter(
        r"[A-Za-z0-9][A-Za-z0-9._@+-]{1,127}",
        "Regular expression of an owner; matched whole, without case where the provider folds it.",
        {"type": "string"},
    ),
    "cost_centre_pattern": Parameter(
        r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}",
        "Regular expression of a cost centre, matched the same way.",
        {"type": "string"},
    ),
    "environment": Parameter(
        "", "Value that the environment tag must have; empty: the stack's name.", {"type": "string"}
    ),
    "classifications": Parameter(list(CLASSES), "Data classes, the least protected first.", _STRINGS),
    "highest_classification": Parameter(
        "", "Highest class of data allowed in this environment; empty: any.", {"type": "string"}
    ),
    "managed_by": Parameter(["pulumi", "levee"], "Tools that may manage a resource.", _STRINGS),
}

RULES: Final = (
    _rule(
        "tagging-required",
        "Every resource that can carry tags names its owner, cost centre, environment, data class and manager",
        Severity.MEDIUM,
        "Add the missing keys where the type carries its tags, or to the provider's default tags.",
        required,
        controls=(*_INVENTORY, *_LABELLING),
        parameters={"keys": Parameter(list(REQUIRED), "Keys that must be there, in canonical spelling.", _STRINGS)},
    ),
    _rule(
        "tagging-values",
        "Tags say something true: a known cost centre, this environment, a class of data it may hold",
        Severity.MEDIUM,
        "Correct the value; what is allowed stands in the message.",
        values,
        controls=(*_INVENTORY, *_LABELLING),
        parameters=_PARAMETERS,
    ),
    _rule(
        "tagging-expiry",
        "What is short-lived says until when, and is not past it",
        Severity.LOW,
        "Give `expires-on` a day in the future, or destroy what has outlived it.",
        expiry,
        controls=_INVENTORY,
        parameters={
            "environments": Parameter(["dev"], "Environments in which every resource must expire.", _STRINGS),
        },
    ),
    _rule(
        "tagging-syntax",
        "The provider accepts the tags as they are written",
        Severity.MEDIUM,
        "Write the key or value in the provider's own alphabet; the message states it.",
        syntax,
    ),
)
