"""From the text of generated classes and functions to :mod:`levee.sdk.model`."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator
from typing import Any

from levee.sdk import annotation
from levee.sdk.annotation import Resolve
from levee.sdk.model import Property

_GETTER = re.compile(r'^    @pulumi\.getter(?:\(name="([^"]*)"\))?[ \t]*$', re.MULTILINE)
_DEF = re.compile(r'^    def (\w+)\(self\) -> ([^\n]+):\n(?:        r?"""\n?(.*?)""")?', re.MULTILINE | re.DOTALL)
_ENUM_MEMBER = re.compile(r"^    [A-Z_a-z]\w* = (.+)$", re.MULTILINE)
_LIST = r"""(\[(?:"[^"\n]*"|'[^'\n]*'|[^\]"'])*\])"""
_SECRETS = re.compile(rf"additional_secret_outputs={_LIST}")
_REPLACE = re.compile(rf"replace_on_changes={_LIST}")
_ALIAS = re.compile(r'pulumi\.Alias\(type_="([^"]+)"\)')
_CONSTANT = re.compile(r"""^ {12}__props__\.__dict__\["(\w+)"\] = (['"].*['"]|\d+|True|False)$""", re.MULTILINE)
_REMOTE = re.compile(r"^\s+remote=True\)", re.MULTILINE)
_IMPORT_ID = re.compile(r"""^\s+\$ pulumi import (\S+) \S+ (?:"([^"\n]+)"|'([^'\n]+)'|(\S+))\s*$""", re.MULTILINE)
_ARGUMENT = re.compile(r"^    __args__\['([^']+)'\] = (\w+)", re.MULTILINE)
_PARAMETER = re.compile(r"^def \w+\((.*?)\)(?: ->|:)", re.MULTILINE | re.DOTALL)
_PARAMETER_DOC = re.compile(r"^    :param [^:]*?(\w+): (.*?)(?=^    :|^    \"\"\")", re.MULTILINE | re.DOTALL)

_REPLACES = re.compile(
    r"""
      forces\s+(?:a\s+|the\s+)?(?:new\s+resource|new\s+\w+|replacement|creation|recreation)
    | force\s+(?:a\s+)?(?:new\s+resource|(?:resource\s+)?(?:replacement|recreation))
    | chang(?:ing|es?)\s+(?:to\s+)?(?:this|the|these)\b[^.]{0,60}
      (?:forces|requires?\s+(?:re-?creation|replacement|replacing)|will\s+(?:force|destroy|recreate|re-create|replace))
    | (?:replaces|recreates)\s+the\s+resource
    | (?:cannot|can\s+not|can't)\s+be\s+(?:changed|updated|modified)(?:\s+\w+)?\s+(?:after|once)
    """,
    re.IGNORECASE | re.VERBOSE,
)


def says_replacement(doc: str) -> bool | None:
    """``True`` where the docstring says that a change replaces the resource, ``None`` where it does not say."""
    return True if _REPLACES.search(doc) else None


def getters(text: str, resolve: Resolve) -> Iterator[Property]:
    """The properties of a generated class, from its ``@pulumi.getter`` methods.

    Args:
        text: The class's own text.
        resolve: Where the names in its annotations lead.

    Yields:
        Each property in the order of the text. ``required`` is false where the annotation is ``Optional``.
    """
    for getter in _GETTER.finditer(text):
        definition = _DEF.search(text, getter.end())
        if definition is None:
            continue
        python_name, annotated, doc = definition.groups()
        doc = (doc or "").strip()
        read = annotation.read(annotated, resolve)
        yield Property(
            name=getter[1] or python_name,
            python_name=python_name,
            type=read.type,
            required=not read.optional,
            doc=doc,
            forces_replacement=says_replacement(doc),
        )


def method_result(text: str, token: str) -> str | None:
    """The text of the nested class that a method's result has; ``None`` where the class has no such method.

    Args:
        text: The resource class's own text.
        token: The method's token.
    """
    call = re.search(rf"""runtime\.call\(['"]{re.escape(token)}['"][^\n]*typ=\w+\.(\w+)\)""", text)
    found = call and re.search(rf"^    class {call[1]}\b.*?(?=^    \S)", text, re.MULTILINE | re.DOTALL)
    return textwrap.dedent(found[0]) if found else None


def enum_values(text: str) -> tuple[str | int | float, ...]:
    """The values of a generated enum class."""
    values: list[str | int | float] = []
    for literal in _ENUM_MEMBER.findall(text):
        try:
            value = ast.literal_eval(literal)
        except (ValueError, SyntaxError):
            continue
        if isinstance(value, str | int | float):
            values.append(value)
    return tuple(values)


def secret_outputs(text: str) -> tuple[str, ...]:
    """``additional_secret_outputs`` of a resource class."""
    return _strings(_SECRETS, text)


def replace_on_changes(text: str) -> tuple[str, ...]:
    """``replace_on_changes`` of a resource class."""
    return _strings(_REPLACE, text)


def aliases(text: str) -> tuple[str, ...]:
    """The tokens that a resource class was known by."""
    return tuple(dict.fromkeys(_ALIAS.findall(text)))


def import_ids(text: str, token: str) -> tuple[str, ...]:
    """The ids of the ``pulumi import`` lines in a resource class's docstring, without repetition."""
    found = (a or b or c for written, a, b, c in _IMPORT_ID.findall(text) if written == token)
    return tuple(dict.fromkeys(found))


def is_remote(text: str) -> bool:
    """Whether a resource class is constructed by its provider."""
    return _REMOTE.search(text) is not None


def constants(text: str) -> dict[str, Any]:
    """Python name to the literal that the class always sends."""
    return {name: ast.literal_eval(value) for name, value in _CONSTANT.findall(text)}


def arguments(text: str, resolve: Resolve) -> Iterator[Property]:
    """The arguments of a generated function, from its signature and its ``__args__`` lines."""
    signature = _PARAMETER.search(text)
    if signature is None:
        return
    types: dict[str, tuple[str, bool]] = {}
    try:
        function = ast.parse(f"def f({signature[1]}): ...").body[0]
    except SyntaxError:
        return
    if isinstance(function, ast.FunctionDef):
        for parameter in function.args.args:
            written = ast.unparse(parameter.annotation) if parameter.annotation else "Any"
            types[parameter.arg] = (written, written.startswith("Optional"))
    docs = {name: doc.strip() for name, doc in _PARAMETER_DOC.findall(text)}
    for name, python_name in _ARGUMENT.findall(text):
        written, optional = types.get(python_name, ("Any", True))
        read = annotation.read(written, resolve)
        yield Property(
            name, python_name, read.type, required=not (optional or read.optional), doc=docs.get(python_name, "")
        )


def _strings(pattern: re.Pattern[str], text: str) -> tuple[str, ...]:
    found = pattern.search(text)
    return tuple(ast.literal_eval(found[1])) if found else ()
