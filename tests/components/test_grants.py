"""Grants come from the contracts' roles, and raw rows are granted to nobody."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.databricks import grants
from pipelines.contracts import Domain, Layer, load_domain, schema_name
from pipelines.contracts.odcs import Role

SALES = load_domain("sales")


def with_roles(**roles: list[dict[str, Any]]) -> Domain:
    """The sales domain with other roles: of the first source, or of the first gold table."""

    def changed(contracts: tuple[Any, ...], given: list[dict[str, Any]]) -> tuple[Any, ...]:
        first = contracts[0]
        standard = first.standard.model_copy(update={"roles": tuple(Role(**role) for role in given)})
        rest = [replace(item, standard=item.standard.model_copy(update={"roles": ()})) for item in contracts[1:]]
        return (replace(first, standard=standard), *rest)

    return replace(
        SALES,
        sources=changed(SALES.sources, roles.get("source", [])),
        models=changed(SALES.gold, roles.get("gold", [])),
    )


def test_the_shipped_reader_reads_silver_and_gold_and_nothing_raw() -> None:
    for layer in (Layer.SILVER, Layer.GOLD):
        assert grants.of_schema(SALES, layer) == {"sales_reader": ("USE_SCHEMA", "SELECT")}
    for layer in (Layer.BRONZE, Layer.QUARANTINE, Layer.CHECKPOINTS):
        assert grants.of_schema(SALES, layer) == {}
    assert grants.readers([SALES]) == ("sales_reader",)


def test_a_role_of_a_gold_table_reaches_gold_alone() -> None:
    domain = with_roles(gold=[{"role": "board", "access": "read"}])
    assert grants.of_schema(domain, Layer.SILVER) == {}
    assert grants.of_schema(domain, Layer.GOLD) == {"board": ("USE_SCHEMA", "SELECT")}


def test_the_wider_of_two_roles_holds() -> None:
    domain = with_roles(source=[{"role": "a", "access": "write"}], gold=[{"role": "a", "access": "read"}])
    assert grants.of_schema(domain, Layer.GOLD)["a"] == ("USE_SCHEMA", "SELECT", "MODIFY", "CREATE_TABLE")


def test_an_access_that_nobody_knows_is_refused_with_the_contract() -> None:
    with pytest.raises(ValueError, match="role a has access 'own'; write one of read"):
        grants.of_schema(with_roles(source=[{"role": "a", "access": "own"}]), Layer.GOLD)


def test_a_schema_is_named_after_its_domain_and_layer() -> None:
    assert schema_name("customer-care", Layer.GOLD) == "customer_care_gold"
