"""Checkov's checks as rules: verdicts, what is not known, what has no word, levels, exemptions, and a dead worker."""

import copy
import json
import pickle
import re
import sys
import sysconfig
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from pulumi.runtime.proto.analyzer_pb2 import DISABLED, ConfigureAnalyzerRequest, PolicyConfig

from levee.compliance import Settings, evaluate
from levee.compliance.analyzer import Analyzer
from levee.compliance.checkov import RULES, judge, worker
from levee.compliance.checkov.configuration import translate
from levee.compliance.checkov.rules import ANSWERS, COVERAGE
from levee.compliance.checkov.worker import CheckovError, Worker
from levee.compliance.exemption_rules import RULES as EXEMPTIONS
from levee.compliance.rule import Severity
from levee.compliance.tagging import Places
from levee.errors import UsageError
from levee.plan import SECRET, UNKNOWN, Level, Plan, Sealed, Verdict
from levee.sdk import Sdk
from tests.levee.compliance.checkov.conftest import STACK, resource

PLACES = Places(Sdk(Path(sysconfig.get_path("purelib"))))
BUCKET = "aws:s3/bucket:Bucket"
BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
KEY = "aws:kms/key:Key"


def judged(*resources, config=None):
    plan = Plan("probe", "dev", "preview", offline=True, resources=(STACK, *resources))
    outcomes = evaluate(plan, RULES, Settings.from_config(RULES, config or {}), PLACES, date(2026, 11, 21))
    return {(o.rule.id, o.urn.rsplit("::", 1)[-1]): o for o in outcomes}


def test_a_broken_check_names_the_resource_and_its_property_and_blocks(checkov):
    found = judged(resource("aws:ebs/volume:Volume", "disk", {"availabilityZone": "eu-west-1a", "encrypted": False}))
    broken = found["CKV_AWS_3", "disk"]
    assert (broken.verdict, broken.level, broken.property) == (Verdict.FAILED, Level.MANDATORY, "encrypted")


def test_an_unknown_value_is_never_passed(checkov):
    """Of a check for a value, one against a value, and one of Checkov's own Python each."""
    found = judged(
        resource("aws:rds/instance:Instance", "db", {"instanceClass": "db.t4g.micro", "publiclyAccessible": UNKNOWN}),
        resource(BLOCK, "block", {"bucket": "x", "blockPublicAcls": UNKNOWN}),
        resource("aws:ec2/securityGroup:SecurityGroup", "sg", {"ingress": UNKNOWN}),
        resource("kubernetes:core/v1:Pod", "pod", {"spec": {"hostPID": UNKNOWN, "containers": []}}),
        resource("azure-native:storage:StorageAccount", "sa", {"enableHttpsTrafficOnly": UNKNOWN}),
    )
    pairs = {("CKV_AWS_17", "db"), ("CKV_AWS_53", "block"), ("CKV_AWS_24", "sg"), ("CKV_K8S_17", "pod")}
    assert {pair: found[pair].verdict for pair in pairs} == dict.fromkeys(pairs, Verdict.NOT_EVALUATED)
    assert found["CKV_AZURE_3", "sa"].verdict is Verdict.NOT_EVALUATED


LEAKED = "AKIAIOSFODNN7EXAMPLE"


def function(variables):
    return resource("aws:lambda/function:Function", "f", {"environment": {"variables": variables}})


@pytest.mark.parametrize("variables", [SECRET, {"key": SECRET}])
def test_a_secret_that_this_process_was_not_given_is_not_evaluated(checkov, variables):
    assert "$unknown" in json.dumps(translate([function(variables)]).resources["terraform"])
    assert judged(function(variables))["CKV_AWS_45", "f"].verdict is Verdict.NOT_EVALUATED


@pytest.mark.parametrize("variables", [Sealed({LEAKED: LEAKED}), {"key": Sealed(LEAKED)}, Sealed({"k": UNKNOWN})])
def test_a_secret_is_judged_by_its_value_and_no_answer_holds_it(checkov, variables):
    configuration = translate([function(variables)]).resources
    answer = worker.shared().ask({"resources": configuration})
    assert LEAKED not in json.dumps(
        [{k: v for k, v in said.items() if k != "properties"} for said in answer["verdicts"]]
    )
    found = judged(function(variables))
    known = LEAKED in json.dumps(configuration)
    assert found["CKV_AWS_45", "f"].verdict is (Verdict.FAILED if known else Verdict.NOT_EVALUATED)
    assert LEAKED not in repr(found), "nor is the name of what is inside a secret told"


