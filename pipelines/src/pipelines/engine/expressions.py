"""SQL texts of expressions as the trees that Spark Connect has for them, read here instead of in the engine's server.

Sail reads a text anew whenever a plan with it comes: 0.1 ms and 3.5 µs a character, and each time it keeps some 40 KiB
for good. A tree takes it a tenth of the time and leaves nothing behind. What is read here is what the pipelines write
most (names, literals, calls, casts, CASE, comparisons, arithmetic); every other text stays a text, and means the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from google.protobuf.message import DecodeError
from pyspark.sql.connect.proto import expressions_pb2 as proto
from pyspark.sql.connect.proto import types_pb2 as types

REMEMBERED = 16_384
"""Texts whose trees are remembered: some fifty a table."""

_TOKEN = re.compile(
    r"\s*(?:(?P<name>`(?:[^`]|``)+`|[A-Za-z_]\w*)|(?P<number>\d+L?)(?![\w.])|(?P<text>'(?:[^'\\]|\\[\\'])*')"
    r"|(?P<symbol><=>|<>|!=|<=|>=|==|[-+*/%&=<>(),.\[\]]))"
)
_ESCAPED = re.compile(r"\\([\\'])")
_RESERVED = re.compile(
    r"ALL|AND|ANTI|ANY|AS|BETWEEN|BOTH|CASE|CAST|CROSS|CURRENT_DATE|CURRENT_TIME|"
    r"CURRENT_TIMESTAMP|CURRENT_USER|DATE|DISTINCT|DIV|ELSE|END|ESCAPE|EXISTS|EXTRACT|"
    r"FALSE|FILTER|FROM|FULL|GROUP|HAVING|ILIKE|IN|INNER|INTERSECT|INTERVAL|INTO|"
    r"IS|JOIN|LATERAL|LEADING|LEFT|LIKE|LOCALTIMESTAMP|NATURAL|NOT|NULL|ON|OR|"
    r"ORDER|OUTER|OVER|OVERLAY|POSITION|REGEXP|RIGHT|RLIKE|SELECT|SEMI|SESSION_USER|"
    r"SOME|TABLE|THEN|TIMESTAMP|TO|TRAILING|TRUE|TRY_CAST|UNION|UNIQUE|USER|USING|"
    r"WHEN|WHERE|WITH",
    re.IGNORECASE,
)
"""Words that begin something else than a name or a call."""
_COMPARISONS = {"=": "==", "==": "==", "<>": "!=", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=", "<=>": "<=>"}
_TYPES = {
    "STRING": types.DataType(string=types.DataType.String()),
    "BIGINT": types.DataType(long=types.DataType.Long()),
    "INT": types.DataType(integer=types.DataType.Integer()),
    "DOUBLE": types.DataType(double=types.DataType.Double()),
    "BOOLEAN": types.DataType(boolean=types.DataType.Boolean()),
    "DATE": types.DataType(date=types.DataType.Date()),
    "TIMESTAMP": types.DataType(timestamp=types.DataType.Timestamp()),
}
_Literal = proto.Expression.Literal
_INT_MAX, _LONG_MAX = 2**31 - 1, 2**63 - 1


class _OtherError(Exception):
    """The text is of a form that is not read here."""


@dataclass(frozen=True, slots=True)
class Tree:
    """An expression that was read.

    Attributes:
        expression: As Connect has it; not to be changed.
        levels: Messages within messages, which protobuf's readers take a hundred of.
    """

    expression: proto.Expression
    levels: int


@lru_cache(REMEMBERED)
def tree(text: str, *, named: bool = True) -> Tree | None:
    """Return the tree of a text; ``None`` where it stays a text.

    Args:
        text: Spark SQL of one expression, maybe with an alias.
        named: Whether its column's name matters: of ``a + b`` without an alias the engine makes one from the text.
    """
    try:
        found = _Reader(text).whole()
    except (_OtherError, DecodeError, RecursionError):  # the latter of what is too deep
        return None
    plain = found.WhichOneof("expr_type") in ("alias", "unresolved_star", "unresolved_attribute")
    return Tree(found, _levels(found)) if plain or not named else None


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise _OtherError
        yield match.lastgroup, match[match.lastgroup]
        position = match.end()
    yield "end", ""


class _Reader:
    """Reads one text by recursive descent, the loosest operator first, as Spark's grammar orders them."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0

    def whole(self) -> proto.Expression:
        """Read all of the text."""
        if self._symbol("*"):
            found = proto.Expression(unresolved_star=proto.Expression.UnresolvedStar())
        else:
            found = self._either()
            if self._word("AS"):
                found = proto.Expression(alias=proto.Expression.Alias(expr=found, name=[self._plain_name()]))
        if self._tokens[self._at][0] != "end":
            raise _OtherError
        return found

    # Tokens

    def _symbol(self, *symbols: str) -> str | None:
        kind, value = self._tokens[self._at]
        if kind == "symbol" and value in symbols:
            self._at += 1
            return value
        return None

    def _word(self, word: str) -> bool:
        kind, value = self._tokens[self._at]
        if kind == "name" and value.upper() == word:
            self._at += 1
            return True
        return False

    def _expect(self, found: object) -> None:
        if not found:
            raise _OtherError

    def _plain_name(self) -> str:
        kind, value = self._tokens[self._at]
        if kind != "name" or _RESERVED.fullmatch(value):
            raise _OtherError
        self._at += 1
        return value[1:-1].replace("``", "`") if value.startswith("`") else value

    # Operators

    def _either(self) -> proto.Expression:
        found = [self._both()]
        while self._word("OR"):
            found.append(self._both())
        return _balanced("or", found)

    def _both(self) -> proto.Expression:
        found = [self._negated()]
        while self._word("AND"):
            found.append(self._negated())
        return _balanced("and", found)

    def _negated(self) -> proto.Expression:
        return _call("not", self._negated()) if self._word("NOT") else self._compared()

    def _compared(self) -> proto.Expression:
        found = self._masked()
        if (symbol := self._symbol(*_COMPARISONS)) is not None:
            return _call(_COMPARISONS[symbol], found, self._masked())
        if self._word("IS"):
            name = "isNotNull" if self._word("NOT") else "isNull"
            self._expect(self._word("NULL"))
            return _call(name, found)
        is_not = self._word("NOT")
        if self._word("BETWEEN"):
            least = self._masked()
            self._expect(self._word("AND"))
            found = _call("and", _call(">=", found, least), _call("<=", found, self._masked()))
        elif self._word("IN"):
            self._expect(self._symbol("("))
            found = _call("in", found, *self._list())
        elif self._word("RLIKE"):
            found = _call("rlike", found, self._masked())
        else:
            self._expect(not is_not)
        return _call("not", found) if is_not else found

    def _masked(self) -> proto.Expression:
        start = self._at
        found = self._added()
        simple = self._at == start + 1
        while self._symbol("&"):
            self._expect(simple)  # beside other operators engines order it differently
            start = self._at
            found = _call("&", found, self._added())
            self._expect(self._at == start + 1)
        return found

    def _added(self) -> proto.Expression:
        terms, symbols = [self._multiplied()], list[str]()
        while (symbol := self._symbol("+", "-")) is not None:
            symbols.append(symbol)
            terms.append(self._multiplied())
        if "-" not in symbols and all(map(_is_long, terms)):  # no order of them overflows that another does not
            return _balanced("+", terms)
        found = terms[0]
        for symbol, term in zip(symbols, terms[1:], strict=True):
            found = _call(symbol, found, term)
        return found

    def _multiplied(self) -> proto.Expression:
        found = self._part()
        while (symbol := self._symbol("*", "/", "%")) is not None:
            found = _call(symbol, found, self._part())
        return found

    def _part(self) -> proto.Expression:
        found = self._primary()
        while self._symbol("["):
            key = self._either()
            self._expect(self._symbol("]"))
            taken = proto.Expression.UnresolvedExtractValue(child=found, extraction=key)
            found = proto.Expression(unresolved_extract_value=taken)
        return found

    # What operators stand between

    def _primary(self) -> proto.Expression:
        kind, value = self._tokens[self._at]
        if self._symbol("("):
            found = self._either()
            self._expect(self._symbol(")"))
            return found
        self._at += 1
        if kind == "text":
            return _literal(_Literal(string=_ESCAPED.sub(r"\1", value[1:-1])))
        if kind == "number":
            return _number(value)
        if kind == "name":
            return self._worded(value)
        raise _OtherError

    def _worded(self, word: str) -> proto.Expression:
        match word.upper():
            case "CASE":
                return self._case()
            case "CAST" | "TRY_CAST" as verb:
                return self._cast(tried=verb == "TRY_CAST")
            case "TRUE" | "FALSE" as value:
                return _literal(_Literal(boolean=value == "TRUE"))
            case "NULL":
                return _literal(_Literal(null=types.DataType(null=types.DataType.NULL())))
            case _ if _RESERVED.fullmatch(word):
                raise _OtherError
        if not word.startswith("`") and self._symbol("("):
            return _call(word.lower(), *self._list())
        while self._symbol("."):
            self._expect(self._tokens[self._at][0] == "name")
            word = f"{word}.{self._tokens[self._at][1]}"
            self._at += 1
        return proto.Expression(unresolved_attribute=proto.Expression.UnresolvedAttribute(unparsed_identifier=word))

    def _list(self) -> list[proto.Expression]:
        """Read expressions up to the closing parenthesis."""
        if self._symbol(")"):
            return []
        found = [self._either()]
        while self._symbol(","):
            found.append(self._either())
        self._expect(self._symbol(")"))
        return found

    def _case(self) -> proto.Expression:
        found = []
        while self._word("WHEN"):
            found.append(self._either())
            self._expect(self._word("THEN"))
            found.append(self._either())
        if self._word("ELSE"):
            found.append(self._either())
        self._expect(len(found) > 1 and self._word("END"))
        return _call("when", *found)

    def _cast(self, *, tried: bool) -> proto.Expression:
        self._expect(self._symbol("("))
        value = self._either()
        self._expect(self._word("AS"))
        mode = proto.Expression.Cast.EVAL_MODE_TRY if tried else proto.Expression.Cast.EVAL_MODE_UNSPECIFIED
        cast = proto.Expression.Cast(expr=value, type=self._type(), eval_mode=mode)
        self._expect(self._symbol(")"))
        return proto.Expression(cast=cast)

    def _type(self) -> types.DataType:
        kind, value = self._tokens[self._at]
        self._at += 1
        if (found := _TYPES.get(value.upper())) is not None and kind == "name":
            return found
        self._expect(value.upper() == "DECIMAL" and self._symbol("("))
        precision = self._whole_number()
        self._expect(self._symbol(","))
        scale = self._whole_number()
        self._expect(self._symbol(")"))
        return types.DataType(decimal=types.DataType.Decimal(precision=precision, scale=scale))

    def _whole_number(self) -> int:
        kind, value = self._tokens[self._at]
        self._expect(kind == "number" and value.isdecimal())
        self._at += 1
        return int(value)


