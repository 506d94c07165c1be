"""Arrow's functions of texts that the formats use, each in the one form that they need."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

Texts = pa.Array | pa.Scalar


def text(value: str | None) -> pa.Scalar:
    """One text, or null, for every row."""
    return pa.scalar(value, pa.string())


def joined(*parts: Texts) -> pa.Array:
    """The texts of a row one after the other; null where one of them is."""
    return pc.call_function("binary_join_element_wise", [*parts, text("")])


def matching(texts: pa.Array, pattern: str) -> pa.Array:
    """Which texts a regular expression is found in; not the nulls."""
    found = pc.call_function("match_substring_regex", [texts], pc.MatchSubstringOptions(pattern))
    return found.fill_null(False)


def chosen(which: pa.Array, some: Texts, others: Texts) -> pa.Array:
    """The values of `some` where `which` is true, else those of `others`."""
    return pc.call_function("if_else", [which, some, others])


def substituted(texts: pa.Array, pattern: str, by: str) -> pa.Array:
    """The texts with what a regular expression finds in them replaced."""
    return pc.call_function("replace_substring_regex", [texts], pc.ReplaceSubstringOptions(pattern, by))


def mended(texts: pa.Array, pattern: str, mend: Callable[[str], str], otherwise: pa.Array | None = None) -> pa.Array:
    """The texts that a regular expression is found in, mended one by one; the others as they are, or `otherwise`."""
    which = matching(texts, pattern)
    rest = texts if otherwise is None else otherwise
    if not which.true_count:
        return rest
    new = pa.array([mend(value) for value in texts.filter(which).to_pylist()], pa.string())
    return pc.call_function("replace_with_mask", [rest, which, new])
