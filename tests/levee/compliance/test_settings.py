"""From an environment's file to CrossGuard's configuration and back."""

from datetime import date
from pathlib import Path

import pytest

from levee.compliance import RULES, Exemption, Settings, pack_config, settings
from levee.compliance.settings import PolicyView
from levee.environment import Environment
from levee.errors import UsageError
from levee.plan import Level

ROOT = Path(__file__).resolve().parents[3]
MINIMAL = {
    "company": "acme",
    "owners": {"team": "data-platform", "email": "data@example.com", "cost_centre": "cc-1042"},
    "classification": "confidential",
    "clouds": {"aws": {"account": "111122223333", "region": "eu-west-1"}},
    "budgets": {"total": {"monthly_usd": 1000}},
    "retention": {"audit_days": 2555, "log_days": 90, "noncurrent_days": 30},
    "protection": {"stateful": True, "retention_lock": False},
}


def environment(name="prod", **more):
    return Environment.from_config(name, MINIMAL | more)


def exemption(**changes):
    given = {
        "policy": "tagging-required",
        "urn_glob": "*scratch*",
        "reason": "it moves next quarter",
        "owner": "lake@example.com",
        "expires": "2026-12-31",
    }
    return given | changes


def test_every_rule_has_an_entry_with_its_level():
    config = pack_config(environment())
    assert {name: entry["enforcementLevel"] for name, entry in config.items()} == {r.id: r.level.value for r in RULES}


def test_the_environments_own_fields_become_parameters():
    values = pack_config(environment("staging", classification="internal"))["tagging-values"]
    assert values["environment"] == "staging"
    assert values["highest_classification"] == "internal"


def test_an_environment_with_an_end_wants_expiry_of_everything():
    assert "trial" in pack_config(environment("trial", expires_on="2027-01-31"))["tagging-expiry"]["environments"]
    assert "environments" not in pack_config(environment())["tagging-expiry"]


def test_a_pack_sets_all_its_rules_and_a_rule_overrides_its_pack():
    config = pack_config(
        environment(
            policies={
                "tagging": {"level": "advisory", "parameters": {"keys": ["owner"]}},
                "tagging-values": {"level": "disabled", "parameters": {"managed_by": ["pulumi"]}},
            }
        )
    )
    assert config["tagging-required"] == {"enforcementLevel": "advisory", "keys": ["owner"]}
    assert config["tagging-values"]["enforcementLevel"] == "disabled"
    assert config["tagging-values"]["managed_by"] == ["pulumi"]
    assert config["exemption-expired"]["enforcementLevel"] == "mandatory"


def test_it_comes_back_as_it_went():
    settings = Settings.from_config(RULES, pack_config(environment(exemptions=[exemption()])))
    assert settings.levels["tagging-required"] is Level.MANDATORY
    assert settings.parameters["tagging-required"]["keys"][0] == "owner"
    assert settings.exemptions == (Exemption(**exemption(expires=date(2026, 12, 31))),)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"expires_on": "2027-01-31"},
        {"policies": {"tagging": {"level": "advisory", "parameters": {"keys": ["owner"]}}}},
        {"exemptions": [exemption()]},
    ],
)
def test_what_a_pack_reads_of_the_stacks_config_is_what_the_model_says(more):
    view = PolicyView.parse("prod", MINIMAL | more)
    assert settings.pack_config(view, RULES) == pack_config(environment(**more))


@pytest.mark.parametrize("given", [{"level": "sometimes"}, {}, "mandatory", "advisory-ish", None])
def test_a_level_that_is_none_is_refused(given):
    with pytest.raises(UsageError, match="not an enforcement level") as refused:
        PolicyView.parse("prod", MINIMAL | {"policies": {"tagging": given}})
    assert refused.value.where == "environments/Pulumi.prod.yaml: policies.tagging"


def test_other_packs_policies_in_the_file_are_passed_over():
    assert "later" not in Settings.from_config(RULES, {"later": "mandatory"}).levels


def test_one_level_for_all():
    assert set(Settings.from_config(RULES, {"all": "advisory"}).levels.values()) == {Level.ADVISORY}


@pytest.mark.parametrize(
    ("more", "message", "fix"),
    [
        ({"policies": {"taging": {"level": "advisory"}}}, "no policy is called 'taging'", "did you mean 'tagging'?"),
        (
            {"policies": {"tagging-required": {"level": "advisory", "parameters": {"key": []}}}},
            "no parameter is called 'key'",
            "did you mean 'keys'?",
        ),
        (
            {"exemptions": [exemption(policy="tagging-requird")]},
            "no policy is called",
            "'tagging-required'",
        ),
        ({"exemptions": [exemption(policy="exemption-expired")]}, "no policy is called", "use one of"),
    ],
)
def test_a_name_that_does_not_exist_is_refused_with_the_nearest(more, message, fix):
    with pytest.raises(UsageError, match=message) as refused:
        pack_config(environment(**more))
    assert "environments/Pulumi.prod.yaml" in str(refused.value.where)
    assert fix in str(refused.value.fix)


def test_the_environments_limits_reach_the_compliance_rules():
    prod = Environment.load(ROOT, "prod")
    config = pack_config(prod)
    assert config["aws-s3-lock-keeps-audit-records"]["audit_days"] == prod.retention.audit_days == 2557
    assert config["aws-cloudwatch-retention"]["log_days"] == prod.retention.log_days
    assert config["aws-rds-deletion-protected"]["protected"] is True
    assert config["aws-region-allowed"]["regions"] == ["eu-west-1", "westeurope", "europe-west1"]
    assert pack_config(Environment.load(ROOT, "dev"))["aws-rds-deletion-protected"]["protected"] is False
