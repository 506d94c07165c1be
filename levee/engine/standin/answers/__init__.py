"""A table of realistic answers to the common lookups: one module a field of one cloud, each with its ``ANSWERS``."""

from __future__ import annotations

from typing import Final

from levee.engine.standin.answers import (
    aws_compute,
    aws_containers,
    aws_data,
    aws_edge,
    aws_identity,
    aws_network,
    aws_places,
    aws_secrets,
    azure,
    databricks,
    google_compute,
    google_identity,
    google_secrets,
    others,
)
from levee.engine.standin.answers.ask import Answers, Ask, Rule

MODULES: Final = (
    *(aws_compute, aws_containers, aws_data, aws_edge, aws_identity, aws_network, aws_places, aws_secrets),
    *(azure, databricks, google_compute, google_identity, google_secrets, others),
)
"""Every module of answers; no function is answered by two."""
EXACT: Final[dict[str, Rule]] = {token: rule for module in MODULES for token, rule in module.ANSWERS.exact.items()}
"""Function token to the rule that answers it as the real provider does, for it needs no cloud."""
TABLE: Final[dict[str, Rule]] = EXACT | {
    token: rule for module in MODULES for token, rule in module.ANSWERS.invented.items()
}
"""Function token to the rule that answers it, exact or invented."""

__all__ = ["EXACT", "MODULES", "TABLE", "Answers", "Ask", "Rule"]
