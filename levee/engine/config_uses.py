"""What a program does with a configuration value, as far as its source tells: where it goes, what it is compared with,
what it is turned into, and of an object or a list how it is gone through.

Loaded by path into the *program's own* interpreter, so it may import nothing but the standard library.
"""

from __future__ import annotations

import ast
import functools
import pathlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_NUMBERS = {"int", "float", "Decimal"}
_PATHS = {"Path", "FileArchive", "abspath", "expanduser", "listdir", "walk", "scandir"}
_FILES = {"open", "FileAsset", "read_file"}
_NETWORKS = {"ip_network", "IPv4Network", "IPNetwork"}
_DECODERS = {"b64decode": "base64", "loads": "json"}
_WRAPPERS = {"str", "strip", "lower", "upper", "join", "format", "apply", "from_input", "Output", "secret"}

_PASSES = {"enumerate", "list", "sorted", "tuple", "reversed"}


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


def of_key(path: str, line: int, key: str) -> dict[str, Any]:
    """What the file does with the value that the call on that line returns, as ``placeholders.Uses`` has it."""

    def asks(node: ast.AST) -> bool:
        at = isinstance(node, ast.Call) and node.lineno <= line <= (node.end_lineno or node.lineno)
        return at and _asks(node, key)

    return _uses(path, asks, first=True)


def of_item(path: str, item: str) -> dict[str, Any]:
    """What the file does with that item of any object: ``x["item"]`` and ``x.get("item")``."""

    def reads(node: ast.AST) -> bool:
        if isinstance(node, ast.Subscript):
            return isinstance(node.slice, ast.Constant) and node.slice.value == item
        return isinstance(node, ast.Call) and _called(node) == "get" and _asks(node, item)

    return _uses(path, reads, first=False)


def _uses(path: str, wanted: Callable[[ast.AST], bool], *, first: bool) -> dict[str, Any]:
    tree = _tree(path)
    reader = _Reader(tree or ast.Module([], []))
    for node in ast.walk(tree) if tree else ():
        if wanted(node):
            reader.follow(node, deep=True)
            if first:
                break
    found = reader.found
    several = {name: tuple(dict.fromkeys(found[name])) for name in ("names", "choices", "refused")}
    return {**found, **several}


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
        self._entered: set[tuple[str, int]] = set()
        self.found: dict[str, Any] = {
            "names": [],
            "choices": [],
            "refused": [],
            "number": False,
            "parsed_as": "",
            "separator": "",
            "shape": "",
        }

    def follow(self, node: ast.AST, *, deep: bool) -> None:
        """Note what is done with the value of that node."""
        parent = getattr(node, "parent", None)
        if isinstance(parent, ast.keyword):
            if parent.arg:
                self.found["names"].append(parent.arg)
            else:  # **node
                self._shaped("object")
        elif isinstance(parent, ast.Attribute):
            self._method(parent, deep=deep)
        elif isinstance(parent, ast.Call) and node in parent.args:
            self._argument(parent, node, deep=deep)
        elif isinstance(parent, (ast.Assign, ast.AnnAssign)) and node is parent.value:
            self._variable(parent, deep=deep)
        elif isinstance(parent, ast.Dict) and node in parent.values:
            name = parent.keys[parent.values.index(node)]
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                self.found["names"].append(name.value)
        elif isinstance(parent, ast.Compare):
            self._compared(parent, node)
        elif isinstance(parent, ast.Subscript):
            self._indexed(parent, node)
        elif isinstance(parent, (ast.For, ast.comprehension)) and node is parent.iter:
            self._gone_through(parent.target)
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
        if attribute.attr in {"get", "items", "keys", "values"}:
            self._shaped("object")

    def _argument(self, call: ast.Call, node: ast.AST, *, deep: bool) -> None:
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
        elif name in _WRAPPERS or name in _PASSES:
            self.follow(call, deep=deep)
        else:
            self.found["choices"] += self._members(name)
            self._into(call, next(i for i, given in enumerate(call.args) if given is node))

    def _into(self, call: ast.Call, index: int) -> None:
        """What a function of the file does with that argument; each is looked into once."""
        if (_called(call), index) in self._entered:
            return
        self._entered.add((_called(call), index))
        for function in ast.walk(self._tree):
            if isinstance(function, ast.FunctionDef) and function.name == _called(call):
                parameters = [*function.args.posonlyargs, *function.args.args]
                name = parameters[index].arg if index < len(parameters) else ""
                for use in ast.walk(function):
                    if isinstance(use, ast.Name) and use.id == name and isinstance(use.ctx, ast.Load):
                        self.follow(use, deep=False)

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
        text = getattr(comparison.comparators[0], "value", None) if node is comparison.left else None
        branch = getattr(comparison, "parent", None)
        if isinstance(text, str) and isinstance(branch, ast.If) and isinstance(branch.body[0], ast.Raise):
            if isinstance(comparison.ops[0], ast.Eq):
                self.found["refused"].append(text)
            elif isinstance(comparison.ops[0], ast.NotEq):
                self.found["choices"].append(text)

    def _shaped(self, shape: str) -> None:
        """The most telling of what was seen: a list of objects before an object before a list."""
        order = ("", "list", "object", "objects")
        self.found["shape"] = max(self.found["shape"], shape, key=order.index)

    def _indexed(self, subscript: ast.Subscript, node: ast.AST) -> None:
        if node is subscript.slice:
            self.found["choices"] += self._literals(subscript.value)
            return
        index = subscript.slice.value if isinstance(subscript.slice, ast.Constant) else None
        if isinstance(index, str):
            self._shaped("object")
        elif isinstance(index, int):
            self._shaped("objects" if self._is_object(subscript) else "list")

    def _gone_through(self, target: ast.AST) -> None:
        """What the loop does with one item; of ``enumerate`` it is the last that the loop names."""
        one = target.elts[-1] if isinstance(target, ast.Tuple) else target
        name = getattr(one, "id", "")
        uses = (n for n in ast.walk(self._tree) if isinstance(n, ast.Name) and n.id == name)
        self._shaped("objects" if any(self._is_object(use) for use in uses) else "list")

    @staticmethod
    def _is_object(node: ast.AST) -> bool:
        """Whether the file reads an item of it by name."""
        parent = getattr(node, "parent", None)
        if isinstance(parent, ast.Subscript) and node is parent.value:
            return isinstance(parent.slice, ast.Constant) and isinstance(parent.slice.value, str)
        return isinstance(parent, ast.Attribute) and parent.attr in {"get", "items"}

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