def test_the_worker_says_of_an_error_where_and_not_what(checkov, capfd):
    """Python's own words, such as of a text that is no number, hold the text."""
    server = {"name": "api", "command": ["kube-apiserver", Sealed(f"--audit-log-maxage={LEAKED}")]}
    pod = resource("kubernetes:core/v1:Pod", "p", {"spec": {"containers": [server]}})
    own = Worker()
    answer = own.ask({"resources": translate([pod]).resources})
    own.close()
    raised = {said["error"] for said in answer["verdicts"] if said["result"] == "raised"}
    assert any(re.fullmatch(r"ValueError in ApiServerAuditLogMaxAge\.py:\d+", said) for said in raised)
    assert LEAKED not in f"{json.dumps(answer)} {capfd.readouterr()}"


def test_what_is_sealed_is_printed_written_and_copied_as_a_secret():
    sealed = Sealed({"password": LEAKED})
    assert sealed == SECRET
    assert sealed.unseal() == {"password": LEAKED}
    for shown in (str(sealed), f"{sealed}", repr(sealed), json.dumps([sealed]), repr(vars(Sealed)), f"{sealed!r:>20}"):
        assert LEAKED not in shown
    assert not isinstance(copy.deepcopy(sealed), Sealed)
    assert not isinstance(pickle.loads(pickle.dumps(sealed)), Sealed)


def test_a_reference_to_a_key_of_the_program_is_decided(checkov):
    topic = resource("aws:sns/topic:Topic", "t", {"kmsMasterKeyId": f"${{{KEY}::k.arn}}"})
    assert judged(resource(KEY, "k", {}), topic)["CKV_AWS_26", "t"].verdict is Verdict.PASSED


def test_a_known_value_that_another_resource_has_is_a_reference_too(checkov):
    """A deployed stack knows every name; the connected checks need the edge all the same."""
    bucket = replace(resource(BUCKET, "b", {"bucket": "acme"}), id="acme", outputs={"bucket": "acme"})
    switched_on = dict.fromkeys(
        ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"), True
    )
    block = resource(BLOCK, "block", {"bucket": "acme", **switched_on})
    assert judged(bucket, block)["CKV2_AWS_6", "b"].verdict is Verdict.FAILED
    joined = replace(block, property_dependencies={"bucket": (bucket.urn,)})
    assert judged(bucket, joined)["CKV2_AWS_6", "b"].verdict is Verdict.PASSED


def test_what_pulumi_protects_is_what_terraform_may_not_destroy(checkov):
    key = resource("gcp:kms/cryptoKey:CryptoKey", "key", {"rotationPeriod": "7776000s"})
    assert judged(key)["CKV_GCP_82", "key"].verdict is Verdict.FAILED
    assert judged(replace(key, protect=True))["CKV_GCP_82", "key"].verdict is Verdict.PASSED


def test_what_checkov_has_no_word_for_is_counted_and_not_passed(checkov):
    clusters = [resource("databricks:index/cluster:Cluster", name, {"sparkVersion": "16"}) for name in "ab"]
    table = resource("azure-native:storage:Table", "t", {"tableName": "t"})
    found = judged(*clusters, table)
    said = found[COVERAGE, STACK.name]
    assert said.verdict is Verdict.NOT_EVALUATED
    assert said.message == "Checkov has no check for azure-native:storage:Table: 1 resource not evaluated"
    assert not [pair for pair in found if pair[1] in ("a", "b", "t")]


def test_a_check_that_is_not_concerned_says_nothing(checkov):
    """CKV2_AWS_20 is about listeners that are not HTTPS; of the others it gives no verdict."""
    assert ("CKV2_AWS_40", "b") not in judged(resource(BUCKET, "b", {}))


def test_levels_and_exemptions_are_those_of_every_rule(checkov):
    disk = resource("aws:ebs/volume:Volume", "disk", {"availabilityZone": "eu-west-1a"})
    exempt = {"policy": "checkov", "urn_glob": "*::disk", "reason": "r", "owner": "o", "expires": "2027-01-01"}
    rules = {rule.id: rule for rule in RULES}
    assert rules["CKV_AWS_24"].severity is Severity.CRITICAL
    assert judged(disk, config={"CKV_AWS_3": "advisory"})["CKV_AWS_3", "disk"].level is Level.ADVISORY
    assert ("CKV_AWS_3", "disk") not in judged(disk, config={"CKV_AWS_3": "disabled"})
    plan = Plan("probe", "dev", "preview", offline=True, resources=(STACK, disk))
    settings = Settings.from_config((*RULES, *EXEMPTIONS), {"exemption-expired": {"entries": [exempt]}})
    outcomes = evaluate(plan, (*RULES, *EXEMPTIONS), settings, PLACES, date(2026, 11, 21))
    assert [o.verdict for o in outcomes if o.rule.id == "CKV_AWS_3"] == [Verdict.EXEMPT]


