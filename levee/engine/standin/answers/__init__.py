"""A table of realistic answers to the common lookups.

:data:`EXACT` ones follow from the arguments and the provider's configuration alone; every other answer is listed as
invented.
"""

from __future__ import annotations

from typing import Final

from levee.engine.standin.answers import (
    aws_network,
    aws_places,
    aws_services,
    azure,
    databricks,
    google,
    others,
)
from levee.engine.standin.answers.ask import Ask, Rule

_MODULES: Final = (aws_places, aws_network, aws_services, azure, google, databricks, others)

TABLE: Final[dict[str, Rule]] = {token: rule for module in _MODULES for token, rule in module.TABLE.items()}
"""Function token to the rule that answers it."""
EXACT: Final = aws_places.EXACT | aws_services.EXACT | google.EXACT | databricks.EXACT
"""Functions that need no cloud: the real provider gives the same."""

__all__ = ["EXACT", "TABLE", "Ask", "Rule"]
