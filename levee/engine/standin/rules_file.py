"""A YAML list that a person wrote (``lookups.yaml``, fault rules): its items, each with its place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from levee.errors import UsageError


def items(path: Path, key: str, *, what: str, see: str) -> list[tuple[Any, str]]:
    """The items of a list that stands alone in the file, or under a key, with ``file:line`` of each.

    Args:
        path: The file.
        key: What the list may stand under.
        what: What the items are, for the errors.
        see: Where they are described.

    Raises:
        UsageError: The file cannot be read, is not YAML, or holds no such list; with file and line.
    """
    from ruamel.yaml import YAML, YAMLError  # 70 ms that a run without rules does not pay

    try:
        document = YAML(typ="rt").load(path.read_text(encoding="utf-8"))
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark is not None else str(path)
        raise UsageError(
            f"the {what} are not YAML: {getattr(error, 'problem', None) or error}", where=where, fix=see
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the {what}: {error}", where=str(path), fix=see) from error
    found = document.get(key) if isinstance(document, Mapping) else document
    if not isinstance(found, list):
        raise UsageError(f"no list of {what}", where=str(path), fix=f"put it under `{key}:`; {see}")
    lines = getattr(found, "lc", None)  # an empty list in flow style has none
    return [
        (item, str(path) if lines is None else f"{path}:{1 + lines.item(number)[0]}")
        for number, item in enumerate(found)
    ]
