"""The catalogue's small language: which inputs choose a component and its quantity.

An expression is a subset of Python's: paths into the inputs (``sku.name``, ``item.volumeSize``), literals,
``+ - * / **``, comparisons, ``in``, ``and``, ``or``, ``not``, ``a if b else c`` and the functions below. An absent path
is ``None``; ``a or b`` also passes over usage that nobody gave. Arithmetic is on ``Decimal``. Nothing else can be
written, so a catalogue cannot run code.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, Protocol, TypeAlias

from levee.plan import SECRET, UNKNOWN


class Scope(Protocol):
    """What an expression can see."""

    def name(self, name: str) -> Any:
        """The value of a bare name."""
        ...

    def usage(self, key: str) -> Decimal:
        """Usage a month; raises ``UsageMissing``."""
        ...

    def span(self, low: Any, expected: Any, high: Any) -> Any:
        """The one of the three that belongs to the scenario under evaluation."""
        ...

    def rating(self, group: str, name: str) -> Decimal:
        """DBU an hour of a machine or warehouse; raises ``PriceMissing``."""
        ...


Evaluate: TypeAlias = Callable[[Scope], Any]


class Undetermined(Exception):  # noqa: N818 - not an error: the amount cannot be told, and the report says why
    """An expression has no value.

    Args:
        reason: Why, for the line's note.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UsageMissing(Undetermined):
    """Nobody said how much of it is used."""


class PriceMissing(Undetermined):
    """The catalogue holds no price or rating of this size."""


class ValueUnknown(Undetermined):
    """An input is known only after the update, is a secret, or is not given."""


