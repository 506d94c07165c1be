"""Each pack over a real channel, as the engine speaks to it (``proto/pulumi/analyzer.proto``)."""

import json

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import analyzer_pb2 as pb

from levee.compliance import RULES, pack_rules

RULES_OF = {"levee": RULES, "tagging": pack_rules("tagging")}
BUCKET = "aws:s3/bucket:Bucket"
GOOD = {
    "owner": "data-platform",
    "cost-centre": "cc-1042",
    "environment": "prod",
    "data-classification": "confidential",
    "managed-by": "pulumi",
}
UNKNOWN_STRING = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
UNKNOWN_OBJECT = "dd056dcd-154b-4c76-9bd3-c8f88648b5ff"
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "value": "hunter2"}
ENVIRONMENT = {
    "company": "acme",
    "owners": {"team": "data-platform", "email": "data@example.com", "cost_centre": "cc-1042"},
    "classification": "internal",
    "clouds": {"aws": {"account": "111122223333", "region": "eu-west-1"}},
    "budgets": {"total": {"monthly_usd": 1000}},
    "retention": {"audit_days": 2555, "log_days": 90, "noncurrent_days": 30},
    "protection": {"stateful": True, "retention_lock": False},
}


@pytest.fixture(autouse=True)
def _prepared(pack):
    pack.prepare()


def test_it_says_what_is_in_it(pack):
    info = pack.prepare()
    assert info.name == pack.name
    assert {p.name for p in info.policies} == {r.id for r in RULES_OF[pack.name]}
    for policy in info.policies:
        assert policy.description
        assert policy.remediation_steps
        assert policy.url
        assert policy.severity != pb.POLICY_SEVERITY_UNSPECIFIED
    required = next(p for p in info.policies if p.name == "tagging-required")
    assert required.enforcementLevel == pb.MANDATORY
    assert "ISO/IEC 27001:2022 A.5.9" in required.tags
    assert required.configSchema.properties["keys"]["type"] == "array"


def test_a_tagged_bucket_passes_and_says_which_rules_did_not_apply(pack):
    response = pack.analyze(tags=GOOD)
    assert not response.diagnostics
    applicable = {r.id for r in RULES_OF[pack.name] if r.check and (r.pack == "tagging" or BUCKET in r.types)}
    resource_rules = {r.id for r in RULES_OF[pack.name] if r.check}
    assert {n.policy_name for n in response.not_applicable} == resource_rules - applicable


def test_an_untagged_bucket_is_blocked_with_its_urn_and_what_to_do(pack):
    (broken,) = pack.analyze(name="raw").diagnostics
    assert (broken.policyName, broken.policyPackName) == ("tagging-required", pack.name)
    assert broken.enforcementLevel == pb.MANDATORY
    assert broken.urn.endswith("::raw")
    assert "owner, cost-centre" in broken.message
    assert "`tags`" in broken.message


def test_the_providers_default_tags_count(pack):
    assert pack.failures(provider={"defaultTags": json.dumps({"tags": GOOD})}) == {}
    assert "tagging-required" in pack.failures(provider={"defaultTags": json.dumps({"tags": {}})})


@pytest.mark.parametrize("unknown", [UNKNOWN_STRING, UNKNOWN_OBJECT])
def test_unknown_tags_are_said_to_be_not_evaluated_and_block_nothing(pack, unknown):
    diagnostics = pack.analyze(tags=unknown).diagnostics
    assert {d.enforcementLevel for d in diagnostics} == {pb.ADVISORY}
    assert all(d.message.startswith("[not evaluated] `tags` is not known") for d in diagnostics)
    assert len(diagnostics) == 4


def test_a_secret_never_comes_back_in_a_message(pack):
    response = pack.analyze(tags=GOOD | {"owner": SECRET})
    assert "hunter2" not in str(response)
    assert response.diagnostics[0].message.startswith("[not evaluated]")


def test_a_component_and_a_type_without_tags_are_no_ones_business(pack):
    for response in (
        pack.analyze("levee:lake:Lake", custom=False),
        pack.analyze("aws:s3/bucketVersioning:BucketVersioning"),
    ):
        assert not response.diagnostics
        assert {n.policy_name for n in response.not_applicable} >= {"tagging-required", "tagging-values"}


