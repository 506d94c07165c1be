"""The compliance rules: one folder a cloud, one module a field, each with its ``RULES``."""

from __future__ import annotations

from typing import Final

from levee.compliance.rule import Rule
from levee.compliance.rules import aws, azure, databricks, gcp, kubernetes
from levee.compliance.rules.build import PACK

__all__ = ["PACK", "RULES"]

RULES: Final[tuple[Rule, ...]] = (*aws.RULES, *azure.RULES, *databricks.RULES, *gcp.RULES, *kubernetes.RULES)
