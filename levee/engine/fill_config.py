"""``--fill-config``: answers ``pulumi.Config.require*`` for keys that nobody has set, inside the running program.

One run is enough: the program asks, gets a typed placeholder and goes on. What each value was invented for is read from
the program's own source (:mod:`levee.engine.config_uses`): the parameter it goes to, what it is compared with, what it
is turned into, whether it is gone through as a list.

Loaded by path into the *program's own* interpreter, so it may import nothing but the standard library.
"""

from __future__ import annotations

import functools
import json
import os
import pathlib
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

_CLOUDS = (("aws", "pulumi_aws"), ("azure", "pulumi_azure"), ("gcp", "pulumi_gcp"), ("gcp", "pulumi_google"))


class Filled(dict[str, Any]):
    """An object that nobody has set: an item that the program reads without a default is filled when it is read."""

    def __init__(self, key: str, fill: Callable[[str], Any]) -> None:
        super().__init__()
        self._key = key
        self._fill = fill

    def __missing__(self, item: str) -> Any:
        self[item] = self._fill(f"{self._key}.{item}")
        return self[item]

    def get(self, item: str, *default: Any) -> Any:  # ty: ignore[incompatible-method-override]
        """``get``, which fills where the program gives no default."""
        return super().get(item, *default) if default or item in self else self[item]


class Modules(NamedTuple):
    """Modules of :mod:`levee.engine` that are loaded, like this one, in the program's interpreter."""

    placeholders: Any
    placeholder_files: Any
    config_uses: Any


class _Asked(NamedTuple):
    """How each method asks: the type, and whether for a secret."""

    kind: str
    secret: bool

    @classmethod
    def of(cls, method: str) -> _Asked:
        rest = method.split("_")[1:]
        kinds = [word for word in rest if word != "secret"]
        return cls(kinds[0] if kinds else "string", "secret" in rest)


def install(pulumi: Any, notes: Any, modules: Modules, home: str) -> None:
    """Have every ``Config.require*`` answer.

    Args:
        pulumi: The program's own SDK.
        notes: Where each filled key is written down (``program.Notes``).
        modules: What lies beside this module.
        home: The folder for files that stand for paths.
    """
    filler = _Filler(pulumi, notes, modules, pathlib.Path(home))
    config = pulumi.Config
    for name in [name for name in dir(config) if name.startswith("require")]:
        setattr(config, name, filler.answering(getattr(config, name), _Asked.of(name)))
    config.get = filler.giving(config.get)


class _Filler:
    """Fills keys and writes each down once."""

    def __init__(self, pulumi: Any, notes: Any, modules: Modules, home: pathlib.Path) -> None:
        self._pulumi = pulumi
        self._notes = notes
        self._placeholders = modules.placeholders
        self._files = modules.placeholder_files
        self._uses = modules.config_uses
        self._home = home
        self._seen: set[str] = set()
        self._objects: dict[str, Any] = {}

    def answering(self, method: Callable[..., Any], asked: _Asked) -> Callable[..., Any]:
        """``require*``, which fills what is missing."""

        @functools.wraps(method)
        def answer(config: Any, key: str, *args: Any, **more: Any) -> Any:
            full = config.full_key(key)
            if self._pulumi.runtime.get_config(full) is None:
                value = self._fill(full, asked)
                if asked.kind == "object":
                    self._objects[full] = self._opened(full, asked, value)
            if asked.kind == "object" and full in self._objects:
                opened = self._objects[full]
                return self._pulumi.Output.secret(opened) if asked.secret else opened
            return method(config, key, *args, **more)

        return answer

    def giving(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """``get``, which fills what the real provider would insist on, such as ``aws:region``."""

        @functools.wraps(method)
        def give(config: Any, key: str, *args: Any, **more: Any) -> Any:
            full = config.full_key(key)
            _, _, variables = self._placeholders.PROVIDER_CONFIG.get(full, ("", "", None))
            given = variables is None or any(os.environ.get(variable) for variable in variables)
            if not given and not args and not more and self._pulumi.runtime.get_config(full) is None:
                self._fill(full, _Asked("string", secret=False))
            return method(config, key, *args, **more)

        return give

    def _fill(self, key: str, asked: _Asked) -> Any:
        uses = self._placeholders.Uses(**self._found(key))
        chosen = self._placeholders.choose(key, asked.kind, uses, _cloud())
        if chosen.kind in {"path", "folder"}:
            chosen = self._laid(key, chosen, opened=uses.parsed_as == "file")
        self._pulumi.runtime.set_config(
            key, chosen.text if asked.kind in {"string", "object"} else json.dumps(chosen.value)
        )
        self._tell(key, chosen, secret=asked.secret, source=self._notes.caller())
        return chosen.value

    def _found(self, key: str) -> dict[str, Any]:
        """What the program's source says of the key where it asks for it."""
        frame = self._notes.frame()
        return self._uses.of_key(frame.f_code.co_filename, frame.f_lineno, key.rsplit(":", 1)[-1])

    def _laid(self, key: str, chosen: Any, *, opened: bool) -> Any:
        """A path that leads to something: a file with what its name says it holds, or a folder."""
        name = key.rsplit(":", 1)[-1]
        if not self._files.is_file(name, opened=opened):
            return chosen._replace(value=self._files.folder(self._home, name), kind="folder")
        content = self._placeholders.choose(self._files.content_of(key), "string", self._placeholders.Uses(), _cloud())
        path = self._files.file(self._home, name, content.text)
        return chosen._replace(value=path, kind=f"file: {content.kind}")

    def _opened(self, key: str, asked: _Asked, value: Any) -> Any:
        """The object or list that the program makes of the key, its items filled when they are read."""
        source = self._notes.caller()
        path = self._notes.frame().f_code.co_filename

        def fill(item: str) -> Any:
            name = item.rsplit(".", 1)[-1]
            found = self._uses.of_item(path, name)
            if found["shape"]:
                return shaped(item, found["shape"], [])
            uses = self._placeholders.Uses(**{**found, "names": (name, *found["names"])})
            chosen = self._placeholders.choose(item, "string", uses, _cloud())
            self._tell(item, chosen, secret=asked.secret, source=source)
            return int(chosen.value) if chosen.kind == "number" else chosen.value

        def shaped(of: str, shape: str, otherwise: Any) -> Any:
            if shape == "objects":
                return [Filled(f"{of}[0]", fill)]
            if shape == "list":
                chosen = self._placeholders.several(of, _cloud())
                self._tell(of, chosen, secret=asked.secret, source=source)
                return chosen.value
            return Filled(of, fill) if shape == "object" else otherwise

        shape = self._found(key)["shape"]
        if shape == "list" and isinstance(value, list) and value:
            return value
        return shaped(key, shape, Filled(key, fill) if value == {} else value)

    def _tell(self, key: str, chosen: Any, *, secret: bool, source: dict[str, Any]) -> None:
        if key in self._seen:
            return
        self._seen.add(key)
        hidden = secret or chosen.secret
        self._notes.write(
            {
                "kind": "filled_config",
                "key": key,
                "value": "[secret]" if hidden else chosen.value,
                "type": chosen.kind,
                "why": chosen.why,
                "source": source,
            }
        )


def _cloud() -> str:
    """The cloud whose SDK the program has imported, where it is one."""
    found = {cloud for cloud, module in _CLOUDS if any(name.startswith(module) for name in list(sys.modules))}
    return next(iter(found)) if len(found) == 1 else ""
