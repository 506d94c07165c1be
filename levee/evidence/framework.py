"""The frameworks that evidence is written for, and every requirement of each, served by a rule or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final

from ruamel.yaml import YAML

from levee.compliance import Control

_FILE: Final = Path(__file__).with_name("frameworks.yaml")


class Framework(StrEnum):
    """A framework, by the name that the command line has for it."""

    HIPAA = "hipaa"
    PCI = "pci"
    SOC2 = "soc2"
    ISO27001 = "iso27001"
    GDPR = "gdpr"
    PART11 = "part11"

    @property
    def text(self) -> FrameworkText:
        """What it asks for."""
        return _texts()[self]


@dataclass(frozen=True, slots=True)
class FrameworkText:
    """What one framework asks for.

    Attributes:
        standard: Its name, as ``Control`` has it.
        version: Its version.
        requirements: Reference to short title, in the framework's own order.
    """

    standard: str
    version: str
    requirements: Mapping[str, str]

    def requirement(self, control: Control) -> str | None:
        """The requirement that a rule's reference belongs to: itself, or what it is a paragraph of."""
        if control.standard != self.standard:
            return None
        found = [
            r for r in self.requirements if control.reference == r or control.reference.startswith((f"{r}.", f"{r}("))
        ]
        return max(found, key=len, default=None)


@cache
def _texts() -> Mapping[Framework, FrameworkText]:
    written = YAML(typ="safe").load(_FILE)
    return {Framework(name): FrameworkText(**text) for name, text in written.items()}
