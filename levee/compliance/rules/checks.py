"""The vocabulary that rules are written in: small checks that are put together.

A check yields what is wrong, nothing where all is well, and a "not evaluated" finding for each value that it must know
and nobody can. It declares the paths that it reads, so that a test can look them up in the provider's SDK. As a
*condition* (of ``only_where``, ``either``, ``attached``) a check holds where it yields nothing.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from levee.compliance.graph import base_type
from levee.compliance.rule import Finding, Read, Undecidable
from levee.compliance.rules.scope import Scope, Value
from levee.compliance.rules.settings import Setting, setting_value
from levee.plan import UNKNOWN, Verdict

_WIDEST: Final = {4: 8, 6: 16}
"""A range of public addresses is as good as all of them from this prefix length on; two halves of the world are it."""


Run: TypeAlias = Callable[[Scope], Iterator[Finding]]
"""What is wrong in a scope."""


@dataclass(frozen=True, slots=True)
class Check:
    """One condition on a resource.

    Attributes:
        run: What is wrong in a scope.
        reads: The paths that it looks at, by type where they are another resource's.
        settings: The environment's limits that it uses.
        graph: Whether it asks the graph, and so must wait until the graph is finished.
    """

    run: Run
    reads: tuple[Read, ...] = ()
    settings: tuple[Setting, ...] = ()
    graph: bool = False

    def verdict(self, scope: Scope) -> Verdict:
        """How it stands in that scope: a sure breach outranks what is unknown."""
        return worst(self.run(scope))


def equals(path: str, wanted: Any, *, default: Any = None) -> Check:
    """Every value at the path is ``wanted``.

    Args:
        path: Where to look.
        wanted: A JSON value, or a ``Setting``.
        default: What the provider takes where nothing is given; ``None`` fails.
    """
    return one_of(path, wanted, default=default)


def one_of(path: str, *wanted: Any, default: Any = None) -> Check:
    """Every value at the path is among ``wanted``."""

    def accept(value: Any, scope: Scope) -> str:
        allowed = [setting_value(w, scope.facts) for w in wanted]
        return "" if value in allowed else f"it must be {alternatives(allowed)}"

    return _each_value(path, accept, default=default, settings=wanted)


def differs(path: str, *refused: Any, default: Any = None) -> Check:
    """No value at the path is among ``refused``; what is absent counts as ``default``."""

    def accept(value: Any, _scope: Scope) -> str:
        return f"it must not be {alternatives(refused)}" if value in refused else ""

    return _each_value(path, accept, default=default, absent_passes=default is None)


def present(path: str) -> Check:
    """Something is given at the path: a literal, a secret, or another resource's output (which the graph tells)."""

    def run(scope: Scope) -> Iterator[Finding]:
        for found in scope.read(path):
            if found.empty:
                yield complaint_of(found, "it must be set")
            elif found.undecidable and not scope.references(found):
                yield Undecidable(found.path).finding()

    return Check(run, reads=(Read(path),), graph=True)


def absent(path: str) -> Check:
    """Nothing is given at the path; a secret is something, an unknown value may be."""

    def run(scope: Scope) -> Iterator[Finding]:
        for found in scope.read(path):
            if found.value == UNKNOWN:
                yield Undecidable(found.path).finding()
            elif not found.empty:
                yield complaint_of(found, "it must not be set")

    return Check(run, reads=(Read(path),))


def at_least(path: str, least: float | Setting, *, default: float | None = None) -> Check:
    """Every number at the path is ``least`` or more."""

    def accept(value: Any, scope: Scope) -> str:
        limit = setting_value(least, scope.facts)
        return "" if _number(value) is not None and value >= limit else f"it must be at least {limit}"

    return _each_value(path, accept, default=default, settings=(least,))


def at_most(path: str, most: float | Setting, *, default: float | None = None, above: float = 0) -> Check:
    """Every number at the path is ``most`` or less, and more than ``above`` (0 often means "never")."""

    def accept(value: Any, scope: Scope) -> str:
        limit = setting_value(most, scope.facts)
        fits = _number(value) is not None and above < value <= limit
        return "" if fits else f"it must be above {above} and at most {limit}"

    return _each_value(path, accept, default=default, settings=(most,))


