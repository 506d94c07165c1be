"""What changes between two versions of contracts, how far it breaks, and whom it hits; the versions held to SemVer."""

from pipelines.contracts.diff.compare import Difference, differences, gold_fed
from pipelines.contracts.diff.rules import DIFF_RULES, DiffRule, Impact
from pipelines.contracts.diff.types import widens
from pipelines.contracts.diff.versions import Bump, needed, risen

__all__ = [
    "DIFF_RULES",
    "Bump",
    "DiffRule",
    "Difference",
    "Impact",
    "differences",
    "gold_fed",
    "needed",
    "risen",
    "widens",
]
