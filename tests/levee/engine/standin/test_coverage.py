"""How far checks go: counted from the SDK's own types, and open to checks that come later."""

from __future__ import annotations

from dataclasses import replace

import pytest

from levee.engine.standin import coverage
from levee.engine.standin.check import Checker
from levee.engine.standin.coverage import Check, Context
from levee.engine.standin.replacement import ReplacementFacts
from levee.sdk import Property, ResourceType, Sdk, TypeRef

CONTEXT = Context(ReplacementFacts())
STRING, ANY = TypeRef("string"), TypeRef("any")


def a_type(package: str, **inputs: TypeRef) -> ResourceType:
    properties = {n: Property(n, n, t, required=n == "size") for n, t in inputs.items()}
    outputs = {"size": properties["size"], "arn": Property("arn", "arn", STRING, required=True)}
    return ResourceType(f"{package}:a/b:B", package, "1.0.0", "m", "B", properties, outputs)


def counts(type_: ResourceType) -> dict[str, tuple[int, int]]:
    return {n: (c.decided, len(c.concerned)) for n, c in coverage.of(type_, CONTEXT).items()}


def test_each_check_counts_what_it_decides_of_what_it_concerns() -> None:
    closed = TypeRef("enum", values=("a",))
    type_ = a_type(
        "azure",
        size=STRING,
        free=ANY,
        mode=closed,
        modes=TypeRef("array", item=replace(closed, open=True)),
        tags=STRING,
    )
    got = counts(type_)
    assert got["required inputs"] == (1, 1)
    assert got["types"] == (4, 5)
    assert got["enums"] == (1, 2)
    assert got["unknown properties"] == (0, 5)
    assert coverage.of(type_, CONTEXT)["enums"].undecided == ("modes",)
    assert coverage.invented_outputs(type_) == ("arn",)


def test_the_counts_are_what_the_checker_really_refuses(sdk: Sdk) -> None:
    """Every input that `types` claims to decide is refused when it holds a value of no sensible type."""
    type_ = sdk.resource("aws:s3/bucket:Bucket")
    assert type_ is not None
    typed = coverage.of(type_, CONTEXT)["types"]
    for name in set(typed.concerned) - set(typed.undecided):
        wrong = [] if type_.inputs[name].type.kind in {"object", "map", "string", "boolean", "integer"} else {"x": 1}
        assert Checker(sdk).check({name: wrong}, {name: type_.inputs[name]}), name


def test_a_check_that_is_added_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coverage, "_CHECKS", dict(coverage._CHECKS))
    coverage.register(Check("names", "what", lambda t, _: ["size"], lambda t, _: ["size", "free"]))
    assert counts(a_type("aws", size=STRING, free=ANY))["names"] == (1, 2)


def test_replacement_facts_are_counted(sdk: Sdk) -> None:
    type_ = sdk.resource("aws:s3/bucket:Bucket")
    assert type_ is not None
    facts = coverage.of(type_, CONTEXT)["replacement facts"]
    assert "bucket" not in facts.undecided
    assert 0 < facts.decided < len(facts.concerned)