def matching(path: str, pattern: str, wanted: str, *, default: str | None = None) -> Check:
    """Every text at the path matches the whole regular expression; ``wanted`` says in words what it must be."""
    compiled = re.compile(pattern)

    def accept(value: Any, _scope: Scope) -> str:
        return "" if isinstance(value, str) and compiled.fullmatch(value) else f"it must be {wanted}"

    return _each_value(path, accept, default=default)


def not_matching(path: str, pattern: str, refused: str) -> Check:
    """No text at the path matches the whole regular expression; ``refused`` says in words what it must not be."""
    compiled = re.compile(pattern)

    def accept(value: Any, _scope: Scope) -> str:
        return f"it must not be {refused}" if isinstance(value, str) and compiled.fullmatch(value) else ""

    return _each_value(path, accept, absent_passes=True)


def contains(path: str, *wanted: Any) -> Check:
    """The list at the path holds every one of ``wanted``."""

    def run(scope: Scope) -> Iterator[Finding]:
        for found in scope.read(path):
            items = found.value if isinstance(found.value, list) else []
            missing = [w for w in wanted if w not in items]
            if found.undecidable or (missing and any(Value("", item).undecidable for item in items)):
                yield Undecidable(found.path).finding()
            elif missing:
                yield complaint_of(found, f"it must contain {', '.join(map(_shown, missing))}")

    return Check(run, reads=(Read(path),))


def not_world_open(path: str) -> Check:
    """No address range at the path is the whole internet, or a public part of it as wide as /8 (IPv6: /16)."""

    def accept(value: Any, _scope: Scope) -> str:
        return "it lets the whole internet in: name the ranges that need it" if is_world(value) else ""

    return _each_value(path, accept, absent_passes=True)


def is_world(value: Any) -> bool:
    """Whether a CIDR range, or one of the words that providers have for it, is as good as everybody."""
    if value in ("*", "Internet", "Any", "any"):
        return True
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return network.prefixlen == 0 or (network.prefixlen < _WIDEST[network.version] and not network.is_private)


def every(*checks: Check) -> Check:
    """All of them."""
    return _joined(lambda scope: (finding for check in checks for finding in check.run(scope)), checks)


def either(*checks: Check) -> Check:
    """At least one of them; what is said is what the first one says, with the number of other ways."""

    def run(scope: Scope) -> Iterator[Finding]:
        said = [list(check.run(scope)) for check in checks]
        if not all(said):
            return
        unknown = [f for findings in said if worst(findings) is Verdict.NOT_EVALUATED for f in findings]
        if unknown:
            yield unknown[0]
            return
        others = "; or ".join(findings[0].message for findings in said[1:])
        yield replace(said[0][0], message=f"{said[0][0].message}; or {others}")

    return _joined(run, checks)


def only_where(condition: Check, then: Check) -> Check:
    """``then``, where the condition holds; where nobody knows whether it holds, a breach is not evaluated."""

    def run(scope: Scope) -> Iterator[Finding]:
        holds = condition.verdict(scope)
        if holds is Verdict.FAILED:
            return
        for finding in then.run(scope):
            yield finding if holds is Verdict.PASSED else replace(finding, verdict=Verdict.NOT_EVALUATED)

    return _joined(run, (condition, then))


def unless(exception: Check, then: Check) -> Check:
    """``then``, except where the exception holds; where nobody knows whether it does, a breach is not evaluated."""

    def run(scope: Scope) -> Iterator[Finding]:
        holds = exception.verdict(scope)
        if holds is Verdict.PASSED:
            return
        for finding in then.run(scope):
            yield finding if holds is Verdict.FAILED else replace(finding, verdict=Verdict.NOT_EVALUATED)

    return _joined(run, (exception, then))


def where_setting(setting: Setting, then: Check) -> Check:
    """``then``, where the environment's setting is switched on."""

    def run(scope: Scope) -> Iterator[Finding]:
        if setting_value(setting, scope.facts):
            yield from then.run(scope)

    return replace(then, run=run, settings=(*then.settings, setting))


