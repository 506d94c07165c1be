"""Which of the files below a folder a glob means."""

from __future__ import annotations

import re
from functools import cache
from pathlib import PurePosixPath


def matches(name: str, glob: str) -> bool:
    """Tell whether a relative path is meant by a glob.

    ``*`` and ``?`` stay within a folder, ``**/`` is any folders or none, ``[...]`` one of some characters. A glob
    without a slash is about the file's name, in whatever folder it lies.
    """
    target = name if "/" in glob else PurePosixPath(name).name
    return _pattern(glob).fullmatch(target) is not None


@cache
def _pattern(glob: str) -> re.Pattern[str]:
    return re.compile("".join(_translated(token) for token in _TOKEN.findall(glob)), re.DOTALL)


_TOKEN = re.compile(r"\*\*/|\*\*$|\*+|\?|\[!?\]?[^\]]*\]|[^*?\[]+|\[")


def _translated(token: str) -> str:
    if token == "**/":
        return "(?:[^/]+/)*"
    if token == "**":
        return ".*"
    if token[0] == "*":
        return "[^/]*"
    if token == "?":
        return "[^/]"
    if token[0] == "[" and len(token) > 1:
        inner = token[1:-1].replace("\\", "\\\\")
        return f"[{'^' + inner[1:] if inner.startswith('!') else inner}]"
    return re.escape(token)
