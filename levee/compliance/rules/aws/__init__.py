"""Rules for AWS."""

from __future__ import annotations

from typing import Final

from levee.compliance.rule import Rule
from levee.compliance.rules.aws import database, storage

RULES: Final[tuple[Rule, ...]] = (*storage.RULES, *database.RULES)
