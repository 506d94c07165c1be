"""Tags are spelled as each cloud wants them, and their keys are those that the tagging pack asks for."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components import tags
from components.databricks import policy
from components.tags import Tags
from levee.compliance import tagging
from levee.compliance.tagging import rules
from levee.environment import model
from pipelines.contracts import Classification

PLAIN = Tags(owner="data", cost_centre="cc-1", environment="dev", classification="internal", expires_on="2027-06-30")


def test_the_keys_are_the_pack_s() -> None:
    ours = (tags.OWNER, tags.COST_CENTRE, tags.ENVIRONMENT, tags.CLASSIFICATION, tags.MANAGED_BY)
    assert ours == tagging.REQUIRED
    assert tags.EXPIRES_ON == rules.EXPIRES_ON
    assert set(PLAIN.canonical) == {*ours, tags.EXPIRES_ON}


def test_contracts_environments_packs_and_clusters_have_one_list_of_classes() -> None:
    assert tags.CLASSES == rules.CLASSES == get_args(model.Classification)
    assert set(tags.CLASSES) == {item.value for item in Classification} - {Classification.PERSONAL}
    cluster = policy.definition(spark_version="17.3.x-scala2.13", max_workers=1, tags={}, environment={})
    assert tuple(cluster[f"custom_tags.{tags.CLASSIFICATION}"]["values"]) == tags.CLASSES


def test_what_stays_has_no_expiry() -> None:
    assert tags.EXPIRES_ON not in Tags("data", "cc-1", "prod", "internal").canonical


@pytest.mark.parametrize("classification", Classification)
def test_every_class_of_the_contracts_is_one_that_the_pack_knows(classification: Classification) -> None:
    assert PLAIN.classified(classification).canonical[tags.CLASSIFICATION] in rules.CLASSES


def test_personal_data_is_guarded_as_the_highest_class() -> None:
    assert PLAIN.classified("personal").canonical[tags.CLASSIFICATION] == "restricted"


WORDS = st.text(alphabet=st.characters(categories=("L", "N"), include_characters=" ._:/@+-="), max_size=100)


@given(WORDS, WORDS, WORDS)
def test_every_cloud_accepts_its_spelling(owner: str, cost_centre: str, environment: str) -> None:
    made = Tags(owner, cost_centre, environment, "internal", "2027-06-30")
    spelled = {
        "aws": made.aws(),
        "azure-native": made.azure(),
        "gcp": made.gcp(),
        "databricks": made.databricks(),
    }
    for package, found in spelled.items():
        dialect = tagging.DIALECTS[package]
        assert all(dialect.key.fullmatch(key) for key in found)
        if package in ("gcp", "databricks"):
            assert all(dialect.value.fullmatch(value) for value in found.values())


@given(st.text(max_size=100))
def test_a_label_is_written_as_the_pack_compares_it(text: str) -> None:
    assert tags.label(text) == tagging.label_value(text)
