"""From a Python annotation in a generated SDK to a :class:`TypeRef`.

The generator (``pulumi/pulumi``, ``pkg/codegen/python``) writes ``pulumi.Input[Optional[T]]`` (older ones
``Optional[pulumi.Input[T]]``), ``Sequence[T]``, ``Mapping[str, T]``, and
``Union[str, 'Enum']`` for an enum that admits other values.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from levee.sdk.model import ANY, TypeRef

_PRIMITIVES = {
    "str": TypeRef("string"),
    "int": TypeRef("integer"),
    "float": TypeRef("number"),
    "bool": TypeRef("boolean"),
    "Any": ANY,
    "object": ANY,
}
_ASSETS = {"Asset", "Archive", "FileAsset", "FileArchive", "StringAsset", "AssetArchive", "RemoteAsset"}
_TRANSPARENT = {"Input", "Output", "Awaitable", "InputType"}

Resolve = Callable[[str], TypeRef]
"""From a dotted name as the annotation spells it (``_meta.v1.ObjectMetaArgs``) to its type."""


@dataclass(frozen=True, slots=True)
class Annotated:
    """A type and whether a value may be absent."""

    type: TypeRef
    optional: bool


def read(text: str, resolve: Resolve) -> Annotated:
    """Read one annotation.

    Args:
        text: The annotation as written, such as ``pulumi.Input[Optional[Sequence['XArgs']]]``.
        resolve: Where names that are not built in lead.

    Returns:
        The type; ``any`` for what the generator is not known to write.
    """
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except SyntaxError:
        return Annotated(ANY, optional=True)
    return _read(node, resolve)


def _read(node: ast.expr, resolve: Resolve) -> Annotated:
    if isinstance(node, ast.Constant):
        if node.value is None:
            return Annotated(ANY, optional=True)
        if isinstance(node.value, str):
            return _text(node.value, resolve)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _union([node.left, node.right], resolve)
    if isinstance(node, ast.Subscript):
        return _subscript(node, resolve)
    name = _dotted(node)
    return Annotated(_named(name, resolve), optional=False) if name else Annotated(ANY, optional=True)


def _text(text: str, resolve: Resolve) -> Annotated:
    if "[" in text:
        return read(text, resolve)
    return Annotated(_named(text, resolve), optional=False)


def _named(name: str, resolve: Resolve) -> TypeRef:
    last = name.rsplit(".", 1)[-1]
    if name in _PRIMITIVES or name.startswith(("_builtins.", "builtins.")):
        return _PRIMITIVES.get(last, ANY)
    if name in {"dict", "Mapping", "Dict"}:
        return TypeRef("map", item=ANY)
    if name in {"list", "Sequence", "List"}:
        return TypeRef("array", item=ANY)
    if name.startswith("pulumi."):
        return TypeRef("asset") if last in _ASSETS else TypeRef("resource")
    return resolve(name)


def _subscript(node: ast.Subscript, resolve: Resolve) -> Annotated:
    head = (_dotted(node.value) or "").rsplit(".", 1)[-1]
    args = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
    if head == "Optional":
        return Annotated(_read(args[0], resolve).type, optional=True)
    if head in _TRANSPARENT:
        return _read(args[0], resolve)
    if head in {"Sequence", "List", "list"}:
        return Annotated(TypeRef("array", item=_read(args[0], resolve).type), optional=False)
    if head in {"Mapping", "Dict", "dict"}:
        return Annotated(TypeRef("map", item=_read(args[-1], resolve).type), optional=False)
    if head == "Literal":
        values = tuple(a.value for a in args if isinstance(a, ast.Constant))
        return Annotated(TypeRef("enum", values=_scalars(values)), optional=False)
    if head == "Union":
        return _union(args, resolve)
    return Annotated(ANY, optional=True)


def _union(nodes: Sequence[ast.expr], resolve: Resolve) -> Annotated:
    nodes = [n for n in nodes if not _is_spelling(n, nodes)]
    read_ = [_read(n, resolve) for n in nodes]
    optional = any(r.optional for r in read_)
    types = list(dict.fromkeys(r.type for r in read_ if not (r.optional and r.type == ANY)))
    enums = [t for t in types if t.kind == "enum"]
    if len(types) == 2 and len(enums) == 1 and any(t.kind in {"string", "integer", "number"} for t in types):
        return Annotated(TypeRef("enum", ref=enums[0].ref, values=enums[0].values, open=True), optional)
    if len(types) == 1:
        return Annotated(types[0], optional)
    return Annotated(TypeRef("union", members=tuple(types)) if types else ANY, optional)


def _is_spelling(node: ast.expr, siblings: Sequence[ast.expr]) -> bool:
    """Whether ``node`` is another way to write a sibling: ``XArgsDict`` or ``outputs.X`` beside ``XArgs``."""
    name = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
    if name.endswith("ArgsDict"):
        return True
    names = [s.value for s in siblings if isinstance(s, ast.Constant) and isinstance(s.value, str)]
    return ".outputs." in f".{name}" and any(n.endswith("Args") for n in names)


def _dotted(node: ast.expr) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        head = _dotted(node.value)
        return f"{head}.{node.attr}" if head else None
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return None


def _scalars(values: Sequence[Any]) -> tuple[str | int | float, ...]:
    return tuple(v for v in values if isinstance(v, str | int | float))
