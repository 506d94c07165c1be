"""Checks that ask the graph: what a property refers to, and what belongs to a resource."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from levee.compliance.graph import base_type
from levee.compliance.rule import Finding, Read, Undecidable
from levee.compliance.rules.checks import Check, complaint_of, worst
from levee.compliance.rules.scope import Scope
from levee.plan import Resource, Verdict


def refers_to(path: str, *types: str, wanted: str, pattern: str = "") -> Check:
    """The value at the path is an output of a resource of one of the types, or a literal that matches ``pattern``.

    Args:
        path: Where the reference is.
        types: Base type tokens, such as ``aws:kms/key:Key``.
        wanted: What is to be named, in words.
        pattern: Regular expression of a literal that will do, for what another stack owns; empty: any but nothing.
    """
    compiled = re.compile(pattern or ".+")

    def run(scope: Scope) -> Iterator[Finding]:
        for found in scope.read(path):
            if any(base_type(r.type) in types for r in scope.references(found)):
                continue
            if found.undecidable:
                yield Undecidable(found.path).finding()
            elif not isinstance(found.value, str) or not compiled.fullmatch(found.value):
                yield complaint_of(found, f"it must name {wanted}")

    return Check(run, reads=(Read(path),), graph=True)


def referred(path: str, *types: str, check: Check) -> Check:
    """What the property refers to passes the check; a literal is another stack's, and nobody here can say.

    Args:
        path: Where the reference is.
        types: Base type tokens of what is referred to.
        check: What it must fulfil.
    """

    def run(scope: Scope) -> Iterator[Finding]:
        for found in scope.read(path):
            others = [other for other in scope.references(found) if base_type(other.type) in types]
            for other in others:
                for finding in check.run(_of(other, scope)):
                    yield replace(finding, message=f"{other.name}: {finding.message}", property=found.path)
            if not others and not found.empty:
                yield Undecidable(found.path, f"`{found.path}` names what this stack does not have").finding()

    reads = (Read(path), *(Read(r.path, t) for r in check.reads for t in types))
    return Check(run, reads=reads, settings=check.settings, graph=True)


def attached(*types: str, by: str, check: Check | None = None, wanted: str) -> Check:
    """Some resource of one of the types names this one in its property ``by``, and passes the check.

    Args:
        types: Base type tokens of what is to be attached.
        by: Its property that names the resource judged.
        check: What it must fulfil; without one its being there is enough.
        wanted: What to add, in words, where there is none.
    """

    def run(scope: Scope) -> Iterator[Finding]:
        found, unsure = scope.graph.attached(scope.resource, types, by)
        said = [list(check.run(_of(other, scope))) if check else [] for other in found]
        if any(not findings for findings in said):
            return
        if unsure or any(worst(findings) is Verdict.NOT_EVALUATED for findings in said):
            yield Undecidable("", f"nobody knows yet which {types[0].rpartition(':')[2]} belongs to it").finding()
        elif said:
            yield replace(said[0][0], message=f"{found[0].name}: {said[0][0].message}", property="")
        else:
            yield Finding(f"it has none of its own: add {wanted}")

    reads = (*(Read(by, t) for t in types), *(Read(r.path, t) for r in (check.reads if check else ()) for t in types))
    return Check(run, reads=reads, settings=check.settings if check else (), graph=True)


def beside(*types: str, check: Check, wanted: str) -> Check:
    """The stack has a resource of one of the types that passes the check, for what belongs to a whole account.

    Args:
        types: Base type tokens of what must be there.
        check: What it must fulfil.
        wanted: What to add, in words, where there is none.
    """

    def run(scope: Scope) -> Iterator[Finding]:
        others = [other for token in types for other in scope.graph.by_type.get(token, ())]
        verdicts = {check.verdict(_of(other, scope)) for other in others}
        if Verdict.PASSED in verdicts:
            return
        if Verdict.NOT_EVALUATED in verdicts:
            yield Undecidable("", f"nobody knows yet what {types[0].rpartition(':')[2]} will be").finding()
        else:
            yield Finding(f"the stack has none beside it: add {wanted}")

    return Check(run, tuple(Read(r.path, t) for r in check.reads for t in types), check.settings, graph=True)


def unless_output(path: str, check: Check) -> Check:
    """The check, where an unknown value at the path is decided when it is another resource's output.

    For what no resource's output ever is: the word for everybody, a person's address.

    Args:
        path: Where the value is; the check reads it.
        check: What must hold of a value that is known.
    """

    def run(scope: Scope) -> Iterator[Finding]:
        outputs = {found.path for found in scope.read(path) if found.undecidable and scope.references(found)}
        for finding in check.run(scope):
            if finding.verdict is not Verdict.NOT_EVALUATED or finding.property not in outputs:
                yield finding

    return replace(check, run=run, graph=True)


def _of(other: Resource, scope: Scope) -> Scope:
    return Scope.of(other, scope.graph, scope.facts)
