"""What a lake asks of its cloud, in the order in which the cloud can give it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from levee.environment import Environment
from levee.plan import Plan

ROOT = Path(__file__).resolve().parents[2]
AGENT = "gcp:storage/getProjectServiceAccount:getProjectServiceAccount"


def test_the_service_agent_of_cloud_storage_is_asked_for_not_guessed(preview: Callable[[str], Plan]) -> None:
    plan = preview("local")
    (asked,) = [lookup for lookup in plan.invented_lookups if lookup.token == AGENT]
    assert asked.args == {"project": "acme-levee-local"}
    (member,) = [item for item in plan.resources if item.type == "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"]
    assert member.inputs["member"] == asked.answer["member"]


def test_azure_tracks_access_before_a_rule_goes_by_it(preview: Callable[[str], Plan]) -> None:
    plan = preview("local")
    rules = [item for item in plan.resources if item.type == "azure-native:storage:ManagementPolicy"]
    assert rules
    for policy in rules:
        (blobs,) = [
            item for item in plan.children(policy.parent) if item.type == "azure-native:storage:BlobServiceProperties"
        ]
        assert blobs.inputs["lastAccessTimeTrackingPolicy"]["enable"] is True
        assert blobs.urn in policy.dependencies


@pytest.mark.parametrize("name", ["staging", "prod"])
def test_the_clusters_of_azure_reach_their_lake(name: str, preview: Callable[[str], Plan]) -> None:
    target = Environment.load(ROOT, name).clouds.azure
    assert target
    assert len(target.subnets) == 2, "a workspace in a network of one's own has two"
    accounts = [item for item in preview(name).resources if item.type == "azure-native:storage:StorageAccount"]
    assert len(accounts) == 2
    for account in accounts:
        firewall = account.inputs["networkRuleSet"]
        assert firewall["defaultAction"] == "Deny"
        assert firewall["virtualNetworkRules"] == [
            {"action": "Allow", "virtualNetworkResourceId": subnet} for subnet in target.subnets
        ]
        assert account.inputs["sasPolicy"]["expirationAction"] == "Log", "Unity Catalog's own signatures must hold"
