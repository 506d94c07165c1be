"""``--fill-config``: answers ``pulumi.Config.require*`` for keys that nobody has set, inside the running program.

One run is enough: the program asks, gets a typed placeholder and goes on. What each value was invented for is read from
the program's own source: the parameter it goes to, what it is compared with, what it is turned into.

Loaded by path into the *program's own* interpreter, so it may import nothing but the standard library.
"""

from __future__ import annotations

import ast
import functools
import json
import os
import pathlib
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

_CLOUDS = (("aws", "pulumi_aws"), ("azure", "pulumi_azure"), ("gcp", "pulumi_gcp"), ("gcp", "pulumi_google"))
_NUMBERS = {"int", "float", "Decimal"}
_PATHS = {"Path", "FileArchive", "abspath", "expanduser", "listdir", "walk", "scandir"}
_FILES = {"open", "FileAsset", "read_file"}
_NETWORKS = {"ip_network", "IPv4Network", "IPNetwork"}
_DECODERS = {"b64decode": "base64", "loads": "json"}
_WRAPPERS = {"str", "strip", "lower", "upper", "join", "format", "apply", "from_input", "Output", "secret"}


class Filled(dict[str, Any]):
    """An object that nobody has set: an item that the program reads is filled when it is read."""

    def __init__(self, key: str, fill: Callable[[str], Any]) -> None:
        super().__init__()
        self._key = key
        self._fill = fill

    def __missing__(self, item: str) -> Any:
        self[item] = self._fill(f"{self._key}.{item}")
        return self[item]


class _Asked(NamedTuple):
    """How each method asks: the type, and whether for a secret."""

    kind: str
    secret: bool

    @classmethod
    def of(cls, method: str) -> _Asked:
        rest = method.split("_")[1:]
        kinds = [word for word in rest if word != "secret"]
        return cls(kinds[0] if kinds else "string", "secret" in rest)


def install(pulumi: Any, notes: Any, placeholders: Any, files: Any, home: str) -> None:
    """Have every ``Config.require*`` answer.

    Args:
        pulumi: The program's own SDK.
        notes: Where each filled key is written down (``program.Notes``).
        placeholders: The module :mod:`levee.engine.placeholders`, loaded in this interpreter.
        files: The module :mod:`levee.engine.placeholder_files`, loaded in this interpreter.
        home: The folder for files that stand for paths.
    """
    filler = _Filler(pulumi, notes, placeholders, files, pathlib.Path(home))
    config = pulumi.Config
    for name in [name for name in dir(config) if name.startswith("require")]:
        setattr(config, name, filler.answering(getattr(config, name), _Asked.of(name)))
    config.get = filler.giving(config.get)


class _Filler:
    """Fills keys and writes each down once."""

    def __init__(self, pulumi: Any, notes: Any, placeholders: Any, files: Any, home: pathlib.Path) -> None:
        self._pulumi = pulumi
        self._notes = notes
        self._placeholders = placeholders
        self._files = files
        self._home = home
        self._seen: set[str] = set()

    def answering(self, method: Callable[..., Any], asked: _Asked) -> Callable[..., Any]:
        """``require*``, which fills what is missing."""

        @functools.wraps(method)
        def answer(config: Any, key: str, *args: Any, **more: Any) -> Any:
            full = config.full_key(key)
            if self._pulumi.runtime.get_config(full) is None:
                value = self._fill(full, asked)
                if asked.kind == "object" and value == {}:
                    return self._open_object(full, asked)
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
        frame = self._notes.frame()
        uses = _uses(frame.f_code.co_filename, frame.f_lineno, key.rsplit(":", 1)[-1], self._placeholders.Uses)
        chosen = self._placeholders.choose(key, asked.kind, uses, _cloud())
        if chosen.kind in {"path", "folder"}:
            chosen = self._laid(key, chosen, opened=uses.parsed_as == "file")
        self._pulumi.runtime.set_config(
            key, chosen.text if asked.kind in {"string", "object"} else json.dumps(chosen.value)
        )
        self._tell(key, chosen, secret=asked.secret, source=self._notes.caller())
        return chosen.value

    def _laid(self, key: str, chosen: Any, *, opened: bool) -> Any:
        """A path that leads to something: a file with what its name says it holds, or a folder."""
        name = key.rsplit(":", 1)[-1]
        if not self._files.is_file(name, opened=opened):
            return chosen._replace(value=self._files.folder(self._home, name), kind="folder")
        content = self._placeholders.choose(self._files.content_of(key), "string", self._placeholders.Uses(), _cloud())
        path = self._files.file(self._home, name, content.text)
        return chosen._replace(value=path, kind=f"file: {content.kind}")

    def _open_object(self, key: str, asked: _Asked) -> Any:
        source = self._notes.caller()

        def fill(item: str) -> Any:
            name = item.rsplit(".", 1)[-1]
            chosen = self._placeholders.choose(item, "string", self._placeholders.Uses(names=(name,)), _cloud())
            self._tell(item, chosen, secret=asked.secret, source=source)
            return int(chosen.value) if chosen.kind == "number" else chosen.value

        opened = Filled(key, fill)
        return self._pulumi.Output.secret(opened) if asked.secret else opened

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


@functools.lru_cache(maxsize=64)
def _tree(path: str) -> ast.Module | None:
    try:
        tree = ast.parse(pathlib.Path(path).read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):  # a program that lives in no file shows no uses
        return None
    for parent in ast.walk(tree):
        for child in ast.iter_child_nodes(parent):
            child.parent = parent  # ty: ignore[missing-attribute]
    return tree


