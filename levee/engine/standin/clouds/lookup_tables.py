"""Realistic answers for the lookups that programs make most."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from levee.engine.standin.connection import Connection

Rule = Callable[[Connection, Mapping[str, Any]], dict[str, Any]]

TABLE: Final[dict[str, Rule]] = {}
