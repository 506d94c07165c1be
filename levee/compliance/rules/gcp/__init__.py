"""Rules for Google Cloud."""

from __future__ import annotations

from typing import Final

from levee.compliance.rule import Rule
from levee.compliance.rules.gcp import compute, data, databases, identity, network, residency, storage

RULES: Final[tuple[Rule, ...]] = (
    *storage.RULES,
    *databases.RULES,
    *network.RULES,
    *compute.RULES,
    *data.RULES,
    *identity.RULES,
    *residency.RULES,
)
