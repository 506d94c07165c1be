"""The resource graph of a preview or of a deployed stack: what everything else is a function of."""

from levee.plan.message import read_message, write_message
from levee.plan.model import (
    SCHEMA_VERSION,
    SECRET,
    UNKNOWN,
    FilledConfig,
    InventedLookup,
    Level,
    Op,
    Plan,
    Resource,
    Source,
    Summary,
    Verdict,
    Violation,
)
from levee.plan.urn import Urn

__all__ = [
    "SCHEMA_VERSION",
    "SECRET",
    "UNKNOWN",
    "FilledConfig",
    "InventedLookup",
    "Level",
    "Op",
    "Plan",
    "Resource",
    "Source",
    "Summary",
    "Urn",
    "Verdict",
    "Violation",
    "read_message",
    "write_message",
]