def never(condition: Check, message: str) -> Check:
    """The condition does not hold; ``message`` says what is wrong where it does, and what mends it."""

    def run(scope: Scope) -> Iterator[Finding]:
        holds = condition.verdict(scope)
        if holds is Verdict.PASSED:
            yield Finding(message, property=scope.prefix)
        elif holds is Verdict.NOT_EVALUATED:
            yield from (f for f in condition.run(scope) if f.verdict is Verdict.NOT_EVALUATED)

    return _joined(run, (condition,))


def by_type(checks: Mapping[str, Check]) -> Check:
    """The check for the type of the resource judged, where the types say the same thing at different paths.

    Args:
        checks: Base type token to its check.
    """

    def run(scope: Scope) -> Iterator[Finding]:
        yield from checks[base_type(scope.resource.type)].run(scope)

    own = tuple(read if read.type else replace(read, type=t) for t, check in checks.items() for read in check.reads)
    return replace(_joined(run, checks.values()), reads=own)


def each(path: str, check: Check) -> Check:
    """The check, for each item at the path; its own paths begin at the item."""

    def run(scope: Scope) -> Iterator[Finding]:
        for found in scope.read(path):
            if found.undecidable:
                yield Undecidable(found.path).finding()
            elif found.value is not None:
                yield from check.run(scope.at(found))

    below = tuple(replace(read, path=f"{path}.{read.path}") if not read.type else read for read in check.reads)
    return replace(check, run=run, reads=(Read(path), *below))


def reads(*paths: str, settings: tuple[Setting, ...] = (), graph: bool = False) -> Callable[[Run], Check]:
    """Make a check of a function from a scope to findings, which reads those paths of the resource.

    The function may raise ``Undecidable``; what it found before is kept.
    """

    def made(run: Run) -> Check:
        def decided(scope: Scope) -> Iterator[Finding]:
            try:
                yield from run(scope)
            except Undecidable as undecidable:
                yield undecidable.finding()

        return Check(decided, tuple(Read(path) for path in paths), settings, graph)

    return made


def document(value: Any, path: str) -> Any:
    """A JSON document that a property holds as text, such as an IAM policy.

    Raises:
        Undecidable: It is unknown, secret, or no JSON.
    """
    if Value(path, value).undecidable:
        raise Undecidable(path)
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError as wrong:
        raise Undecidable(path, f"`{path}` is no JSON: {wrong.msg}") from None


def _each_value(
    path: str,
    complaint: Callable[[Any, Scope], str],
    *,
    default: Any = None,
    absent_passes: bool = False,
    settings: Iterable[Any] = (),
) -> Check:
    def run(scope: Scope) -> Iterator[Finding]:
        for found in scope.read(path):
            if found.undecidable:
                yield Undecidable(found.path).finding()
            elif not (found.value is None and absent_passes):
                said = complaint(default if found.value is None else found.value, scope)
                if said:
                    yield complaint_of(found, said)

    return Check(run, reads=(Read(path),), settings=tuple(s for s in settings if isinstance(s, Setting)))


def _joined(run: Run, checks: Iterable[Check]) -> Check:
    parts = tuple(checks)
    return Check(
        run,
        reads=tuple(read for part in parts for read in part.reads),
        settings=tuple(setting for part in parts for setting in part.settings),
        graph=any(part.graph for part in parts),
    )


def worst(findings: Iterable[Finding]) -> Verdict:
    """The verdict of findings: a sure breach outranks what is unknown."""
    verdicts = {finding.verdict for finding in findings}
    return next((v for v in (Verdict.FAILED, Verdict.NOT_EVALUATED) if v in verdicts), Verdict.PASSED)


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def complaint_of(found: Value, complaint: str) -> Finding:
    """The finding against one value: where it is, what it is, and what it must be."""
    given = "is not set" if found.value is None else f"is {_shown(found.value)}"
    return Finding(f"`{found.path}` {given}: {complaint}", property=found.path)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


def alternatives(values: Iterable[Any]) -> str:
    """JSON values in a sentence: ``"a" or "b"``."""
    return " or ".join(map(_shown, values))
