"""What holds of every compliance rule.

Each has a resource that keeps it and one that breaks it, in ``cases/*.yaml`` by the rule's id::

    aws-s3-versioning-enabled:
      passes:                          # or a list of such cases
        type: aws:s3/bucket:Bucket     # default: the rule's first type
        inputs: {...}                  # of the resource judged, "subject"
        refs: {kmsKeyId: key}          # inputs that are an output of another resource: unknown, and a dependency
        others: {key: {type: ..., inputs: ..., refs: ...}}
        settings: {audit_days: 2557}   # the rule's parameters
        provider: {region: eu-west-1}  # inputs of the subject's provider
      fails: ...
"""

import re
import sysconfig
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from levee.compliance import Evaluator, Settings
from levee.compliance.rules import RULES
from levee.compliance.rules.controls import cis_aws, cis_azure, cis_gcp, cis_kubernetes
from levee.compliance.rules.scope import EACH, steps
from levee.compliance.tagging import Places
from levee.plan import UNKNOWN, Resource, Verdict
from levee.sdk import Sdk

TODAY = date(2026, 11, 21)
BY_ID = {rule.id: rule for rule in RULES}
SUBJECT = "subject"

CONTROLS = {
    "HIPAA Security Rule": ("45 CFR 164", r"164\.3(08|10|12|14|16)(\([a-z0-9]+\))+(\([ivx]+\))?(\([A-Z]\))?"),
    "PCI DSS": ("4.0.1", r"([1-9]|1[0-2])\.\d{1,2}(\.\d{1,2}){1,2}"),
    "SOC 2": ("TSC 2017", r"(CC[1-9]\.\d|A1\.[1-3]|C1\.[12]|PI1\.[1-5]|P[1-8]\.\d)"),
    "ISO/IEC 27001": ("2022", r"A\.(5\.([1-9]|[12]\d|3[0-7])|6\.[1-8]|7\.([1-9]|1[0-4])|8\.([1-9]|[12]\d|3[0-4]))"),
    "GDPR": ("2016/679", r"Art\. [1-9]\d?(\(\d\))?(\([a-f]\))?"),
    "21 CFR Part 11": ("1997", r"11\.(10|30|50|70|100|200|300)(\([a-k]\))?"),
    "CIS AWS Foundations": ("3.0.0", r"[1-5]\.\d{1,2}(\.\d)?"),
    "CIS Azure Foundations": ("3.0.0", r"([2-9]|10)\.\d{1,2}(\.\d{1,2}){0,2}"),
    "CIS GCP Foundation": ("3.0.0", r"[1-8]\.\d{1,2}(\.\d{1,2})?"),
    "Databricks SAT": ("0.8.0", r"(DP|GOV|IA|INFO|NS)-[1-9]\d?"),
    "CIS Kubernetes": ("1.8.0", r"[1-5]\.\d{1,2}\.\d{1,2}"),
}
"""Standard to the version cited and the form of a reference."""


@dataclass(frozen=True)
class Case:
    rule: str
    type: str
    inputs: dict[str, Any] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    others: dict[str, dict[str, Any]] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    provider: dict[str, Any] = field(default_factory=dict)

    def resources(self) -> list[Resource]:
        subject = {"type": self.type, "inputs": self.inputs, "refs": self.refs}
        nodes: dict[str, dict[str, Any]] = {SUBJECT: subject, **self.others}
        urns = {name: f"urn:pulumi:prod::p::{node['type']}::{name}" for name, node in nodes.items()}
        return [
            Resource(
                urn=urns[name],
                type=node["type"],
                name=name,
                inputs={**node.get("inputs", {}), **dict.fromkeys(node.get("refs", {}), UNKNOWN)},
                property_dependencies={path: (urns[other],) for path, other in node.get("refs", {}).items()},
            )
            for name, node in nodes.items()
        ]


def load():
    found: dict[str, dict[str, list[Case]]] = {}
    for file in sorted((Path(__file__).parent / "cases").glob("*.yaml")):
        for rule, pair in YAML(typ="safe").load(file).items():
            assert rule in BY_ID, f"{file.name}: no rule {rule}"
            assert rule not in found, f"{file.name}: {rule} has its cases twice"
            default: dict[str, Any] = {"rule": rule, "type": BY_ID[rule].types[0]}
            found[rule] = {
                name: [Case(**{**default, **case}) for case in (given if isinstance(given, list) else [given])]
                for name, given in pair.items()
            }
    return found


CASES = load()
PAIRED = [rule for rule in RULES if rule.id in CASES]
ids = pytest.mark.parametrize("rule", PAIRED, ids=lambda rule: rule.id)


