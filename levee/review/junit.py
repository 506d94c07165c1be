"""The rules as JUnit XML, for a build server that shows tests: one suite an environment, one test a rule.

Source: the schema that Jenkins' xUnit plugin publishes (``junit-10.xsd``); there is no standard.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from levee.plan import Verdict, logical_name
from levee.review.model import EnvironmentReview, Finding, Status

_INVALID: Final = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 §2.2 does not allow in any form."""


def suites(environments: Sequence[EnvironmentReview], name: str) -> str:
    """The XML document.

    A rule that newly fails and is mandatory is a failure. One that only newly warns, is not evaluated, or fails as it
    did at the base is skipped with the reason; the rest passes. An environment without a preview is an error.

    Args:
        environments: What was found; a rule that is broken and none of those that judged is a test, too.
        name: The command that found it.
    """
    root = Element("testsuites", name=name)
    for environment in environments:
        _suite(root, environment)
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _suite(root: Element, environment: EnvironmentReview) -> None:
    rules = {rule.id: rule for rule in environment.rules}
    by_rule: dict[str, list[Finding]] = {}
    for finding in environment.findings:
        by_rule.setdefault(finding.violation.policy, []).append(finding)
    names = sorted({*rules, *by_rule}) if not environment.failure else []
    suite = SubElement(root, "testsuite", name=_valid(environment.name))
    failures = skipped = 0
    for name in names:
        rule = rules.get(name)
        case = SubElement(suite, "testcase", name=_valid(name), classname=_valid(f"levee.{rule.pack if rule else '-'}"))
        found = by_rule.get(name, [])
        blocking = [f for f in found if f.blocks]
        if blocking:
            failures += 1
            SubElement(case, "failure", message=_count(blocking)).text = _told(blocking)
        elif found:
            skipped += 1
            SubElement(case, "skipped", message=_valid(_told(found)))
    if environment.failure:
        case = SubElement(suite, "testcase", name="preview", classname="levee")
        SubElement(case, "error", message=_valid(environment.failure))
    tests, errors = len(names) + bool(environment.failure), int(bool(environment.failure))
    for key, value in (("tests", tests), ("failures", failures), ("errors", errors), ("skipped", skipped)):
        suite.set(key, str(value))


def _count(found: Sequence[Finding]) -> str:
    return f"{len(found):,} blocking"


def _told(found: Sequence[Finding]) -> str:
    return _valid("\n".join(_line(f) for f in found))


def _line(finding: Finding) -> str:
    violation = finding.violation
    status = "not evaluated" if finding.verdict is Verdict.NOT_EVALUATED else violation.level.value
    where = f"{violation.source}: " if violation.source else ""
    name = logical_name(violation.urn) or "the stack"
    known = "" if finding.status is Status.NEW else f", {finding.status.value}"
    return f"{where}{name}: {violation.message} ({status}{known})"


def _valid(text: str) -> str:
    return _INVALID.sub("�", text)
