"""What a registry of custom properties holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter


@dataclass(frozen=True, slots=True)
class Extension:
    """One custom property.

    Attributes:
        adapter: What validates its value.
        description: One line for readers: Markdown, into ``docs/reference/contracts.md``.
    """

    adapter: TypeAdapter[Any]
    description: str

    @classmethod
    def of(cls, model: type[Any]) -> Extension:
        """The property whose value is `model`, described by its docstring."""
        return cls(TypeAdapter(model), model.__doc__ or "")


Registry = dict[str, Extension]
