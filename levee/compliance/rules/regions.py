"""Where data may lie: in the environment's regions, however a provider spells them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any, Final

from levee.compliance.rule import Finding, Undecidable
from levee.compliance.rules.checks import Check, reads
from levee.compliance.rules.scope import Scope, Value
from levee.compliance.rules.settings import REGIONS, setting_value

_ZONE: Final = re.compile(r"(?<=\d)-?[a-z]$")


def in_allowed_region(*paths: str, provider: str, default: str = "") -> Check:
    """Every region at the paths is one of the environment's.

    Args:
        paths: Where the resource names its region or zone.
        provider: Input of the provider that counts where the resource names none; empty: none does.
        default: The provider's own choice where nobody names one; empty: nobody knows.
    """

    @reads(*paths, settings=(REGIONS,))
    def run(scope: Scope) -> Iterator[Finding]:
        allowed = [region_of(pattern) for pattern in setting_value(REGIONS, scope.facts)]
        if not allowed:
            return
        given = [found for path in paths for found in scope.read(path) if not found.empty]
        for found in given or [Value(f"provider.{provider}", scope.facts.provider.get(provider) or default or None)]:
            if found.empty:
                yield Undecidable(paths[0], "neither the resource nor its provider names its region").finding()
            elif found.undecidable:
                yield Undecidable(found.path).finding()
            elif not any(fnmatchcase(region_of(found.value), pattern) for pattern in allowed):
                said = f"`{found.path}` is {found.value!r}: data may lie in {', '.join(allowed)}"
                yield Finding(said, property=found.path)

    return run


def region_of(place: Any) -> str:
    """A region or zone in one spelling: ``West Europe`` as ``westeurope``, ``europe-west1-b`` as ``europe-west1``."""
    return _ZONE.sub("", str(place).lower().replace(" ", ""))
