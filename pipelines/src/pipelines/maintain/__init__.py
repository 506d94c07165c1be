"""Care of a domain's tables: expire, compact, cluster and vacuum, by each contract's maintenance settings."""

from pipelines.maintain.tables import Care, Cared, expired_rows, maintain, plan

__all__ = ["Care", "Cared", "expired_rows", "maintain", "plan"]
