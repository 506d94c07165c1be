"""Which change of a contract is of which kind: every rule of the table has an edit that shows it."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.contracts import DIFF_RULES, Contract, Difference, Impact, differences, load_contract
from pipelines.contracts.diff import Bump, needed, risen

RICH = """\
apiVersion: v3.1.0
kind: DataContract
id: 11111111-1111-4111-8111-111111111111
version: 1.0.0
status: active
domain: shop
team: {name: shop-data}
roles:
  - {role: reader, access: read}
slaProperties:
  - {property: retention, value: 2, unit: y}
  - {property: latency, value: 1, unit: d}
schema:
  - name: orders
    description: Orders of the shop.
    properties:
      - name: order_id
        logicalType: string
        classification: internal
        required: true
        unique: true
        transformSourceObjects: [Order]
      - name: customer
        logicalType: string
        classification: personal
        customProperties: [{property: masking, value: {method: hash}}]
      - name: amount
        logicalType: number
        physicalType: decimal(18,3)
        classification: confidential
        logicalTypeOptions: {maximum: 1000}
        quality:
          - id: amount_positive
            metric: invalidValues
            arguments: {exclusiveMinimum: 0}
            mustBe: 0
            severity: error
customProperties:
  - property: layer
    value: source
  - property: ingestion
    value: {format: csv}
