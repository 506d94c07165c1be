"""Which Spark SQL type holds every value of another (Spark SQL reference, "ANSI compliance", store assignment)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

_WIDER: Final[Mapping[str, Sequence[str]]] = {
    "tinyint": ("smallint", "int", "bigint", "double"),
    "smallint": ("int", "bigint", "double"),
    "int": ("bigint", "double"),
    "float": ("double",),
    "date": ("timestamp",),
}
_WHOLE_DIGITS: Final = {"tinyint": 3, "smallint": 5, "int": 10, "bigint": 19}
_DECIMAL: Final = re.compile(r"decimal\((\d+),(\d+)\)")


def widens(old: str, new: str) -> bool:
    """Whether every value of the old Spark SQL type is one of the new."""
    if old == new or new in _WIDER.get(old, ()):
        return True
    target = _DECIMAL.fullmatch(new)
    if target is None:
        return False
    whole, scale = int(target[1]) - int(target[2]), int(target[2])
    if source := _DECIMAL.fullmatch(old):
        return int(source[1]) - int(source[2]) <= whole and int(source[2]) <= scale
    return old in _WHOLE_DIGITS and _WHOLE_DIGITS[old] <= whole
