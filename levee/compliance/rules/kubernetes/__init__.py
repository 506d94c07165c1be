"""Rules for Kubernetes."""

from __future__ import annotations

from typing import Final

from levee.compliance.rule import Rule
from levee.compliance.rules.kubernetes import access, exposure, pods

RULES: Final[tuple[Rule, ...]] = (*access.RULES, *exposure.RULES, *pods.RULES)
