"""Rules for AWS."""

from __future__ import annotations

from typing import Final

from levee.compliance.rule import Rule
from levee.compliance.rules.aws import (
    compute,
    database,
    edge,
    identity,
    keys,
    logging,
    messaging,
    network,
    residency,
    storage,
    volumes,
)

_FIELDS: Final = (
    compute,
    database,
    edge,
    identity,
    keys,
    logging,
    messaging,
    network,
    residency,
    storage,
    volumes,
)

RULES: Final[tuple[Rule, ...]] = tuple(rule for field in _FIELDS for rule in field.RULES)
