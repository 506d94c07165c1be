"""What a contract becomes, and every way to refuse one: with file, line and the edit that mends it."""

import re
from pathlib import Path

import pytest

from pipelines.contracts import Classification, ContractError, Layer, load_contract, load_domain


def test_a_contract_is_resolved(write) -> None:
    contract = load_contract(write())
    assert (contract.domain, contract.dataset, contract.layer) == ("shop", "orders", "source")
    assert contract.source_fields == ("Order", "amount")
    order, amount = contract.columns
    assert (order.sources, order.type, order.required) == (("Order",), "string", True)
    assert (amount.sources, amount.type, amount.derived) == (("amount",), "decimal(18,3)", False)
    assert contract.classification is Classification.CONFIDENTIAL
    assert contract.retention(Layer.SILVER) is None


def test_a_derived_column_has_no_source(write) -> None:
    derived = "logicalType: number\n        transformLogic: 2 * amount"
    contract = load_contract(write(("logicalType: number", derived)))
    assert contract.column("amount").derived
    assert contract.source_fields == ("Order",)


def test_retention_comes_from_the_sla_and_a_layer_may_differ(write) -> None:
    contract = load_contract(
        write(
            (
                "customProperties:\n",
                "slaProperties:\n  - {property: retention, value: 2, unit: y}\ncustomProperties:\n",
            ),
            ("value: {format: csv}", "value: {format: csv}\n  - property: layerRetention\n    value: {landing: 30}"),
        )
    )
    assert contract.retention(Layer.SILVER) == 730
    assert contract.retention(Layer.LANDING) == 30


def test_a_file_is_parsed_once_and_anew_when_it_was_edited(write) -> None:
    path = write()
    first = load_contract(path)
    assert load_contract(path) is first
    path.write_text(path.read_text().replace("status: active", "status: draft"))
    assert load_contract(path).digest != first.digest
    path.write_text("nothing: known")
    for _ in range(2):
        with pytest.raises(ContractError, match="unknown key"):
            load_contract(path)


def test_the_digest_follows_the_text(write) -> None:
    first = load_contract(write()).digest
    assert load_contract(write()).digest == first
    assert load_contract(write(("1.0.0", "1.0.1"))).digest != first


REFUSED = [
    # what is replaced, by what, message, text of the line, part of the fix
    ("status: active", "statuz: active", "unknown key 'statuz'", "statuz", "did you mean `status`?"),
    ("required: true", "requird: true", "unknown key 'requird'", "requird", "did you mean `required`?"),
    ("mustBe: 0", "mustBee: 0", "unknown key 'mustBee'", "mustBee", "did you mean `mustBe`?"),
    ("required: true", "required: maybe", "required", "required: maybe", ""),
    ("required: true", 'required: "true"', "valid boolean", "required:", ""),
    ("kind: DataContract", "kind: Contract", "kind", "kind: Contract", ""),
    ("v3.1.0", "v2.2.0", "apiVersion", "v2.2.0", ""),
    ("metric: invalidValues", "metric: wrongValues", "metric", "wrongValues", ""),
    ("{format: csv}", "{formatt: csv}", "unknown key 'formatt'", "formatt", "did you mean `format`?"),
    ("{format: csv}", "{format: xml}", "ingestion.format", "xml", ""),
    ("property: ingestion", "property: ingestoin", "'ingestoin'", "ingestoin", "did you mean `ingestion`?"),
    ("property: ingestion", "property: layer", "layer is set twice", "property: layer", ""),
    ("value: source", "value: platinum", "layer", "platinum", ""),
    ("classification: internal", "classification: intern", "'intern'", "intern", "did you mean `internal`?"),
    ("classification: internal", "classification: personal", "how it is masked", "personal", "property: masking"),
    ("        classification: internal\n", "", "not classified", "name: order_id", "add `classification:`"),
    ("name: amount", "name: order_id", "order_id is there twice", "- name: order_id", ""),
    ("name: amount", "name: Amount", "lower snake_case", "name: Amount", ""),
    ("name: amount", "name: _amount", "leading underscore", "name: _amount", ""),
    ("decimal(18,3)", "decimal(40,3)", "no Spark SQL type", "decimal(40,3)", "decimal(18,3)"),
    ("physicalType: decimal(18,3)", "physicalType: string", "string by physicalType", "physicalType: string", ""),
    ("        physicalType: decimal(18,3)\n", "", "no Spark SQL type", "name: amount", "money"),
    ("required: true", "partitioned: true", "tables are clustered instead", "partitioned", "clusterBy: [order_id]"),
    ("logicalType: number", "logicalType: object", "no logical type that silver can hold", "object", ""),
    ("- id: amount_positive\n            metric", "- metric", "has no id", "- metric", "add `id:"),
    ("domain: shop\n", "", "names no domain", "apiVersion", "domain:"),
    ("status: active", "status: active\nstatus: active", "not YAML", "status: active", ""),
    ("status: active", "status: [active", "not YAML", "", ""),
]


@pytest.mark.parametrize(
    ("old", "new", "message", "line", "fix"), REFUSED, ids=[row[1].strip()[:40] for row in REFUSED]
)
def test_a_wrong_contract_is_refused_with_its_line(
    write, old: str, new: str, message: str, line: str, fix: str
) -> None:
    path = write((old, new))
    with pytest.raises(ContractError, match=re.escape(message)) as caught:
        load_contract(path)
    error = caught.value
    assert error.where is not None
    assert error.where.startswith(str(path))
    if line:
        number = int(error.where.rsplit(":", 1)[1])
        assert line in "\n".join(path.read_text().splitlines()[number - 1 : number + 1])
    assert fix in (error.fix or "")


def test_a_column_that_is_not_there_is_refused_with_the_nearest(write) -> None:
    history = "\n  - property: history\n    value: {type: 1, businessKey: [order_idd]}"
    path = write(("{format: csv}", f"{{format: csv}}{history}"))
    with pytest.raises(ContractError, match="order_idd") as caught:
        load_contract(path)
    assert caught.value.fix == "did you mean `order_id`?"


def test_earlier_versions_of_personal_data_do_not_stay_for_longer_than_a_month(write) -> None:
    personal = (
        "classification: internal",
        "classification: personal\n        customProperties: [{property: masking, value: {method: hash}}]",
    )
    kept = "{format: csv}\n  - property: maintenance\n    value: {vacuumHours: 721}"

    assert load_contract(write(("{format: csv}", kept))).vacuum_hours == 721
    with pytest.raises(ContractError, match="721 hours after it was deleted"):
        load_contract(write(personal, ("{format: csv}", kept)))
    assert load_contract(write(personal)).vacuum_hours == 168


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="no such contract"):
        load_contract(tmp_path / "none.odcs.yaml")


def test_the_shipped_sales_contracts_say_what_the_numbers_need() -> None:
    retail = load_domain("sales").contract("online_retail")
    fields = "InvoiceNo StockCode Description Quantity InvoiceDate UnitPrice CustomerID Country"
    assert " ".join(retail.source_fields) == fields
    assert retail.column("unit_price").type == "decimal(18,3)"
    assert [column.name for column in retail.personal_columns] == ["customer_id"]
    assert retail.history is None
    assert retail.deduplication.identical_rows == "remove"
