"""The one package that knows the difference between the engines; everything else speaks Spark's DataFrame API."""

from pipelines.engine.capabilities import CAPABILITIES, HAZARDS, Capability, Finding, Hazard, refuse
from pipelines.engine.engine import Engine
from pipelines.engine.predicates import is_in
from pipelines.engine.schema_gate import SchemaDifference

__all__ = [
    "CAPABILITIES",
    "HAZARDS",
    "Capability",
    "Engine",
    "Finding",
    "Hazard",
    "SchemaDifference",
    "is_in",
    "refuse",
]