"""
ORDER_ID = RICH[RICH.index("      - name: order_id") : RICH.index("      - name: customer")]
CUSTOMER = RICH[RICH.index("      - name: customer") : RICH.index("      - name: amount")]
LAYER = "  - property: layer\n    value: source\n"
CHECK = RICH[RICH.index("        quality:") : RICH.index("customProperties:\n  - property: layer")]
NOTE = "      - name: note\n        logicalType: string\n        classification: internal\n"
MASK = "        customProperties: [{property: masking, value: {method: hash}}]\n"

EDITS: Mapping[str, tuple[str, str]] = {
    "column-added": (CUSTOMER, CUSTOMER + NOTE),
    "column-removed": (CUSTOMER, ""),
    "columns-reordered": (ORDER_ID + CUSTOMER, CUSTOMER + ORDER_ID),
    "type-widened": ("decimal(18,3)", "decimal(20,4)"),
    "type-narrowed": ("decimal(18,3)", "decimal(9,2)"),
    "type-changed": ("physicalType: decimal(18,3)", "physicalType: double"),
    "null-allowed": ("        required: true\n", ""),
    "null-refused": (
        "        classification: confidential\n",
        "        classification: confidential\n        required: true\n",
    ),
    "key-changed": ("        unique: true\n", "        unique: true\n        primaryKey: true\n"),
    "unique-dropped": ("        unique: true\n", ""),
    "unique-promised": ("classification: confidential\n", "classification: confidential\n        unique: true\n"),
    "derivation-changed": ("transformSourceObjects: [Order]", "transformSourceObjects: [OrderNo]"),
    "classification-lowered": ("classification: confidential", "classification: internal"),
    "classification-raised": ("classification: internal", "classification: confidential"),
    "mask-removed": ("classification: personal\n" + MASK, "classification: restricted\n"),
    "mask-changed": ("{method: hash}", "{method: hash, characters: 64}"),
    "mask-added": ("        unique: true\n", "        unique: true\n" + MASK),
    "check-removed": (CHECK, ""),
    "check-weakened": ("severity: error", "severity: warning"),
    "check-changed": ("exclusiveMinimum: 0", "exclusiveMinimum: -5"),
    "check-added": (CHECK, CHECK + "          - {id: amount_there, metric: nullValues, mustBe: 0}\n"),
    "check-strengthened": ("maximum: 1000", "maximum: 900"),
    "retention-shortened": ("value: 2, unit: y", "value: 1, unit: y"),
    "retention-lengthened": ("value: 2, unit: y", "value: 3, unit: y"),
    "sla-loosened": ("latency, value: 1", "latency, value: 2"),
    "sla-changed": ("latency, value: 1", "latency, value: 0.5"),
    "role-removed": ("roles:\n  - {role: reader, access: read}\n", ""),
    "role-changed": (
        "  - {role: reader, access: read}\n",
        "  - {role: reader, access: read}\n  - {role: auditor, access: read}\n",
    ),
    "processing-changed": ("{format: csv}", '{format: csv, delimiter: ";"}'),
    "rows-changed": (LAYER, LAYER + "  - {property: deduplication, value: {identicalRows: keep}}\n"),
    "owner-changed": ("shop-data", "sales-data"),
    "retired": ("status: active", "status: deprecated"),
    "words-changed": ("Orders of the shop.", "All orders of the shop."),
    "version-major-missing": (CUSTOMER, ""),
    "version-minor-missing": (CUSTOMER, CUSTOMER + NOTE),
    "version-patch-missing": ("Orders of the shop.", "All orders of the shop."),
}
"""The text that is replaced, and by what."""
ELSEWHERE = {
    "anonymity-loosened",
    "anonymity-tightened",
    "dataset-added",
    "dataset-removed",
    "removal-unannounced",
    "model-changed",
}
"""Rules that more than one file shows; each has a test of its own below."""


def written(folder: Path, text: str, name: str = "orders.odcs.yaml") -> Contract:
    path = folder / "shop" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return load_contract(path)


def changed(folder: Path, *edits: tuple[str, str]) -> tuple[Difference, ...]:
    text = RICH
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    base, head = written(folder / "old", RICH), written(folder / "new", text)
    return differences({"orders": base}, {"orders": head})


def test_every_rule_of_the_table_has_an_edit() -> None:
    assert DIFF_RULES.keys() == EDITS.keys() | ELSEWHERE


@pytest.mark.parametrize("rule", EDITS)
def test_an_edit_is_of_its_kind(rule: str, tmp_path: Path) -> None:
    found = changed(tmp_path, EDITS[rule])
    assert rule in [one.rule.id for one in found]
    assert found[0].roles
    assert found[0].impact is max(found, key=lambda one: -list(Impact).index(one.impact)).impact, "the worst first"


def test_the_same_text_differs_in_nothing(tmp_path: Path) -> None:
    assert changed(tmp_path) == ()


def test_a_comment_is_documentation(tmp_path: Path) -> None:
    found = changed(tmp_path, ("domain: shop", "domain: shop  # the web shop"), ("version: 1.0.0", "version: 1.0.1"))
    assert [one.rule.id for one in found] == ["words-changed"]


@pytest.mark.parametrize(
    ("edit", "version", "unannounced"),
    [
        ("column-removed", "1.0.0", True),
        ("column-removed", "1.9.0", True),
        ("column-removed", "2.0.0", False),
        ("column-added", "1.0.0", False),
        ("column-added", "1.1.0", False),
    ],
)
def test_only_a_breaking_change_needs_a_major_version(
    edit: str, version: str, unannounced: bool, tmp_path: Path
) -> None:
    found = changed(tmp_path, EDITS[edit], ("version: 1.0.0", f"version: {version}"))
    assert any(one.unannounced for one in found) is unannounced


def test_the_version_that_rises_far_enough_is_not_mentioned(tmp_path: Path) -> None:
    found = changed(tmp_path, EDITS["column-added"], ("version: 1.0.0", "version: 1.1.0"))
    assert [one.rule.id for one in found] == ["column-added"]


def test_a_dataset_goes_announced_or_not(tmp_path: Path) -> None:
    active = written(tmp_path / "a", RICH)
    retired = written(tmp_path / "b", RICH.replace("status: active", "status: retired"))
    assert [one.rule.id for one in differences({"a": active}, {})] == ["dataset-removed", "removal-unannounced"]
    assert [one.rule.id for one in differences({"b": retired}, {})] == ["dataset-removed"]
    assert [one.rule.id for one in differences({}, {"a": active})] == ["dataset-added"]


def test_who_has_fewer_others_to_hide_among_is_told_of(sales: Mapping[str, Contract], tmp_path: Path) -> None:
    def with_k(k: int | None) -> Contract:
        folder = tmp_path / str(k)
        folder.mkdir()
        for file in sales["revenue_variance"].path.parent.glob("revenue_variance.*"):
            (folder / file.name).write_bytes(file.read_bytes())
        path = folder / sales["revenue_variance"].path.name
        promise = f"  - {{property: kAnonymity, value: {{quasiIdentifiers: [month], k: {k}}}}}\n" if k else ""
        path.write_text(path.read_text().rstrip("\n") + "\n" + promise)
        return load_contract(path)

    none, three, five = with_k(None), with_k(3), with_k(5)
    for old, new, rule in ((five, three, "loosened"), (five, none, "loosened"), (none, three, "tightened")):
        assert differences({"x": old}, {"x": new})[0].rule.id == f"anonymity-{rule}"


def test_a_check_that_stops_everything_is_stronger(tmp_path: Path) -> None:
    stop = "severity: error\n            customProperties: [{property: onFailure, value: stopPipeline}]"
    assert "check-strengthened" in [one.rule.id for one in changed(tmp_path, ("severity: error", stop))]


def test_a_contract_beside_tells_who_reads_a_column(sales: Mapping[str, Contract], tmp_path: Path) -> None:
    source = sales["online_retail"]
    text = source.path.read_text(encoding="utf-8")
    start, end = text.index("      - name: country"), text.index("      - name: amount")
    head = tmp_path / "online_retail.odcs.yaml"
    head.write_text(text[:start] + text[end:], encoding="utf-8")
    found = differences({"x": source}, {"x": load_contract(head)}, sales.values())
    removed = next(one for one in found if one.rule.id == "column-removed")
    assert removed.gold == ("revenue_by_country",)
    assert removed.roles == ("sales_reader",)
    assert removed.column == "country"


def test_another_sql_is_told(sales: Mapping[str, Contract], tmp_path: Path) -> None:
    table = sales["revenue_by_month"]
    for file in table.path.parent.glob("revenue_by_month.*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    query = next(tmp_path.glob("*.sql"))
    query.write_text(query.read_text() + "\n-- another\n")
    found = differences({"x": table}, {"x": load_contract(tmp_path / table.path.name)})
    assert [one.rule.id for one in found] == ["model-changed", "version-minor-missing"]


VERSIONS = st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 5))


@given(VERSIONS, VERSIONS)
def test_a_version_rises_by_its_first_number_that_differs(old: tuple[int, ...], new: tuple[int, ...]) -> None:
    bump = risen(".".join(map(str, old)), ".".join(map(str, new)))
    assert (bump is Bump.NONE) == (new <= old)
    if bump is not Bump.NONE:
        place = 3 - bump
        assert old[:place] == new[:place]
        assert old[place] < new[place]


def test_below_one_the_minor_number_tells_of_a_breach() -> None:
    assert needed([Impact.BREAKING], "0.4.0") is Bump.MINOR
    assert needed([Impact.BREAKING, Impact.DOCUMENTATION], "1.4.0") is Bump.MAJOR
    assert needed([], "1.0.0") is Bump.NONE
