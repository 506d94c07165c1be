"""SARIF, JUnit and JSON of a review."""

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from levee.plan import Source
from levee.review import document, junit, sarif
from levee.review.accepted import Acceptance
from levee.review.findings import fingerprint
from tests.levee.review.conftest import RULES_BY_ID, TODAY, broken, bucket, environment, plan, review

SCHEMA = json.loads(Path(__file__).with_name("sarif-2.1.0-rtm.5.json").read_text())
"""SchemaStore's copy of the OASIS schema, as the npm package @microsoft/jest-sarif 1.0.0-beta.0 ships it (MIT)."""

RUN = sarif.Run("0.1.0", 1, "platform/Pulumi.yaml")


def validated(log):
    jsonschema.Draft4Validator(SCHEMA).validate(log)
    return log["runs"][0]


def test_the_log_fits_the_published_schema_and_names_rule_file_and_line(one_of_each):
    run = validated(sarif.log([environment(*one_of_each)], RUN))
    (rule,) = run["tool"]["driver"]["rules"]
    assert rule["id"] == "tagging-required"
    assert rule["help"]["text"].startswith(RULES_BY_ID["tagging-required"].remediation)
    by_state = {(r["baselineState"], r["kind"]): r for r in run["results"]}
    assert set(by_state) == {("new", "fail"), ("unchanged", "fail"), ("new", "open")}
    new = by_state["new", "fail"]
    place = new["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("__main__.py", 11)
    assert new["level"] == "error"
    assert new["partialFingerprints"] == {"leveeFinding/v1": fingerprint(broken("more"))}
    assert by_state["new", "open"]["level"] == "none"
    assert run["invocations"][0] == {"executionSuccessful": True, "exitCode": 1, "toolExecutionNotifications": []}


def test_the_schema_test_can_fail(one_of_each):
    log = sarif.log([environment(*one_of_each)], RUN)
    del log["runs"][0]["results"][0]["message"]
    with pytest.raises(jsonschema.ValidationError):
        validated(log)


def test_an_accepted_finding_is_suppressed_with_its_reason():
    name = fingerprint(broken("a"))
    entry = Acceptance(fingerprint=name, reason="the vendor needs it", owner="a@b.example", expires=TODAY)
    reviewed = environment(plan(), plan(bucket("a"), violations=[broken("a")]), accepted={name: entry})
    (result,) = validated(sarif.log([reviewed], RUN))["results"]
    assert result["suppressions"] == [
        {"kind": "external", "status": "accepted", "justification": "the vendor needs it"}
    ]


def test_hostile_names_and_unknown_rules_still_fit_the_schema():
    violation = replace(broken("a", message="\x00\x1b \ud800 ]]> <b>", policy="theirs"), urn="")
    violation = replace(violation, source=replace(violation.source, file="a b/#?.py", line=0))
    reviewed = environment(plan(), plan(bucket("a"), violations=[violation]))
    failed = replace(environment(plan(), plan(), name="x\x00"), failure="it\x01 broke", failure_code=2)
    run = validated(sarif.log([reviewed, failed], RUN))
    json.dumps(run).encode()
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a%20b/%23%3F.py"
    assert run["invocations"][0]["executionSuccessful"] is False
    ET.fromstring(junit.suites([reviewed, failed], "levee review").encode())


def test_a_finding_without_a_line_is_shown_at_the_projects_file():
    """GitHub refuses a whole log for one result without a file."""
    nowhere = replace(broken("a", message="the budget is exceeded"), urn="", source=None)
    elsewhere = replace(broken("b"), source=Source("/usr/lib/python3/x.py", 3))
    reviewed = environment(plan(), plan(bucket("a"), bucket("b"), violations=[nowhere, elsewhere]))
    results = validated(sarif.log([reviewed], RUN))["results"]
    places = [result["locations"][0]["physicalLocation"] for result in results]
    place = {"artifactLocation": {"uri": "platform/Pulumi.yaml"}, "region": {"startLine": 1}}
    assert places == [place, place]


def test_without_a_base_nothing_is_called_new():
    reviewed = environment(plan(), plan(bucket("a"), violations=[broken("a")]))
    (result,) = validated(sarif.log([reviewed], replace(RUN, compared=False)))["results"]
    assert "baselineState" not in result


def test_junit_has_a_test_for_every_rule_and_fails_where_the_gate_does(one_of_each):
    clean = environment(plan(), plan(), name="clean")
    failed = replace(environment(plan(), plan(), name="failed"), failure="it broke", failure_code=2)
    root = ET.fromstring(junit.suites([environment(*one_of_each), clean, failed], "levee review").encode())
    dev, quiet, lost = root
    assert [case.get("name") for case in dev] == sorted(RULES_BY_ID)
    (failure,) = dev.iter("failure")
    assert "__main__.py:11: more: tags are missing (mandatory)" in str(failure.text)
    assert dev.attrib == {"name": "dev", "tests": str(len(RULES_BY_ID)), "failures": "1", "errors": "0", "skipped": "0"}
    assert quiet.get("failures") == "0"
    assert [error.get("message") for error in lost.iter("error")] == ["it broke"]


def test_what_is_known_is_skipped_and_says_so():
    reviewed = environment(plan(bucket("a"), violations=[broken("a")]), plan(bucket("a"), violations=[broken("a")]))
    root = ET.fromstring(junit.suites([reviewed], "levee review").encode())
    (skipped,) = root.iter("skipped")
    assert str(skipped.get("message")).endswith("tags are missing (mandatory, known)")


def test_the_document_holds_everything(one_of_each):
    found = json.loads(json.dumps(document.to_document(review(environment(*one_of_each)))))
    (dev,) = found["environments"]
    assert found["exit_code"] == 1
    assert dev["counts"] == {"replace": 1, "delete": 1, "update": 1, "create": 1}
    assert [f["blocks"] for f in dev["findings"]] == [True, False, False]
    assert dev["changes"][0]["properties"] == [{"path": "bucket", "before": '"old"', "after": '"new"'}]
