"""The resource graph of a preview or of a deployed stack: what everything else is a function of."""

from levee.plan.fidelity import CheckReach, Fidelity, NotEvaluated, TypeFidelity
from levee.plan.message import read_message, write_message
from levee.plan.model import (
    SCHEMA_VERSION,
    SECRET,
    STACK_TYPE,
    TERRAFORM,
    UNKNOWN,
    FilledConfig,
    InventedLookup,
    Level,
    Op,
    Plan,
    Resource,
    Sealed,
    Source,
    Summary,
    Verdict,
    Violation,
)
from levee.plan.urn import Urn
from levee.wire import logical_name

__all__ = [
    "SCHEMA_VERSION",
    "SECRET",
    "STACK_TYPE",
    "TERRAFORM",
    "UNKNOWN",
    "CheckReach",
    "Fidelity",
    "FilledConfig",
    "InventedLookup",
    "Level",
    "NotEvaluated",
    "Op",
    "Plan",
    "Resource",
    "Sealed",
    "Source",
    "Summary",
    "TypeFidelity",
    "Urn",
    "Verdict",
    "Violation",
    "logical_name",
    "read_message",
    "write_message",
]