@pytest.fixture(scope="session")
def sdk(tmp_path_factory):
    return Sdk(Path(sysconfig.get_path("purelib")), tmp_path_factory.mktemp("sdk"))


@pytest.fixture(scope="session")
def judge(sdk):
    """``judge(case)`` gives the rule's verdict on the case's subject, and its messages."""

    def run(case: Case):
        rule = BY_ID[case.rule]
        settings = Settings.from_config([rule], {rule.id: case.settings})
        evaluator = Evaluator([rule], settings, Places(sdk), "prod", TODAY)
        resources = case.resources()
        outcomes = [o for r in resources for o in evaluator.resource(r, case.provider)] + evaluator.stack(resources)
        mine = [o for o in outcomes if o.urn == resources[0].urn]
        assert mine, f"{rule.id} says nothing of {case.type}"
        assert not [o.message for o in mine if "failed itself" in o.message]
        verdicts = {o.verdict for o in mine}
        worst = next(v for v in (Verdict.FAILED, Verdict.NOT_EVALUATED, Verdict.PASSED) if v in verdicts)
        return worst, [o.message for o in mine]

    return run


def test_every_rule_has_a_resource_that_keeps_it_and_one_that_breaks_it():
    assert {rule.id for rule in RULES} == CASES.keys()
    assert not [rule for rule, pair in CASES.items() if pair.keys() != {"passes", "fails"}]


@ids
def test_what_keeps_the_rule_passes_and_what_breaks_it_fails(rule, judge):
    for case in CASES[rule.id]["passes"]:
        verdict, messages = judge(case)
        assert verdict is Verdict.PASSED, messages
    for case in CASES[rule.id]["fails"]:
        verdict, messages = judge(case)
        assert verdict is Verdict.FAILED, messages
        assert all(message.strip() for message in messages)


@ids
def test_an_unknown_value_passes_only_where_no_value_could_fail(rule, judge):
    """Where unknown passes, putting in the value that fails (or none at all) must pass too."""
    undecided = 0
    for keeps in CASES[rule.id]["passes"]:
        for breaks in CASES[rule.id]["fails"]:
            for name in {**keeps.inputs, **breaks.inputs}:
                if name in keeps.refs:
                    continue
                verdict, _ = judge(replace(keeps, inputs={**keeps.inputs, name: UNKNOWN}))
                undecided += verdict is Verdict.NOT_EVALUATED
                if verdict is Verdict.PASSED and keeps.type == breaks.type:
                    other = {k: v for k, v in keeps.inputs.items() if k != name}
                    if name in breaks.inputs:
                        other[name] = breaks.inputs[name]
                    assert judge(replace(keeps, inputs=other))[0] is Verdict.PASSED, name
    for case in (*CASES[rule.id]["passes"], *CASES[rule.id]["fails"]):
        for other, node in case.others.items():
            for name in {**node.get("inputs", {}), **node.get("refs", {})}:
                refs = {k: v for k, v in node.get("refs", {}).items() if k != name}
                blurred = {**node, "inputs": {**node.get("inputs", {}), name: UNKNOWN}, "refs": refs}
                undecided += judge(replace(case, others={**case.others, other: blurred}))[0] is Verdict.NOT_EVALUATED
        for name in case.refs:
            refs = {k: v for k, v in case.refs.items() if k != name}
            blurred = replace(case, inputs={**case.inputs, name: UNKNOWN}, refs=refs)
            undecided += judge(blurred)[0] is Verdict.NOT_EVALUATED
        if case.provider:
            blurred = replace(case, provider=dict.fromkeys(case.provider, UNKNOWN))
            undecided += judge(blurred)[0] is Verdict.NOT_EVALUATED
    assert undecided, "no unknown value of any case is not evaluated"


@ids
def test_a_value_of_the_wrong_kind_breaks_no_rule(rule, judge):
    """The judge itself refuses a rule that raises."""
    case = CASES[rule.id]["fails"][0]
    for read in rule.reads:
        token = read.type or case.type
        if token in rule.types:
            inputs = case.inputs if token == case.type else {}
            for odd in (0, "x", [[]], {"x": {}}):
                judge(replace(case, type=token, inputs=put(inputs, steps(read.path), odd)))


def put(tree, path, value):
    """The JSON value with another one at a path, whatever was on the way to it."""
    if not path:
        return value
    step, *rest = path
    if step == EACH:
        return [put(tree[0] if isinstance(tree, list) and tree else {}, rest, value)]
    return {
        **(tree if isinstance(tree, dict) else {}),
        step: put(tree.get(step) if isinstance(tree, dict) else {}, rest, value),
    }