_ARITHMETIC: Final[Mapping[type[ast.operator], Callable[[Decimal, Decimal], Decimal]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_COMPARISONS: Final[Mapping[type[ast.cmpop], Callable[[Any, Any], bool]]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.In: lambda value, choices: value in choices,
    ast.NotIn: lambda value, choices: value not in choices,
}
_ORDERINGS: Final[Mapping[type[ast.cmpop], Callable[[Decimal, Decimal], bool]]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_DISK_TIERS: Final = tuple(
    zip(
        (4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32767),
        (1, 2, 3, 4, 6, 10, 15, 20, 30, 40, 50, 60, 70, 80),
        strict=True,
    )
)
"""Most GiB of a tier, and its number (Azure documentation, "Azure managed disk types", billing)."""

_MEMORYSTORE_TIERS: Final = ((4, "M1"), (10, "M2"), (35, "M3"), (100, "M4"), (300, "M5"))
"""Most GB of a capacity tier (Memorystore for Redis documentation, "Pricing")."""


def azure_disk(sku: str, gigabytes: Any) -> str:
    """Size and redundancy as Azure bills a managed disk: ``azure_disk("Premium_LRS", 100)`` is ``p10/lrs``."""
    family, _, redundancy = sku.partition("_")
    letter = {"premium": "p", "standardssd": "e", "standard": "s"}.get(family.lower(), family.lower())
    for most, tier in _DISK_TIERS:
        if number(gigabytes) <= most:
            # The smallest tier of standard hard disks is S4.
            return f"{letter}{max(tier, 4) if letter == 's' else tier}/{redundancy.lower()}"
    raise PriceMissing(f"no managed disk holds {gigabytes} GiB")


def memory_tier(gigabytes: Any) -> str:
    """Capacity tier of a Memorystore instance, ``M1`` to ``M5``."""
    for most, tier in _MEMORYSTORE_TIERS:
        if number(gigabytes) <= most:
            return tier
    raise PriceMissing(f"no Memorystore tier holds {gigabytes} GB")


def number(value: Any) -> Decimal:
    """A JSON number, or a string that holds one, as ``Decimal``.

    Raises:
        ValueUnknown: It is absent or no number.
    """
    if isinstance(value, Decimal):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueUnknown("a number that it needs is not given")
    try:
        return Decimal(str(value))
    except ArithmeticError:
        raise ValueUnknown(f"{value!r} is no number") from None


def _text(value: Any) -> str:
    return "" if value is None else str(value)


_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "azure_disk": azure_disk,
    "beforelast": lambda text: _text(text).rpartition(".")[0],
    "contains": lambda text, part: part in _text(text),
    "first": lambda values: values[0] if values else None,
    "kebab": lambda text: _text(text).lower().replace("_", "-"),
    "len": lambda values: Decimal(len(values or ())),
    "lower": lambda text: _text(text).lower(),
    "max": lambda *values: max(number(value) for value in values),
    "memory_tier": memory_tier,
    "min": lambda *values: min(number(value) for value in values),
    "number": number,
    "plain": lambda text: re.sub(r"[^a-z0-9]", "", _text(text).lower()),
    "split": lambda text, at, index: (_text(text).split(at) + [""] * (int(index) + 1))[int(index)],
    "startswith": lambda text, start: _text(text).startswith(start),
}
FUNCTIONS: Final = (*_FUNCTIONS, "rating", "span")
"""Every function that an expression may call."""


@lru_cache(maxsize=4096)
def compiled(text: str) -> Evaluate:
    """The expression as a function of its scope.

    Raises:
        ValueError: It is not in the language.
    """
    try:
        return _node(ast.parse(text, mode="eval").body)
    except SyntaxError as wrong:
        raise ValueError(f"{text!r} is no expression: {wrong.msg}") from None


@dataclass(frozen=True, slots=True)
class Template:
    """Text with expressions in braces."""

    parts: tuple[str | Evaluate, ...]

    def fill(self, scope: Scope) -> str:
        """The text for one resource; an absent value raises ``ValueUnknown``."""
        return "".join(part if isinstance(part, str) else self._value(part, scope) for part in self.parts)

    @staticmethod
    def _value(part: Evaluate, scope: Scope) -> str:
        value = part(scope)
        if value is None:
            raise ValueUnknown("the size is not given, or not in this plan")
        return f"{value:f}" if isinstance(value, Decimal) else str(value)


@lru_cache(maxsize=4096)
def template(text: str) -> Template:
    """Compile a text with expressions in braces."""
    pieces = re.split(r"\{([^{}]*)\}", text)
    return Template(tuple(compiled(p) if index % 2 else p for index, p in enumerate(pieces) if p or index % 2))


@lru_cache(maxsize=4096)
def usage_keys(text: str) -> tuple[str, ...]:
    """The usage that an expression reads, in order."""
    return tuple(dict.fromkeys(re.findall(r"\busage\.(\w+)", text)))


def _node(node: ast.expr) -> Evaluate:
    match node:
        case ast.Constant(value=value):
            literal = Decimal(str(value)) if isinstance(value, int | float) and not isinstance(value, bool) else value
            return lambda _scope: literal
        case ast.Name(id=name):
            return lambda scope: _read(scope.name(name), name)
        case ast.Attribute(value=ast.Name(id="usage"), attr=key):
            return lambda scope: scope.usage(key)
        case ast.Attribute(value=inner, attr=key):
            return _attribute(_node(inner), key)
        case ast.Tuple(elts=items):
            members = [_node(item) for item in items]
            return lambda scope: tuple(member(scope) for member in members)
        case ast.BoolOp(op=op, values=values):
            return _boolean(isinstance(op, ast.Or), [_node(value) for value in values])
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            negated = _node(operand)
            return lambda scope: not negated(scope)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            condition, then, otherwise = _node(test), _node(body), _node(orelse)
            return lambda scope: then(scope) if condition(scope) else otherwise(scope)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            apply, first, second = _ARITHMETIC[type(op)], _node(left), _node(right)
            return lambda scope: apply(number(first(scope)), number(second(scope)))
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _compare(type(op), _node(left), _node(right))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in FUNCTIONS:
            return _call(name, [_node(argument) for argument in arguments])
    raise ValueError(f"{ast.unparse(node)!r} is not in the catalogue's language")


def _read(value: Any, path: str) -> Any:
    if isinstance(value, str) and value in (UNKNOWN, SECRET):
        raise ValueUnknown(f"`{path}` is not known before the update")
    return value


def _attribute(inner: Evaluate, key: str) -> Evaluate:
    def get(scope: Scope) -> Any:
        holder = inner(scope)
        return _read(holder.get(key), key) if isinstance(holder, Mapping) else None

    return get


def _boolean(is_or: bool, parts: Sequence[Evaluate]) -> Evaluate:
    def evaluate(scope: Scope) -> Any:
        value: Any = None
        for index, part in enumerate(parts):
            try:
                value = part(scope)
            except UsageMissing:
                if not is_or or index == len(parts) - 1:
                    raise
                continue
            if bool(value) is is_or:
                return value
        return value

    return evaluate


def _compare(kind: type[ast.cmpop], left: Evaluate, right: Evaluate) -> Evaluate:
    if kind in _COMPARISONS:
        test = _COMPARISONS[kind]
        return lambda scope: test(_comparable(left(scope)), _comparable(right(scope)))
    if kind in _ORDERINGS:
        order = _ORDERINGS[kind]
        return lambda scope: order(number(left(scope)), number(right(scope)))
    raise ValueError(f"{kind.__name__} is not in the catalogue's language")


def _comparable(value: Any) -> Any:
    return Decimal(str(value)) if isinstance(value, float) else value


def _call(name: str, arguments: Sequence[Evaluate]) -> Evaluate:
    if name == "span":
        low, expected, high = arguments
        return lambda scope: scope.span(low(scope), expected(scope), high(scope))
    if name == "rating":
        group, item = arguments
        return lambda scope: scope.rating(_text(group(scope)), _text(item(scope)))
    function = _FUNCTIONS[name]
    return lambda scope: function(*(argument(scope) for argument in arguments))
