"""Every pack and its rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from levee.compliance import exemption_rules, rules, tagging
from levee.compliance.rule import Rule

PACKS: Final[Mapping[str, Sequence[Rule]]] = {"tagging": tagging.RULES, rules.PACK: rules.RULES}
"""Pack name to its rules. Each is a folder below ``policy_packs/``; that folder itself is all of them."""

EVERYWHERE: Final = exemption_rules.RULES
"""The rules about exemptions, which every pack brings."""

RULES: Final = (*(rule for rules in PACKS.values() for rule in rules), *EVERYWHERE)
"""Every rule there is."""


def pack_rules(name: str) -> Sequence[Rule]:
    """The rules that the pack of that name serves when it runs alone.

    Raises:
        KeyError: There is no such pack.
    """
    return (*PACKS[name], *EVERYWHERE)
