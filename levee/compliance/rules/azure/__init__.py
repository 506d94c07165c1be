"""Rules for Azure, over the types of azure-native."""

from __future__ import annotations

from typing import Final

from levee.compliance.rule import Rule
from levee.compliance.rules.azure import (
    compute,
    containers,
    data,
    databases,
    identity,
    keys,
    network,
    residency,
    storage,
)

RULES: Final[tuple[Rule, ...]] = (
    *storage.RULES,
    *keys.RULES,
    *databases.RULES,
    *network.RULES,
    *containers.RULES,
    *compute.RULES,
    *data.RULES,
    *identity.RULES,
    *residency.RULES,
)
