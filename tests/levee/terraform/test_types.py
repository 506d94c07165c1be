"""The table of types: what it says is so in the installed SDKs, and what goes to Terraform's words comes back."""

import json
import sysconfig
from pathlib import Path

import pytest

from levee import terraform
from levee.sdk import Sdk
from levee.terraform import types
from levee.terraform.hcl import from_values, to_hcl, values_of
from levee.terraform.types import Kind

TABLE = json.loads(Path(types.__file__).with_name("types.json").read_text())
TOKENS = sorted(TABLE)
SAMPLE = TOKENS[::9]


@pytest.fixture(scope="module")
def sdk(tmp_path_factory):
    return Sdk(Path(sysconfig.get_path("purelib")), tmp_path_factory.mktemp("sdk"))


def known(token):
    found = terraform.of_token(token)
    assert found is not None
    return found


def of(name):
    found = terraform.of_terraform(name)
    assert found is not None
    return found


def test_each_name_is_there_once_in_both_worlds():
    names = [entry["terraform"] for entry in TABLE.values()]
    assert len(names) == len(set(names)) > 600
    assert all(known(token).terraform == name == of(name).terraform for token, name in zip(TABLE, names, strict=True))


@pytest.mark.parametrize("token", SAMPLE)
def test_the_installed_sdk_has_every_property(token, sdk):
    type_ = sdk.resource(token)
    assert type_ is not None
    assert list(strange(known(token).attributes, type_.inputs, sdk)) == []


def strange(attributes, properties, sdk, where=""):
    """Paths that the SDK lacks, or nests otherwise."""
    for name, attribute in attributes.items():
        if name not in properties:
            yield f"{where}{name}"
            continue
        kinds = [properties[name].type, *properties[name].type.members]
        items = [k.item if k.kind == "array" else k for k in kinds]
        objects = [i for i in items if i is not None and i.kind == "object"]
        if attribute.kind in (Kind.BLOCK, Kind.BLOCKS) and not objects:
            yield f"{where}{name} is no object"
        elif attribute.of:
            yield from strange(attribute.of, sdk.object(objects[0].ref), sdk, f"{where}{name}.")


PROPERTIES = {
    "bucket": "acme",
    "tags": {"CostCentre": "cc-1", "snake_key": "kept"},
    "lifecycleRules": [{"enabled": True, "expiration": {"days": 30}}, {"enabled": False}],
    "serverSideEncryptionConfiguration": {"rule": {"bucketKeyEnabled": True}},
}


def test_properties_come_back_from_terraforms_words():
    bucket = known("aws:s3/bucket:Bucket")
    block = to_hcl(PROPERTIES, bucket.attributes, lambda _name, value: value)
    assert block["lifecycle_rule"] == [{"enabled": [True], "expiration": [{"days": [30]}]}, {"enabled": [False]}]
    assert block["tags"] == [{"CostCentre": "cc-1", "snake_key": "kept"}]
    assert from_values(values_of(block), bucket.attributes) == PROPERTIES


def test_a_whole_float_is_an_integer():
    bucket = known("aws:ebs/volume:Volume")
    assert to_hcl({"size": 40.0, "iops": 0.5}, bucket.attributes, lambda _name, value: value) == {
        "size": [40],
        "iops": [0.5],
    }