def resolves(sdk, properties, path):
    """Whether a path names properties that the SDK has."""
    step, *rest = path
    if step not in properties:
        return False
    return follows(sdk, properties[step].type, rest)


def follows(sdk, declared, rest):
    if not rest or declared.kind == "any":
        return True
    if declared.kind == "union":
        return any(follows(sdk, member, rest) for member in declared.members)
    if declared.kind == "object":
        return resolves(sdk, sdk.object(declared.ref), rest)
    if declared.kind == "array" and rest[0] != EACH:
        return False
    return declared.kind in ("array", "map") and follows(sdk, declared.item, rest[1:])


@ids
def test_every_type_and_property_that_a_rule_reads_is_in_the_sdk(rule, sdk):
    assert rule.reads
    for token in rule.types:
        assert sdk.resource(token), f"no SDK has {token}"
    for read in rule.reads:
        for token in [read.type] if read.type else rule.types:
            declared = sdk.resource(token)
            assert declared, f"no SDK has {token}"
            assert resolves(sdk, declared.inputs, steps(read.path)), f"{token} has no {read.path}"


@ids
def test_every_case_gives_properties_that_the_sdk_has(rule, sdk):
    for case in (*CASES[rule.id]["passes"], *CASES[rule.id]["fails"]):
        for resource in case.resources():
            declared = sdk.resource(resource.type)
            assert declared, f"no SDK has {resource.type}"
            for path in paths(resource.inputs):
                assert resolves(sdk, declared.inputs, path), f"{resource.type} has no {'.'.join(path)}"


def paths(value):
    """Every path of a JSON value down to its leaves."""
    if isinstance(value, dict):
        for key, inner in value.items():
            for rest in paths(inner) or [()]:
                yield (key, *rest)
    elif isinstance(value, list):
        for inner in value:
            for rest in paths(inner):
                yield (EACH, *rest)
    else:
        yield ()


def test_a_path_that_no_sdk_has_is_found(sdk):
    bucket = sdk.resource("aws:s3/bucketVersioning:BucketVersioning").inputs
    assert resolves(sdk, bucket, steps("versioningConfiguration.status"))
    assert not resolves(sdk, bucket, steps("versioningConfiguration.state"))
    assert not resolves(sdk, bucket, steps("versioningConfiguration[*].status"))


def test_ids_are_unique_kebab_case_and_begin_with_their_cloud():
    assert len(BY_ID) == len(RULES)
    for rule in RULES:
        assert re.fullmatch(r"(aws|azure|gcp|kubernetes|databricks)(-[a-z0-9]+)+", rule.id), rule.id
        packages = {token.partition(":")[0].removesuffix("-native") for token in rule.types}
        assert packages == {rule.id.partition("-")[0]}, rule.id


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_tells_where_it_is_explained_what_it_serves_and_what_mends_it(rule):
    assert re.fullmatch(r"https://[a-z0-9.-]+/\S+", rule.url)
    assert not rule.title.endswith(".")
    assert rule.remediation.endswith(".")
    assert rule.controls
    assert len(set(rule.controls)) == len(rule.controls)
    for control in rule.controls:
        version, form = CONTROLS[control.standard]
        assert control.version == version
        assert re.fullmatch(form, control.reference), str(control)


@pytest.mark.parametrize(
    ("cite", "reference"), [(cis_aws, "2.1.9"), (cis_azure, "11.1"), (cis_gcp, "6.3"), (cis_kubernetes, "5.2.x")]
)
def test_a_recommendation_that_no_benchmark_has_is_not_cited(cite, reference):
    with pytest.raises(ValueError, match=re.escape(reference)):
        cite(reference)


@pytest.mark.parametrize("inputs", [{}, {"policyFamilyDefinitionOverrides": "{}"}])
@pytest.mark.parametrize("rule", ["databricks-policy-access-mode", "databricks-policy-auto-termination"])
def test_what_a_policy_family_settles_is_not_evaluated(judge, rule, inputs):
    case = Case(rule, BY_ID[rule].types[0], inputs={"policyFamilyId": "job-cluster", **inputs})
    assert judge(case)[0] is Verdict.NOT_EVALUATED


@pytest.mark.parametrize("inputs", [{"protocol": "TCP"}, {"protocol": UNKNOWN}, {}])
def test_what_a_listener_passes_on_unread_is_not_evaluated(judge, inputs):
    verdict, _ = judge(
        Case("aws-lb-listener-encrypted", "aws:lb/listener:Listener", {"defaultActions": [{}], **inputs})
    )
    assert verdict is Verdict.NOT_EVALUATED
