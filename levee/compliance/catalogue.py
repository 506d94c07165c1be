"""Every pack and its rules."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from levee.compliance import budgets, exemption_rules, rules, tagging
from levee.compliance.rule import Rule

if TYPE_CHECKING:
    from levee.compliance.settings import PolicyView
    from levee.environment import Environment

PACKS: Final[Mapping[str, Sequence[Rule]]] = {
    "tagging": tagging.RULES,
    rules.PACK: rules.RULES,
    budgets.PACK: budgets.RULES,
}
"""Pack name to its rules. Each is a folder below ``policy_packs/``; that folder itself is all of them."""

CHECKOV: Final = "checkov"
"""The pack of Checkov's checks, which the merged pack has only where an environment asks for it."""

CHECKOV_SWITCH: Final = "LEVEE_CHECKOV"
"""Environment variable that says whether the merged pack has Checkov's checks, ``1`` or ``0``; where it is not set the
environment's file says so. A review sets it, since the file is the head's, which must not judge itself."""

EVERYWHERE: Final = exemption_rules.RULES
"""The rules about exemptions, which every pack brings."""

RULES: Final = (*(rule for rules in PACKS.values() for rule in rules), *EVERYWHERE)
"""Every rule of ours."""


def rules_for(environment: Environment | PolicyView | None) -> Sequence[Rule]:
    """The rules of the merged pack in one environment: ours, and Checkov's where its file speaks of them.

    Checkov's process takes seconds to start, and 1,201 foreign checks are a company's own decision: so an environment
    asks for them, by ``checkov`` or a check's id among its policies or exemptions.
    """
    if environment is None:
        return RULES
    spoken_of = (*environment.policies, *(exemption.policy for exemption in environment.exemptions))
    return (*RULES, *_checkov()) if _speak_of_checkov(spoken_of) else RULES


def merged_rules(environment: PolicyView) -> Sequence[Rule]:
    """The rules that the merged pack serves: those of the environment, unless whoever started it says otherwise."""
    switch = os.environ.get(CHECKOV_SWITCH)
    if switch is None:
        return rules_for(environment)
    return (*RULES, *_checkov()) if switch == "1" else RULES


def switched(policies: Iterable[str]) -> Mapping[str, str]:
    """The environment variables by which the merged pack serves the policies named, whatever a stack's file says."""
    return {CHECKOV_SWITCH: str(int(_speak_of_checkov(policies)))}


def _speak_of_checkov(policies: Iterable[str]) -> bool:
    return any(name == CHECKOV or name.startswith("CKV") for name in policies)


def pack_rules(name: str) -> Sequence[Rule]:
    """The rules that the pack of that name serves when it runs alone.

    Raises:
        KeyError: There is no such pack.
    """
    return (*(_checkov() if name == CHECKOV else PACKS[name]), *EVERYWHERE)


def prepare(rules: Iterable[Rule]) -> None:
    """Start what some of the rules will ask, and what takes its time to start: Checkov's process."""
    if any(rule.pack == CHECKOV for rule in rules):
        from levee.compliance.checkov import worker

        worker.shared().begin()


def _checkov() -> Sequence[Rule]:
    from levee.compliance import checkov  # its table of checks is read only where it is asked for

    return checkov.RULES
