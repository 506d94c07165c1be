"""Rules for Databricks, for which Checkov has none."""

from __future__ import annotations

from typing import Final

from levee.compliance.rule import Rule
from levee.compliance.rules.databricks import (
    catalogue,
    compute,
    conf,
    identity,
    network,
    policies,
    sharing,
    work,
    workspace,
)

RULES: Final[tuple[Rule, ...]] = (
    *compute.RULES,
    *policies.RULES,
    *identity.RULES,
    *workspace.RULES,
    *conf.RULES,
    *network.RULES,
    *catalogue.RULES,
    *sharing.RULES,
    *work.RULES,
)
