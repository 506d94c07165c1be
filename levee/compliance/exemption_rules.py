"""The rules about exemptions themselves: none outlives its date, none is kept that excuses nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from levee.compliance.exemption import FIELDS
from levee.compliance.rule import Excused, Facts, Finding, Parameter, Rule, Severity
from levee.plan import STACK_TYPE, Level, Resource

PACK: Final = "exemptions"
EXPIRED: Final = "exemption-expired"

_ENTRY: Final = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in FIELDS},
    "required": list(FIELDS),
    "additionalProperties": False,
}


def expired(_resource: Resource, facts: Facts) -> Iterator[Finding]:
    """Said of the stack itself, which is registered first: so it blocks before anything is created."""
    for exemption in facts.exemptions:
        if exemption.expired(facts.today):
            yield Finding(
                f"the exemption of {exemption} ended on {exemption.expires} ({exemption.owner}: {exemption.reason}): "
                "mend what it excused and delete it, or have its owner give it a new date"
            )


def unused(_resources: Sequence[Resource], facts: Facts, excused: Excused) -> Iterator[Finding]:
    """An exemption that matches no resource is a typing mistake; one that excuses nothing is done with."""
    for exemption, matched, hits in zip(
        facts.exemptions, excused.resources_matched, excused.findings_excused, strict=True
    ):
        if hits or exemption.expired(facts.today):
            continue
        why = f"excuses nothing: {matched} resources match and keep the rule" if matched else "matches no resource"
        yield Finding(f"the exemption of {exemption} {why}: delete it or correct its urn_glob")


RULES: Final = (
    Rule(
        id=EXPIRED,
        pack=PACK,
        title="No exemption outlives its date",
        severity=Severity.HIGH,
        level=Level.MANDATORY,
        remediation="Mend what the exemption excused and delete it from the environment's file, or renew its date.",
        url="docs/reference/policies.md#exemptions",
        parameters={
            "entries": Parameter(
                [],
                "The environment's exemptions; they hold for every rule of the pack.",
                {"type": "array", "items": _ENTRY},
            )
        },
        applies=lambda token, _facts: token == STACK_TYPE,
        check=expired,
    ),
    Rule(
        id="exemption-unused",
        pack=PACK,
        title="Every exemption excuses something",
        severity=Severity.LOW,
        level=Level.ADVISORY,
        remediation="Delete the exemption from the environment's file, or correct its urn_glob.",
        url="docs/reference/policies.md#exemptions",
        check_stack=unused,
    ),
)
