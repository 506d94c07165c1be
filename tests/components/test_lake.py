"""What a lake refuses before any cloud is asked."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from components.lake import Aws, LakeArgs, Layer
from components.lake.lake import Azure, Gcp
from components.tags import Tags

TAGS = Tags(owner="data", cost_centre="cc-1", environment="dev", classification="internal")
AWS = Aws(account="222222222222", region="eu-west-1")


@pytest.mark.parametrize("kept", [{"protect": True}, {"protect": False, "lock": True}])
def test_a_lake_is_not_both_kept_and_thrown_away(kept: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="neither protected nor locked"):
        LakeArgs("acme", "dev", AWS, TAGS, force_destroy=True, **kept)


def test_a_lake_is_protected_unless_told_otherwise() -> None:
    args = LakeArgs("acme", "dev", AWS, TAGS)
    assert (args.protect, args.force_destroy, args.lock) == (True, False, False)


def test_a_layer_has_its_own_class_or_that_of_the_lake() -> None:
    args = LakeArgs("acme", "dev", AWS, TAGS, classes={Layer.BRONZE: "restricted"})
    assert args.tags_of(Layer.BRONZE).classification == "restricted"
    assert args.tags_of(Layer.GOLD).classification == "internal"


@pytest.mark.parametrize(
    ("cidr", "taken"),
    [
        ("198.51.100.0/24", ["198.51.100.0/24"]),
        ("198.51.100.7/32", ["198.51.100.7"]),
        ("198.51.100.6/31", ["198.51.100.6", "198.51.100.7"]),
    ],
)
def test_a_range_is_one_that_azure_s_storage_firewall_takes(cidr: str, taken: list[str]) -> None:
    from components.lake.azure import addresses

    assert addresses(cidr) == taken


def test_nothing_in_a_target_opens_it_by_default() -> None:
    defaults = {field.name: field.default for field in (*fields(Azure), *fields(Gcp))}
    assert defaults["allowed_cidrs"] == ()
    assert defaults["zone_redundant"] is True