def test_levels_and_parameters_come_from_the_configuration(pack):
    pack.prepare(config={"tagging-required": (pb.ADVISORY, {"keys": ["owner"]})})
    (broken,) = pack.analyze().diagnostics
    assert broken.enforcementLevel == pb.ADVISORY
    assert "cost-centre" not in broken.message
    pack.prepare(config={"tagging-required": (pb.DISABLED, {})})
    assert not pack.analyze().diagnostics


def test_plain_pulumi_finds_the_environment_in_the_stacks_config(pack):
    exemption = {
        "policy": "tagging-required",
        "urn_glob": "*::scratch",
        "reason": "it moves next quarter",
        "owner": "lake@example.com",
        "expires": "2999-12-31",
    }
    environment = ENVIRONMENT | {
        "policies": {"tagging-syntax": {"level": "advisory"}},
        "exemptions": [exemption],
    }
    info = pack.prepare(stack="dev", **{"levee:environment": json.dumps(environment)})
    assert info.initialConfig["tagging-syntax"].enforcementLevel == pb.ADVISORY
    assert "above 'internal'" in pack.failures(tags=GOOD | {"environment": "dev"})["tagging-values"]
    said = {d.policyName: d for d in pack.analyze(name="scratch").diagnostics}
    excused = said["tagging-required"]
    assert excused.message.startswith("[exempt] ")
    assert "until 2999-12-31, lake@example.com" in excused.message
    assert excused.enforcementLevel == pb.ADVISORY
    assert not said["tagging-expiry"].message.startswith("[exempt] ")


def test_an_environment_that_is_wrong_stops_the_engine_with_the_reason(pack):
    for policies, said in (
        ({"taging": {"level": "advisory"}}, "did you mean 'tagging'"),
        ({"tagging": {"level": "sometimes"}}, "not an enforcement level"),
    ):
        with pytest.raises(grpc.RpcError, match=rf"INVALID_ARGUMENT[\s\S]*{said}"):
            pack.prepare(**{"levee:environment": json.dumps(ENVIRONMENT | {"policies": policies})})
    pack.prepare(**{"levee:environment": json.dumps(ENVIRONMENT)})


def test_exemptions_are_judged_at_the_stack_and_at_the_end(pack):
    stale = {
        "policy": "tagging-required",
        "urn_glob": "*::gone",
        "reason": "it moved long ago",
        "owner": "lake@example.com",
        "expires": "2999-12-31",
    }
    expired = stale | {"expires": "2020-01-01"}
    pack.prepare(config={"exemption-expired": (pb.MANDATORY, {"entries": [stale, expired]})})
    root = "pulumi:pulumi:Stack"
    (blocked,) = pack.analyze(root, custom=False).diagnostics
    assert (blocked.policyName, blocked.enforcementLevel) == ("exemption-expired", pb.MANDATORY)
    response = pack.stub.AnalyzeStack(pb.AnalyzeStackRequest())
    (unused,) = response.diagnostics
    assert (unused.policyName, unused.enforcementLevel) == ("exemption-unused", pb.ADVISORY)
    assert "matches no resource" in unused.message


def test_the_next_run_begins_anew(pack):
    used = {
        "policy": "tagging-required",
        "urn_glob": "*::b",
        "reason": "it is being moved",
        "owner": "lake@example.com",
        "expires": "2999-12-31",
    }
    pack.prepare(config={"exemption-expired": (pb.MANDATORY, {"entries": [used]})})
    pack.analyze(name="b")
    assert not pack.stub.AnalyzeStack(pb.AnalyzeStackRequest()).diagnostics
    assert pack.stub.AnalyzeStack(pb.AnalyzeStackRequest()).diagnostics


def test_nothing_is_rewritten(pack):
    response = pack.stub.Remediate(pb.AnalyzeRequest(urn="urn", type="t", properties=Struct()))
    assert not response.remediations
    assert {n.policy_name for n in response.not_applicable} == {r.id for r in RULES_OF[pack.name] if r.check}


def test_it_names_its_version_and_lacks_only_what_the_engine_can_do_without(pack):
    assert pack.stub.GetPluginInfo(Empty()).version == "0.1.0"
    with pytest.raises(grpc.RpcError, match="UNIMPLEMENTED"):
        pack.stub.Handshake(pb.AnalyzerHandshakeRequest())