def _uses(path: str, line: int, key: str, make: Callable[..., Any]) -> Any:
    """What the file does with the value that the call on that line returns."""
    tree = _tree(path)
    if tree is None:
        return make()
    reader = _Reader(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _asks(node, key) and node.lineno <= line <= (node.end_lineno or node.lineno):
            reader.follow(node, deep=True)
            break
    found = reader.found
    return make(**{**found, "names": tuple(dict.fromkeys(found["names"])), "choices": tuple(found["choices"])})


def _asks(call: ast.Call, key: str) -> bool:
    return (
        isinstance(call.func, ast.Attribute)
        and call.func.attr.startswith(("require", "get"))
        and any(isinstance(argument, ast.Constant) and argument.value == key for argument in call.args)
    )


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


class _Reader:
    """Follows a value upwards through the expression it stands in, and its variable through the file."""

    def __init__(self, tree: ast.Module) -> None:
        self._tree = tree
        self.found: dict[str, Any] = {"names": [], "choices": [], "number": False, "parsed_as": "", "separator": ""}

    def follow(self, node: ast.AST, *, deep: bool) -> None:
        """Note what is done with the value of that node."""
        parent = getattr(node, "parent", None)
        if isinstance(parent, ast.keyword) and parent.arg:
            self.found["names"].append(parent.arg)
        elif isinstance(parent, ast.Attribute):
            self._method(parent, deep=deep)
        elif isinstance(parent, ast.Call) and node in parent.args:
            self._argument(parent, deep=deep)
        elif isinstance(parent, (ast.Assign, ast.AnnAssign)) and node is parent.value:
            self._variable(parent, deep=deep)
        elif isinstance(parent, ast.Dict) and node in parent.values:
            name = parent.keys[parent.values.index(node)]
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                self.found["names"].append(name.value)
        elif isinstance(parent, ast.Compare):
            self._compared(parent, node)
        elif isinstance(parent, ast.Subscript) and node is parent.slice:
            self.found["choices"] += self._literals(parent.value)
        elif isinstance(parent, (ast.List, ast.Tuple, ast.BoolOp, ast.IfExp, ast.Await)):
            self.follow(parent, deep=deep)

    def _method(self, attribute: ast.Attribute, *, deep: bool) -> None:
        call = getattr(attribute, "parent", None)
        if not isinstance(call, ast.Call) or call.func is not attribute:
            return
        if attribute.attr == "split" and call.args and isinstance(call.args[0], ast.Constant):
            self.found["separator"] = str(call.args[0].value)
        if attribute.attr in {"split", *_WRAPPERS}:
            self.follow(call, deep=deep)

    def _argument(self, call: ast.Call, *, deep: bool) -> None:
        name = _called(call)
        if name in _NUMBERS:
            self.found["number"] = True
        elif name in _PATHS:
            self.found["parsed_as"] = "path"
        elif name in _FILES:
            self.found["parsed_as"] = "file"
        elif name in _DECODERS:
            self.found["parsed_as"] = _DECODERS[name]
        elif name in _NETWORKS:
            self.found["names"].append("cidr")
        elif name == "get" and isinstance(call.func, ast.Attribute):
            self.found["choices"] += self._literals(call.func.value)
        elif name in _WRAPPERS:
            self.follow(call, deep=deep)
        else:
            self.found["choices"] += self._members(name)

    def _variable(self, assignment: ast.Assign | ast.AnnAssign, *, deep: bool) -> None:
        targets = assignment.targets if isinstance(assignment, ast.Assign) else [assignment.target]
        for target in targets:
            name = target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "")
            if not name:
                continue
            if deep:
                for use in ast.walk(self._tree):
                    loaded = isinstance(getattr(use, "ctx", None), ast.Load)
                    if loaded and name == (use.attr if isinstance(use, ast.Attribute) else getattr(use, "id", "")):
                        self.follow(use, deep=False)
            self.found["names"].append(name)

    def _compared(self, comparison: ast.Compare, node: ast.AST) -> None:
        if node is comparison.left and isinstance(comparison.ops[0], (ast.In, ast.NotIn)):
            self.found["choices"] += self._literals(comparison.comparators[0])

    def _literals(self, node: ast.AST) -> list[str]:
        """The texts in a literal list, tuple, set or mapping, or in the one that a name stands for."""
        if isinstance(node, ast.Name):
            for statement in self._tree.body:
                targets = (
                    statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
                )
                if any(isinstance(target, ast.Name) and target.id == node.id for target in targets):
                    return self._literals(statement.value)  # ty: ignore[missing-attribute]
            return []
        if isinstance(node, ast.Dict):
            items: list[Any] = list(node.keys)
        else:
            items = list(getattr(node, "elts", []))
        return [item.value for item in items if isinstance(item, ast.Constant) and isinstance(item.value, str)]

    def _members(self, name: str) -> list[str]:
        """The values of an enum of the file."""
        for statement in self._tree.body:
            if isinstance(statement, ast.ClassDef) and statement.name == name:
                bases = [getattr(base, "id", getattr(base, "attr", "")) for base in statement.bases]
                if any("Enum" in base for base in bases):
                    values = [s.value for s in statement.body if isinstance(s, ast.Assign)]
                    return [v.value for v in values if isinstance(v, ast.Constant) and isinstance(v.value, str)]
        return []
