"""No rule may remove a live file of a table, or ask for what a lock refuses; deliveries go when contracts say."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.lake.lifecycle import LOCKED, TABLES, Ageing, Dataset, rules
from pipelines.contracts import Layer
from pipelines.settings import RunSettings

SDK = pytest.mark.filterwarnings("ignore:.*has been deprecated in favor of:DeprecationWarning")
"""The SDKs warn of their own old names while they are imported."""

DAYS = st.integers(min_value=1, max_value=36500)
AGEING = st.builds(
    lambda cool, more, noncurrent, audit, log: Ageing(cool, cool + 30 + more, noncurrent, audit, log),
    st.integers(30, 400),
    st.integers(0, 400),
    DAYS,
    DAYS,
    DAYS,
)
DATASETS = st.lists(
    st.builds(Dataset, st.just("sales"), st.from_regex(r"[a-z_]{1,12}", fullmatch=True), st.none() | DAYS),
    max_size=20,
    unique_by=lambda dataset: dataset.name,
)


@given(AGEING, DATASETS)
def test_a_table_s_live_files_never_expire_and_never_wait_to_be_read(ageing: Ageing, datasets: list[Dataset]) -> None:
    for layer in TABLES:
        for rule in rules(layer, ageing, datasets):
            assert rule.expire_after_days is None
            assert rule.cool_after_days is rule.cold_after_days is None
            assert rule.by_access


@given(AGEING, DATASETS)
def test_no_table_of_the_wheel_lies_where_a_rule_expires_or_a_lock_holds(
    ageing: Ageing, datasets: list[Dataset]
) -> None:
    settings = RunSettings("sales", roots={layer: f"s3://{layer}" for layer in Layer})
    for layer in Layer:
        if layer in LOCKED or any(rule.expire_after_days for rule in rules(layer, ageing, datasets)):
            with pytest.raises(ValueError, match="is no store of tables"):
                settings.table_path(layer, "table")
    for layer in TABLES:
        assert settings.table_path(layer, "table") == f"s3://{layer}/sales/table"
    assert settings.record_path("ledger") == settings.table_path(Layer.CHECKPOINTS, "ledger")


@given(AGEING)
def test_nothing_leaves_the_audit_store_before_its_lock_ends(ageing: Ageing) -> None:
    (rule,) = rules(Layer.AUDIT, ageing)
    assert rule.expire_after_days == ageing.audit_days + 1
    assert (rule.noncurrent_days or 0) > ageing.audit_days


@given(AGEING, DATASETS)
def test_each_delivery_goes_exactly_when_its_contract_says(ageing: Ageing, datasets: list[Dataset]) -> None:
    found = rules(Layer.LANDING, ageing, datasets)
    assert len({rule.name for rule in found}) == len(found)
    for dataset in datasets:
        (rule,) = [rule for rule in found if dataset.prefix in rule.prefixes]
        assert rule.expire_after_days == dataset.landing_days
    assert sum(len(rule.prefixes) for rule in found) == len(datasets)


@given(AGEING, DATASETS)
def test_a_tier_is_worth_its_minimum_stay(ageing: Ageing, datasets: list[Dataset]) -> None:
    for layer in Layer:
        for rule in rules(layer, ageing, datasets):
            ends = [age for age in (rule.cool_after_days, rule.cold_after_days, rule.expire_after_days) if age]
            assert ends == sorted(ends)
            if rule.expire_after_days and len(ends) > 1:
                assert rule.expire_after_days - ends[-2] >= 30


@pytest.mark.parametrize("ages", [(29, 120), (1, 31), (30, 59)])
def test_no_tier_is_asked_for_before_s3_would_give_it(ages: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="the first must be at least 30, the second 30 more"):
        Ageing(*ages)


@SDK
@pytest.mark.parametrize("layer", Layer)
def test_a_delete_marker_goes_when_no_version_is_left_behind_it(layer: Layer) -> None:
    from components.lake import aws

    datasets = [Dataset("sales", "short", 400), Dataset("sales", "ever")]
    made: list[Any] = [rule for neutral in rules(layer, Ageing(), datasets) for rule in aws.lifecycle_rules(neutral)]
    for rule in made:
        end = rule.expiration
        assert end is None or bool(end.days) != bool(end.expired_object_delete_marker), "S3 takes one of the two"
    replaced = [rule for rule in made if rule.noncurrent_version_expiration]
    assert [rule.filter.prefix for rule in replaced] == [""]
    assert all(rule.expiration.days or rule.expiration.expired_object_delete_marker for rule in replaced)


@SDK
def test_the_spelling_of_each_cloud() -> None:
    from components.lake import aws, azure, gcp

    ageing, datasets = Ageing(), [Dataset("sales", f"table_{number}", 400) for number in range(25)]
    landing = rules(Layer.LANDING, ageing, datasets)
    on_aws: list[Any] = [rule for neutral in landing for rule in aws.lifecycle_rules(neutral)]
    assert len(on_aws) == 26, "S3 has one prefix a rule"
    assert len({rule.id for rule in on_aws}) == 26
    on_azure: list[Any] = [rule for neutral in landing for rule in azure.lifecycle_rules(Layer.LANDING, neutral)]
    assert [len(rule.definition.filters.prefix_match) for rule in on_azure] == [10, 10, 5], "Azure has ten"
    assert on_azure[0].definition.filters.prefix_match[0] == "landing/sales/table_0/"
    on_gcp: list[Any] = gcp.lifecycle_rules(landing)
    assert [rule.action.type for rule in on_gcp] == [
        "Delete",
        "AbortIncompleteMultipartUpload",
        "SetStorageClass",
        "SetStorageClass",
        "Delete",
    ]


@SDK
def test_more_rules_than_google_allows_are_refused_before_the_cloud_does() -> None:
    from components.lake import gcp

    datasets = [Dataset("sales", f"table_{number}", 200 + number) for number in range(60)]
    with pytest.raises(ValueError, match="fewer different retentions"):
        gcp.lifecycle_rules(rules(Layer.LANDING, Ageing(), datasets))