def _call(name: str, *arguments: proto.Expression) -> proto.Expression:
    return proto.Expression(
        unresolved_function=proto.Expression.UnresolvedFunction(function_name=name, arguments=arguments)
    )


def _balanced(name: str, parts: Sequence[proto.Expression]) -> proto.Expression:
    """Return an operator's tree over many parts, whose order does not matter, with as few levels as can be."""
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    return _call(name, _balanced(name, parts[:half]), _balanced(name, parts[half:]))


def _is_long(expression: proto.Expression) -> bool:
    """Whether it is a bigint that is not negative: a literal, or a CASE of such."""
    if expression.WhichOneof("expr_type") == "literal":
        return expression.literal.WhichOneof("literal_type") == "long"
    call = expression.unresolved_function
    if call.function_name != "when":
        return False
    values = [*call.arguments[1::2], *call.arguments[-1:]]
    return len(call.arguments) % 2 == 1 and all(map(_is_long, values))


def _levels(expression: proto.Expression) -> int:
    match expression.WhichOneof("expr_type"):
        case "unresolved_function":
            below = list(expression.unresolved_function.arguments)
        case "cast":
            below = [expression.cast.expr]
        case "alias":
            below = [expression.alias.expr]
        case "unresolved_extract_value":
            taken = expression.unresolved_extract_value
            below = [taken.child, taken.extraction]
        case _:
            return 4  # a type or a literal's null
    return 2 + max(map(_levels, below), default=0)


def _number(value: str) -> proto.Expression:
    number = int(value.removesuffix("L"))
    if number > _LONG_MAX:
        raise _OtherError
    is_long = value.endswith("L") or number > _INT_MAX
    return _literal(_Literal(long=number) if is_long else _Literal(integer=number))


def _literal(value: proto.Expression.Literal) -> proto.Expression:
    return proto.Expression(literal=value)


__all__ = ["Tree", "tree"]
