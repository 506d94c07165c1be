"""What may exist: rules over resources, their verdicts, and how strictly an environment takes them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from levee import places
from levee.compliance import settings as _settings
from levee.compliance.catalogue import PACKS, RULES, pack_rules, rules_for, switched
from levee.compliance.evaluate import Evaluator, Outcome, evaluate, judged
from levee.compliance.exemption import Exemption
from levee.compliance.rule import Control, Facts, Finding, Parameter, Rule, Severity, Undecidable
from levee.compliance.settings import LEVEL_KEY, Settings
from levee.plan import Level, read_message

if TYPE_CHECKING:
    from levee.environment import Environment

__all__ = [
    "LEVEL_KEY",
    "PACKS",
    "RULES",
    "Control",
    "Evaluator",
    "Exemption",
    "Facts",
    "Finding",
    "Outcome",
    "Parameter",
    "Rule",
    "Settings",
    "Severity",
    "Undecidable",
    "evaluate",
    "judged",
    "merged_pack",
    "pack_config",
    "pack_rules",
    "read_message",
    "rules_for",
    "switched",
]


def merged_pack() -> Path:
    """The folder of the pack that runs by default: every rule, in one process."""
    return places.shipped("policy_packs")


def pack_config(environment: Environment | None) -> dict[str, Any]:
    """What ``--policy-pack-config`` needs: policy name to level, parameters and exemptions.

    Args:
        environment: The environment; a project that has none is told of every broken rule and held up by none.

    Raises:
        UsageError: The environment names a policy, pack or parameter that does not exist.
    """
    if environment is None:
        return {"all": Level.ADVISORY.value}
    return _settings.pack_config(environment, rules_for(environment))