def test_the_table_of_checks_is_that_of_the_installed_checkov(checkov):
    """Where Checkov is upgraded: its own answer to ``{"catalogue": true}`` is what checks.json holds."""
    answer = worker.shared().ask({"catalogue": True})
    rules = {rule.id: rule for rule in RULES}
    assert answer["version"] == "3.3.30"
    assert set(answer["checks"]) == set(rules) - {ANSWERS, COVERAGE}
    assert {check: entry["title"].rstrip(".") for check, entry in answer["checks"].items()} == {
        check: rules[check].title for check in answer["checks"]
    }


DYING = "import sys; sys.stdin.readline(); open(sys.argv[1], 'a').write('x')"
SECOND = DYING + "; n = len(open(sys.argv[1]).read()); n > 1 and print('{\"verdicts\": []}', flush=True)"


def test_a_worker_that_dies_is_started_once_more(tmp_path):
    starts = tmp_path / "starts"
    dying = Worker([sys.executable, "-c", SECOND, str(starts)])
    assert dying.ask({"resources": {}}) == {"verdicts": []}
    dying.close()
    assert starts.read_text() == "xx"


def begun(starts, answer='{"verdicts": []}'):
    """A worker that notes each start in a file."""
    program = "import sys; open(sys.argv[1], 'a').write('x'); sys.stdin.readline(); print(sys.argv[2], flush=True)"
    return Worker([sys.executable, "-c", program, str(starts), answer])


def wait_for(file):
    while not file.exists():
        time.sleep(0.01)


def test_a_worker_that_was_begun_early_is_the_one_that_answers(tmp_path):
    early = begun(tmp_path / "starts")
    early.begin()
    early.begin()
    wait_for(tmp_path / "starts")
    assert early.ask({"resources": {}}) == {"verdicts": []}
    early.close()
    assert (tmp_path / "starts").read_text() == "x"


def test_the_merged_pack_begins_the_worker_as_soon_as_it_knows_that_it_will_ask(tmp_path, monkeypatch):
    early = begun(tmp_path / "starts")
    monkeypatch.setattr(worker, "shared", lambda: early)
    off = ConfigureAnalyzerRequest(policyConfig={r.id: PolicyConfig(enforcementLevel=DISABLED) for r in RULES})
    Analyzer("levee", RULES, PLACES).configure(off)
    Analyzer("levee", EXEMPTIONS, PLACES).configure(ConfigureAnalyzerRequest())
    assert early._process is None, "nobody would ask it"
    Analyzer("levee", RULES, PLACES).configure(ConfigureAnalyzerRequest())
    wait_for(tmp_path / "starts")
    early.close()


def test_a_worker_that_dies_twice_fails_the_gate_once(tmp_path, monkeypatch):
    starts = tmp_path / "starts"
    dying = Worker([sys.executable, "-c", DYING, str(starts)])
    with pytest.raises(CheckovError, match="ended or hung twice"):
        dying.ask({"resources": {}})
    assert starts.read_text() == "xx"
    monkeypatch.setattr(judge, "shared", lambda: dying)
    found = judged(resource(BUCKET, "a", {}), resource(BUCKET, "b", {}))
    failed = {pair: o.level for pair, o in found.items() if o.verdict is Verdict.FAILED}
    assert failed == {(ANSWERS, STACK.name): Level.MANDATORY}
    assert not [o for o in found.values() if o.verdict is Verdict.PASSED]


def test_without_checkov_the_command_that_installs_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(worker, "home", lambda: tmp_path / "none")
    absent = Worker()
    absent.begin()
    with pytest.raises(UsageError) as refused:
        absent.ask({"resources": {}})
    assert refused.value.fix == "make checkov"


def test_a_check_that_raises_fails_the_gate_by_its_name(monkeypatch, tmp_path):
    said = {"key": "", "check": "CKV2_AWS_6", "result": "raised", "error": "KeyError: 'x'"}
    answer = f"import sys; sys.stdin.readline(); print('''{json.dumps({'verdicts': [said]})}''', flush=True)"
    raising = Worker([sys.executable, "-c", answer])
    monkeypatch.setattr(judge, "shared", lambda: raising)
    broken = judged(resource(BUCKET, "b", {}))["CKV2_AWS_6", "b"]
    raising.close()
    assert broken.level is Level.MANDATORY
    assert broken.message == "the rule CKV2_AWS_6 failed itself: CheckRaised: KeyError: 'x'"
