"""What counts as a secret in plain, by its name and by its form, and that no message repeats it."""

from datetime import date
from pathlib import Path

import pytest

from levee.compliance.graph import Graph
from levee.compliance.rule import Facts
from levee.compliance.rules.ports import covers
from levee.compliance.rules.regions import region_of
from levee.compliance.rules.scope import Scope
from levee.compliance.rules.secrets import (
    is_plain_secret,
    is_secret_name,
    kept_secret,
    no_plain_secret_pairs,
    no_plain_secrets,
)
from levee.compliance.tagging import Places
from levee.plan import SECRET, UNKNOWN, Resource, Verdict
from levee.sdk import Sdk

PLACES = Places(Sdk(Path("nowhere")))
FAILED, PASSED, NOT_EVALUATED = Verdict.FAILED, Verdict.PASSED, Verdict.NOT_EVALUATED


def scope(inputs):
    resource = Resource(urn="urn:pulumi:prod::p::a:b/c:C::thing", type="a:b/c:C", name="thing", inputs=inputs)
    return Scope.of(resource, Graph([resource]), Facts("prod", date(2026, 11, 21), PLACES))


@pytest.mark.parametrize(
    "name",
    [
        "DB_PASSWORD",
        "dbPassword",
        "spark.hadoop.javax.jdo.option.ConnectionPassword",
        "fs.azure.account.key.lake.dfs.core.windows.net",
        "GITHUB_TOKEN",
        "apiKey",
        "CLIENT_SECRET",
        "aws-secret-access-key",
        "STORAGE_CONNECTION_STRING",
    ],
)
def test_a_name_tells_a_secret(name):
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    ["DB_PASSWORD_ARN", "SECRET_NAME", "TOKEN_URL", "MAX_TOKENS", "KEY", "PARTITION_KEY", "STAGE", "", "tokenTtl"],
)
def test_a_name_that_speaks_about_a_secret_or_of_something_else_is_none(name):
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    "value",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE",
        "ghp_" + "a" * 36,
        "dapi" + "0" * 32,
        "postgresql://lake:hunter2@db.example/lake",
        "Server=x;Database=y;Password=hunter2;",
        "DefaultEndpointsProtocol=https;AccountName=lake;AccountKey=" + "a" * 40,
    ],
)
def test_a_value_tells_a_secret_by_its_form_whatever_its_name(value):
    assert is_plain_secret("STAGE", value)


@pytest.mark.parametrize(
    "value",
    [
        "{{secrets/lake/db}}",
        "@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/a)",
        "arn:aws:secretsmanager:eu-west-1:111111111111:secret:db-AbCdEf",
        "projects/p/secrets/db/versions/1",
        "${DB_PASSWORD}",
        "",
        None,
        True,
    ],
)
def test_a_value_that_leads_to_a_secret_is_none(value):
    assert not is_plain_secret("DB_PASSWORD", value)


@pytest.mark.parametrize(
    ("settings", "verdict"),
    [
        ({"DB_PASSWORD": "hunter2"}, FAILED),
        ({"DB_PASSWORD": SECRET}, FAILED),
        ({"DB_PASSWORD": UNKNOWN}, NOT_EVALUATED),
        ({"DSN": SECRET}, NOT_EVALUATED),
        ({"BUCKET": UNKNOWN}, PASSED),
        ({"STAGE": "prod"}, PASSED),
        (UNKNOWN, NOT_EVALUATED),
        (None, PASSED),
    ],
)
def test_of_a_map_a_secret_fails_and_what_may_be_one_is_not_evaluated(settings, verdict):
    assert no_plain_secrets("settings").verdict(scope({"settings": settings})) is verdict
    if isinstance(settings, dict):
        pairs = [{"name": name, "value": value} for name, value in settings.items()]
        assert no_plain_secret_pairs("pairs[*]").verdict(scope({"pairs": pairs})) is verdict


def test_a_pair_whose_name_nobody_knows_is_not_evaluated():
    pairs = [{"name": UNKNOWN, "value": "hunter2"}]
    assert no_plain_secret_pairs("pairs[*]").verdict(scope({"pairs": pairs})) is NOT_EVALUATED


@pytest.mark.parametrize(
    ("value", "verdict"), [(SECRET, PASSED), (None, PASSED), ("hunter2", FAILED), (UNKNOWN, NOT_EVALUATED)]
)
def test_a_password_must_be_a_secret_to_pulumi(value, verdict):
    assert kept_secret("password").verdict(scope({"password": value})) is verdict


def test_no_message_repeats_a_secret():
    inputs = {"settings": {"DB_PASSWORD": "hunter2"}, "password": "hunter2"}
    checks = (no_plain_secrets("settings"), kept_secret("password"))
    messages = [finding.message for check in checks for finding in check.run(scope(inputs))]
    assert len(messages) == 2
    assert not [message for message in messages if "hunter2" in message]


@pytest.mark.parametrize(
    ("place", "region"),
    [
        ("West Europe", "westeurope"),
        ("EUROPE-WEST1", "europe-west1"),
        ("europe-west1-b", "europe-west1"),
        ("eu-west-1a", "eu-west-1"),
        ("eu-west-1", "eu-west-1"),
        ("EU", "eu"),
        ("europe-*", "europe-*"),
    ],
)
def test_a_region_has_one_spelling(place, region):
    assert region_of(place) == region


@pytest.mark.parametrize(
    ("ports", "yes"),
    [
        ("22", True),
        ("20-30", True),
        ("*", True),
        (22, True),
        ("23", False),
        ("23-30", False),
        ("", False),
        ("x", False),
    ],
)
def test_a_range_covers_a_port(ports, yes):
    assert covers(ports, 22) is yes
