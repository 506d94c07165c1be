"""Property values as the stand-in holds them: JSON, plus unknown and secret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from levee.wire import ARCHIVE_SIGNATURE, ASSET_SIGNATURE, SIGNATURE


class Unknown:
    """The type of :data:`UNKNOWN`, a value that is not known before an update."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that must stay secret. Its text never shows it."""

    value: Any

    def __repr__(self) -> str:
        return "Secret([secret])"


Value: TypeAlias = Any
"""``None``, ``bool``, ``int``, ``float``, ``str``, ``list``, ``dict``, :class:`Secret` or :data:`UNKNOWN`."""
Values: TypeAlias = dict[str, Any]
"""Property name to :data:`Value`."""


def plain(value: Value) -> Value:
    """The value without its secret wrappers, at every depth."""
    if isinstance(value, Secret):
        return plain(value.value)
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return value


def has_unknown(value: Value) -> bool:
    """Whether anything in the value is unknown."""
    if value is UNKNOWN:
        return True
    if isinstance(value, Secret):
        return has_unknown(value.value)
    if isinstance(value, dict):
        return any(has_unknown(v) for v in value.values())
    if isinstance(value, list):
        return any(has_unknown(v) for v in value)
    return False


def has_secret(value: Value) -> bool:
    """Whether anything in the value is secret."""
    if isinstance(value, Secret):
        return True
    if isinstance(value, dict):
        return any(has_secret(v) for v in value.values())
    if isinstance(value, list):
        return any(has_secret(v) for v in value)
    return False


def is_asset(value: Value) -> bool:
    """Whether the value is an asset or an archive."""
    return isinstance(value, dict) and value.get(SIGNATURE) in {ASSET_SIGNATURE, ARCHIVE_SIGNATURE}


def same(old: Value, new: Value) -> bool:
    """Whether two values are equal to a provider: secrets by what they hold, assets by their hash."""
    old, new = _open(old), _open(new)
    if old is UNKNOWN or new is UNKNOWN:
        return False
    if isinstance(old, dict) and isinstance(new, dict):
        if is_asset(old) and is_asset(new):
            return old.get("hash") == new.get("hash") and old.get(SIGNATURE) == new.get(SIGNATURE)
        return _keys(old) == _keys(new) and all(same(old[k], new[k]) for k in _keys(old))
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(same, old, new))
    return type(old) is type(new) and old == new if isinstance(old, bool) or isinstance(new, bool) else old == new


def _open(value: Value) -> Value:
    while isinstance(value, Secret):
        value = value.value
    return value


def _keys(value: Mapping[str, Value]) -> set[str]:
    return {k for k, v in value.items() if v is not None}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between old and new inputs; ``path`` is Pulumi's (``tags.Name``, ``rules[0].port``)."""

    path: str
    old: Value
    new: Value
    added: bool = False
    deleted: bool = False

    @property
    def top(self) -> str:
        """The top-level property."""
        return self.path.split(".", 1)[0].split("[", 1)[0]


def changes(old: Mapping[str, Value], new: Mapping[str, Value], prefix: str = "") -> Iterator[Change]:
    """Every difference, at the deepest path where both sides still have the same shape."""
    for key in sorted(old.keys() | new.keys()):
        path = f"{prefix}{_segment(key, first=not prefix)}"
        yield from _change(old.get(key), new.get(key), path)


def _change(old: Value, new: Value, path: str) -> Iterator[Change]:
    before, after = _open(old), _open(new)
    if same(before, after):
        return
    if before is None or after is None:
        yield Change(path, old, new, added=before is None, deleted=after is None)
    elif isinstance(before, dict) and isinstance(after, dict) and not is_asset(before) and not is_asset(after):
        yield from changes(before, after, path)
    elif isinstance(before, list) and isinstance(after, list):
        for index in range(max(len(before), len(after))):
            yield from _change(
                before[index] if index < len(before) else None,
                after[index] if index < len(after) else None,
                f"{path}[{index}]",
            )
    else:
        yield Change(path, old, new)


def _segment(key: str, *, first: bool) -> str:
    if key.replace("_", "a").isalnum() or (first and "." not in key and "[" not in key and '"' not in key):
        return key if first else f".{key}"
    escaped = key.replace("\\", "\\\\").replace('"', '\\"')
    return f'["{escaped}"]'
