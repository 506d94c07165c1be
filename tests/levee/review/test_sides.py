"""The base's policies judge, Checkov's too, whatever the head's file says of them."""

import json

import pytest
from pulumi.runtime.proto import analyzer_pb2 as pb

from levee.compliance import RULES, switched
from levee.compliance.analyzer import Analyzer
from levee.compliance.checkov import RULES as CHECKOV
from levee.compliance.tagging import Places
from levee.engine import Project
from levee.review.sides import Sides
from levee.review.trees import Repository
from levee.sdk import Sdk
from tests.levee.review.test_fork import ENVIRONMENT, git, write

ASKING = f"{ENVIRONMENT}    policies:\n      CKV_AWS_18: {{level: mandatory}}\n      CKV_AWS_21: {{level: disabled}}\n"
NOT_ASKING = f"{ENVIRONMENT}    policies:\n      tagging: {{level: disabled}}\n"


def sides(folder, base, head):
    git(folder, "init", "-q")
    for text in (base, head):
        write(folder, "", text)
        git(folder, "add", "-A")
        git(folder, "commit", "--allow-empty", "-qm", "a side")
    repository = Repository.around(folder)
    base, head = repository.revisions("HEAD~1", "HEAD")
    return Sides.read(repository, Project.load(folder), base, head, folder / ".levee/read")


@pytest.fixture
def served(tmp_path, monkeypatch):
    """The policies that the merged pack serves for what a stack's file says, in a process started for some policies."""

    def serve(written, policies):
        for name, value in switched(policies).items():
            monkeypatch.setenv(name, value)
        analyzer = Analyzer("levee", RULES, Places(Sdk(tmp_path)))
        analyzer.configure_stack(pb.AnalyzerStackConfigureRequest(stack="dev", config={"levee:environment": written}))
        return {policy.name for policy in analyzer.info(None).policies}

    return serve


def test_a_head_that_asks_no_more_for_checkov_is_judged_by_it(tmp_path, served):
    read = sides(tmp_path, ASKING, NOT_ASKING)
    policies = read.policies_of("dev")
    assert policies["CKV_AWS_18"]["enforcementLevel"] == "mandatory"
    assert policies["CKV_AWS_21"]["enforcementLevel"] == "disabled"
    assert {rule.id for rule in CHECKOV} <= {rule.id for rule in read.rules_of("dev")}
    assert {rule.id for rule in CHECKOV} <= served(json.dumps({"policies": {}}), policies)


def test_a_head_that_newly_asks_for_checkov_gets_it_after_the_merge(tmp_path, served):
    read = sides(tmp_path, NOT_ASKING, ASKING)
    policies = read.policies_of("dev")
    assert set(policies) == {rule.id for rule in read.rules_of("dev")} == {rule.id for rule in RULES}
    assert served(json.dumps({"policies": {"CKV_AWS_18": {"level": "mandatory"}}}), policies) == {
        rule.id for rule in RULES
    }


def test_an_environment_that_only_the_head_has_is_held_to_the_rules_own_levels(tmp_path):
    read = sides(tmp_path, ASKING, ASKING)
    assert {name: entry["enforcementLevel"] for name, entry in read.policies_of("new").items()} == {
        rule.id: rule.level.value for rule in RULES
    }
