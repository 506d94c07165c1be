"""What may exist: rules over resources, their verdicts, and how strictly an environment takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from levee.compliance import settings as _settings
from levee.compliance.catalogue import PACKS, RULES, pack_rules
from levee.compliance.evaluate import Evaluator, Outcome, evaluate
from levee.compliance.exemption import Exemption
from levee.compliance.rule import Control, Facts, Finding, Parameter, Rule, Severity, Undecidable
from levee.compliance.settings import Settings
from levee.plan.message import read_message

if TYPE_CHECKING:
    from levee.environment import Environment

__all__ = [
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
    "pack_config",
    "pack_rules",
    "read_message",
]


def pack_config(environment: Environment) -> dict[str, Any]:
    """What ``--policy-pack-config`` needs for that environment: policy name to level, parameters and exemptions.

    Raises:
        UsageError: The environment names a policy, pack or parameter that does not exist.
    """
    return _settings.pack_config(environment, RULES)
