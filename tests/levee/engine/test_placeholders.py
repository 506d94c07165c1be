"""Which placeholder a key gets: by its name, by what the program does with it, always the same, never a real thing."""

import ast
import base64
import ipaddress
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from levee.engine import config_uses
from levee.engine.placeholders import PROVIDER_CONFIG, Uses, choose, password, words
from levee.engine.standin import connection


@pytest.mark.parametrize(
    ("name", "kind", "form"),
    [
        ("vpcCidr", "CIDR block", r"10\.0\.0\.0/16"),
        ("vpc_cidr_block", "CIDR block", r"10\.0\.0\.0/16"),
        ("subnetCidr", "CIDR block", r"10\.0\.\d+\.0/24"),
        ("myIpAddress", "CIDR block", r"203\.0\.113\.0/24"),
        ("publicKey", "SSH public key", r"ssh-rsa AAAA\S+ levee-placeholder"),
        ("sshPublicKey", "SSH public key", r"ssh-rsa AAAA\S+ levee-placeholder"),
        ("private_key", "private key (shape only)", r"(?s)-----BEGIN RSA PRIVATE KEY-----\n.*"),
        ("sshKeyName", "name", r"levee-ssh-key-name"),
        ("alertEmail", "e-mail address", r".+@example\.com"),
        ("domainName", "domain", r"example\.com"),
        ("roleArn", "ARN", r"arn:aws:iam::\d{12}:role/.+"),
        ("certificateArn", "ARN", r"arn:aws:acm:us-east-1:\d{12}:certificate/[0-9a-f-]{36}"),
        ("amiId", "AMI id", r"ami-[0-9a-f]{17}"),
        ("instanceType", "machine type", r"t3\.medium"),
        ("dbInstanceClass", "machine type", r"db\.t3\.medium"),
        ("dbPassword", "password", r"Lv3-[a-z2-7]{12}-Xz7"),
        ("slackWebhookUrl", "URL", r"https://example\.com/.+"),
        ("nodeCount", "number", r"\d+"),
        ("enableLogging", "boolean", r"true"),
        ("environment", "environment", r"dev"),
        ("vpcId", "AWS resource id", r"vpc-[0-9a-f]{17}"),
        ("subscriptionId", "GUID", r"[0-9a-f-]{36}"),
        ("bucketName", "bucket name", r"levee-[a-z0-9-]+"),
        ("flavour_of_things", "machine type", r"t3\.medium"),
        ("whatever", "text", r"levee-whatever"),
    ],
)
def test_a_name_tells_what_is_meant(name, kind, form):
    chosen = choose(f"probe:{name}")
    assert chosen.kind == kind
    assert re.fullmatch(form, chosen.text)


def test_the_cloud_that_the_program_uses_decides_regions_and_machines():
    assert [choose("p:region", cloud=c).value for c in ("aws", "gcp", "azure")] == [
        "us-east-1",
        "us-central1",
        "westeurope",
    ]
    assert [choose("p:vmSize", cloud=c).value for c in ("aws", "gcp", "azure")] == [
        "t3.medium",
        "e2-medium",
        "Standard_B2s",
    ]


def test_a_key_is_well_formed_and_nobody_elses():
    blob = base64.b64decode(choose("p:publicKey").text.split()[1], validate=True)
    fields = []
    while blob:
        size = int.from_bytes(blob[:4], "big")
        fields.append(blob[4 : 4 + size])
        blob = blob[4 + size :]
    assert fields[:2] == [b"ssh-rsa", b"\x01\x00\x01"]
    assert int.from_bytes(fields[2], "big").bit_length() == 2048
    assert choose("p:publicKey").text == choose("p:publicKey").text != choose("p:otherPublicKey").text


@given(st.text(min_size=1, max_size=30), st.sampled_from(["string", "int", "float", "bool", "object"]))
def test_every_key_gets_a_value_of_the_type_that_was_asked_for(name, asked):
    chosen = choose(f"p:{name}", asked)
    types = {"string": str, "int": int, "float": float, "bool": bool, "object": (dict, list)}
    assert isinstance(chosen.value, types[asked])
    assert chosen == choose(f"p:{name}", asked)
    assert json.dumps(chosen.value)
    assert "\n" not in words(name)


@given(st.text(max_size=40))
def test_passwords_keep_every_clouds_rule(key):
    word = password(key)
    assert 12 <= len(word) <= 30
    for needed in ("[A-Z]", "[a-z]", "[0-9]", "[^A-Za-z0-9]"):
        assert re.search(needed, word)


def test_providers_get_what_the_stand_ins_take_for_granted():
    for package, region in connection._DEFAULT_REGIONS.items():
        key = f"{package}:location" if package == "azure-native" else f"{package}:region"
        assert PROVIDER_CONFIG[key][1] == region
    assert PROVIDER_CONFIG["gcp:project"][1] == connection.GCP_PROJECT


USES = """
import ipaddress
import json
from enum import Enum

SIZES = {"small": 1, "large": 2}
STAGES = ("alpha", "beta")


class Tier(Enum):
    GOLD = "gold"


network = config.require("network")
vpc = Vpc(cidr_block=network)
count = int(config.require("count_of_things"))
blocks = config.require("blocks").split(",")
size = SIZES[config.require("size")]
stage = config.require("stage").lower()
if stage not in STAGES:
    raise ValueError(stage)
tier = Tier(config.require("tier"))
rules = json.loads(config.require("rules"))
text = open(config.require("page")).read()
net = ipaddress.ip_network(config.require("net"))
tags = {"owner_email": config.require("who")}
site = Bucket("site", bucket=config.require("targetDomain"))
if config.require("isMinikube") == "true":
    raise ValueError("not here")
if config.require("only") != "this":
    raise ValueError("only this")
"""


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("network", "10.0.0.0/16"),
        ("count_of_things", 2),
        ("size", "small"),
        ("stage", "alpha"),
        ("tier", "gold"),
        ("rules", []),
        ("page", "."),
        ("net", "10.0.0.0/16"),
        ("who", "someone@example.com"),
        ("targetDomain", "example.com"),
        ("isMinikube", "false"),
        ("only", "this"),
    ],
)
def test_what_the_program_does_with_a_value_decides_it(tmp_path, key, value):
    file = tmp_path / "program.py"
    file.write_text(USES)
    line = next(n for n, text in enumerate(USES.splitlines(), 1) if f'"{key}"' in text)
    uses = Uses(**config_uses.of_key(str(file), line, key))
    assert choose(f"p:{key}", "string", uses).value == value


def test_a_list_is_split_as_the_program_splits_it(tmp_path):
    file = tmp_path / "program.py"
    file.write_text('cidrs = config.require("subnetCidrs").split(",")\n')
    chosen = choose("p:subnetCidrs", "string", Uses(**config_uses.of_key(str(file), 1, "subnetCidrs")))
    assert [ipaddress.ip_network(part).prefixlen for part in chosen.text.split(",")] == [24, 24]


def test_a_program_that_lies_in_no_file_has_no_uses():
    assert Uses(**config_uses.of_key("<string>", 1, "key")) == Uses()
    assert isinstance(ast.parse(USES), ast.Module)
