"""Care of a domain's tables: compact, cluster and vacuum, by each contract's maintenance settings."""

from pipelines.maintain.tables import Care, Cared, maintain, plan

__all__ = ["Care", "Cared", "maintain", "plan"]
