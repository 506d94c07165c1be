"""Limits that an environment decides: a rule names one, and the environment's file fills it in.

``levee.compliance.settings`` gives each the environment's own value by its name; ``policies`` and
``--policy-pack-config`` override it for a single rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from levee.compliance.rule import Facts, Parameter


@dataclass(frozen=True, slots=True)
class Setting:
    """A limit that is a parameter of every rule which names it."""

    name: str
    parameter: Parameter


def setting_value(limit: Any, facts: Facts) -> Any:
    """What a limit is here: a ``Setting``'s value, or the limit itself."""
    return facts.parameters[limit.name] if isinstance(limit, Setting) else limit


_DAYS: Final = {"type": "integer", "minimum": 1}

AUDIT_DAYS: Final = Setting(
    "audit_days",
    Parameter(365, "Days that audit records are kept; the environment's `retention.audit_days`.", _DAYS),
)
LOG_DAYS: Final = Setting(
    "log_days", Parameter(90, "Days that other logs are kept; the environment's `retention.log_days`.", _DAYS)
)
BACKUP_DAYS: Final = Setting("backup_days", Parameter(7, "Days that backups are kept.", _DAYS))
ROTATION_DAYS: Final = Setting("rotation_days", Parameter(365, "Most days between two rotations of a key.", _DAYS))
PROTECTED: Final = Setting(
    "protected",
    Parameter(
        False,
        "Whether what holds data must resist deletion; the environment's `protection.stateful`.",
        {"type": "boolean"},
    ),
)
REGIONS: Final = Setting(
    "regions",
    Parameter(
        [],
        "Regions in which data may lie, shell patterns; the environment's own regions. Empty: any.",
        {"type": "array", "items": {"type": "string"}},
    ),
)
