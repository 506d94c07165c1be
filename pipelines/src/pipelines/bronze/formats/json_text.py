"""JSON with its numbers' own digits, and with whatever RFC 8259 does not allow told of."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pipelines.bronze.formats import malformed
from pipelines.bronze.formats.values import Number


class JsonReader:
    """Reads JSON values one after the other."""

    def __init__(self) -> None:
        self._faults: list[str] = []
        self._decoder = json.JSONDecoder(
            object_pairs_hook=self._object, parse_int=Number, parse_float=Number, parse_constant=self._constant
        )

    def at(self, text: str, start: int) -> tuple[Any, int, str | None]:
        """Read the value that begins at a place of a text.

        Returns:
            The value, the place after it, and ``kind: detail`` where the value's end is clear but it is malformed.

        Raises:
            json.JSONDecodeError: there is no value, or it does not end.
            RecursionError: it is nested too deeply.
        """
        self._faults.clear()
        value, end = self._decoder.raw_decode(text, start)
        return value, end, f"{malformed.NOT_JSON}: {self._faults[0]}" if self._faults else None

    def line(self, text: str) -> tuple[Any, str | None]:
        """Read the one value of a text, blanks around it aside."""
        try:
            stripped = text.strip(" \t\r\n")
            value, end, error = self.at(stripped, 0)
        except json.JSONDecodeError as problem:
            return None, f"{malformed.NOT_JSON}: {problem.msg}, character {problem.pos + 1}"
        except RecursionError:
            return None, f"{malformed.NOT_JSON}: nested too deeply"
        if end != len(stripped):
            return None, f"{malformed.NOT_JSON}: more than one value, character {end + 1}"
        return value, error

    def _object(self, pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            self._faults.append(f"the key {next(name for name in names if names.count(name) > 1)!r} is there twice")
        return found

    def _constant(self, text: str) -> None:
        self._faults.append(f"{text} is no number of JSON")
