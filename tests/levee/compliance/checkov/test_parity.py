"""The same configuration, written natively and in Pulumi's words, has the same verdicts: Checkov's on HCL, ARM JSON and
manifests, and ours through the translation. Both run once, over everything."""

import json
import subprocess
import sysconfig
from collections import defaultdict
from pathlib import Path

import pytest

from levee.compliance.checkov.configuration import translate
from levee.compliance.checkov.judge import judge
from levee.plan import Verdict
from levee.sdk import Sdk
from tests.levee.compliance.checkov.conftest import HERE, written

PROGRAM = [r for name in ("aws", "gcp", "azure", "kubernetes") for r in written(f"{name}.yaml")]


def native_id(entry):
    """What the Checkov command calls a resource that we gave it."""
    config = entry["config"]
    if entry["type"].startswith("Microsoft."):
        return f"{entry['type']}.{config['name']}"
    if "kind" in config and "metadata" in config:
        metadata = config["metadata"]
        return f"{config['kind']}.{metadata.get('namespace', 'default')}.{metadata['name']}"
    return f"{entry['type']}.{entry['name']}"


WORKLOADS = ("CronJob", "DaemonSet", "Deployment")
IDS = {e["key"]: native_id(e) for given in translate(PROGRAM).resources.values() for e in given}
TYPES = sorted({e["type"] for given in translate(PROGRAM).resources.values() for e in given})


@pytest.fixture(scope="module")
def native(checkov):
    """Resource id to its (check, verdict) pairs, from the Checkov command."""
    command = [
        *(checkov, checkov.parent / "checkov", "--directory", HERE / "parity" / "native", "--output", "json"),
        *("--compact", "--framework", "terraform", "arm", "kubernetes"),
    ]
    environment = {"LOG_LEVEL": "ERROR", "BC_SKIP_MAPPING": "TRUE", "PATH": "/usr/bin:/bin"}
    answer = subprocess.run(command, capture_output=True, text=True, env=environment)
    verdicts = defaultdict(set)
    for report in json.loads(answer.stdout):
        assert not report["results"]["parsing_errors"]
        for word in ("passed", "failed"):
            for record in report["results"][f"{word}_checks"]:
                verdicts[workload(record["resource"])].add((record["check_id"], word))
    return verdicts


def workload(name):
    """A pod that Checkov sees in a workload's template, ``Pod.<namespace>.<workload>.<labels>``, is the workload's."""
    if not name.startswith("Pod.") or name.count(".") < 3:
        return name
    _, namespace, of, _ = name.split(".", 3)
    return next(n for n in IDS.values() if n.endswith(f".{namespace}.{of}") and n.split(".")[0] in WORKLOADS)


@pytest.fixture(scope="module")
def ours(checkov):
    """The same, from the translated graph."""
    verdicts = defaultdict(set)
    for (check, urn), judged in judge(PROGRAM).by.items():
        if judged.verdict is not Verdict.NOT_EVALUATED:
            verdicts[IDS[urn]].add((check, judged.verdict.value))
    return verdicts


def of_type(verdicts, type_):
    return {name: said for name, said in verdicts.items() if name.startswith(f"{type_}.")}


@pytest.mark.parametrize("type_", TYPES)
def test_checkov_says_the_same_of_both(type_, native, ours):
    assert of_type(ours, type_) == of_type(native, type_)


def test_forty_types_have_a_configuration_that_passes_and_one_that_fails(native):
    contrasted = []
    for type_ in TYPES:
        said = defaultdict(set)
        for pairs in of_type(native, type_).values():
            for check, word in pairs:
                said[check].add(word)
        if {"passed", "failed"} in said.values():
            contrasted.append(type_)
    assert len(contrasted) >= 40, contrasted


def test_connected_checks_are_among_them(native):
    said = {check for pairs in native.values() for check, _ in pairs if check.startswith("CKV2_")}
    assert {"CKV2_AWS_5", "CKV2_AWS_6", "CKV2_AWS_11", "CKV2_AWS_12", "CKV2_AWS_57", "CKV2_AWS_61"} <= said


@pytest.fixture(scope="module")
def sdk(tmp_path_factory):
    return Sdk(Path(sysconfig.get_path("purelib")), tmp_path_factory.mktemp("sdk"))


@pytest.mark.parametrize("given", PROGRAM, ids=lambda r: f"{r.type}-{r.name}")
def test_the_program_is_one_that_the_provider_sdk_would_write(given, sdk):
    """So that parity is proved for real programs, and not for what our own table makes of Terraform."""
    type_ = sdk.resource(given.type)
    assert type_ is not None
    assert list(misnamed(given.inputs, type_.inputs, sdk)) == []


def misnamed(values, properties, sdk, where=""):
    for name, value in values.items():
        if name not in properties:
            yield f"{where}{name}"
        else:
            yield from misplaced(value, properties[name].type, sdk, f"{where}{name}")


def misplaced(value, type_, sdk, where):
    kinds = [type_, *type_.members]
    if isinstance(value, list):
        lists = [k for k in kinds if k.kind == "array"]
        if not lists and not any(k.kind == "any" for k in kinds):
            yield f"{where} is no list"
        for item in value if lists else ():
            yield from misplaced(item, lists[0].item, sdk, f"{where}[]")
    elif isinstance(value, dict):
        objects = [k for k in kinds if k.kind == "object"]
        if not objects and not any(k.kind in ("any", "map") for k in kinds):
            yield f"{where} is no object"
        if objects:
            yield from misnamed(value, sdk.object(objects[0].ref), sdk, f"{where}.")
    elif not any(k.kind in ("any", "string", "integer", "number", "boolean", "enum", "union", "asset") for k in kinds):
        yield f"{where} is no scalar"
