"""Every rule of the linter has a contract that breaks it, and every error of a file is told at once."""

import re
from pathlib import Path

import pytest

from pipelines.contracts import (
    LINT_RULES,
    ContractError,
    contract_errors,
    domains_folder,
    lint_contracts,
    load_contract,
)
from tests.pipelines.contracts.test_diff import RICH

CLEAN = (
    RICH.replace(
        "domain: shop\n",
        "domain: shop\ndescription: {purpose: Orders are kept to be delivered.}\n"
        "support: [{channel: shop-data, url: 'mailto:shop@levee.example'}]\n",
    )
    .replace("        logicalType:", "        description: A column.\n        logicalType:")
    .replace(
        "customProperties:\n  - property: layer",
        "    quality: [{id: has_rows, metric: rowCount, mustBeGreaterThan: 0}]\ncustomProperties:\n  - property: layer",
    )
)
SHIFTED = (
    "        logicalType: string\n        classification: internal\n        required: true\n        unique: true\n"
)

BROKEN = {
    "contract-refused": ("{format: csv}", "{formatt: csv}"),
    "version-format": ("version: 1.0.0", "version: v1"),
    "status-unknown": ("status: active", "status: live"),
    "owner-missing": ("team: {name: shop-data}\n", ""),
    "contact-missing": ("support: [{channel: shop-data, url: 'mailto:shop@levee.example'}]\n", ""),
    "readers-missing": ("access: read}", "access: write}"),
    "description-missing": ("    description: Orders of the shop.\n", ""),
    "column-description-missing": ("        description: A column.\n", ""),
    "personal-purpose-missing": ("description: {purpose: Orders are kept to be delivered.}\n", ""),
    "looks-personal": ("name: amount\n", "name: phone_number\n"),
    "retention-missing": ("  - {property: retention, value: 2, unit: y}\n", ""),
    "freshness-missing": ("  - {property: latency, value: 1, unit: d}\n", ""),
    "key-missing": ("        unique: true\n", ""),
    "money-double": ("decimal(18,3)", "double"),
    "source-field-unused": ("[Order]\n", "[Order, Shop]\n        transformLogic: upper(Order)\n"),
    "checks-missing": ("    quality: [{id: has_rows, metric: rowCount, mustBeGreaterThan: 0}]\n", ""),
}
"""What is replaced in a contract that nothing is said about, and by what."""


def placed(folder: Path, text: str, name: str = "orders.odcs.yaml") -> Path:
    path = folder / "shop" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_every_rule_has_a_contract_that_breaks_it() -> None:
    assert LINT_RULES.keys() == BROKEN.keys() | {"duplicate-id"}


def test_of_a_good_contract_nothing_is_said(tmp_path: Path) -> None:
    assert lint_contracts([placed(tmp_path, CLEAN).parent]) == ()


@pytest.mark.parametrize("rule", BROKEN)
def test_a_broken_rule_is_told_with_its_line(rule: str, tmp_path: Path) -> None:
    old, new = BROKEN[rule]
    assert old in CLEAN
    path = placed(tmp_path, CLEAN.replace(old, new, 1))
    (found,) = lint_contracts([path])
    assert found.rule.id == rule
    assert found.file == str(path)
    assert 1 <= found.line <= CLEAN.count("\n") + 1
    assert found.fix


def test_the_line_is_that_of_the_element(tmp_path: Path) -> None:
    path = placed(tmp_path, CLEAN.replace("decimal(18,3)", "double"))
    (found,) = lint_contracts([path])
    assert "physicalType: double" in path.read_text().splitlines()[found.line - 1]


def test_two_contracts_of_one_id(tmp_path: Path) -> None:
    placed(tmp_path, CLEAN)
    placed(tmp_path, CLEAN.replace("name: orders", "name: returns"), "returns.odcs.yaml")
    (found,) = lint_contracts([tmp_path])
    assert (found.rule.id, Path(found.file).name) == ("duplicate-id", "returns.odcs.yaml")


def test_a_folder_is_judged_as_a_domain(tmp_path: Path) -> None:
    placed(tmp_path, CLEAN)
    copy = CLEAN.replace("id: 11111111", "id: 22222222")
    placed(tmp_path, copy, "again.odcs.yaml")
    (found,) = lint_contracts([tmp_path])
    assert (found.rule.id, found.message) == ("contract-refused", "two contracts describe the dataset 'orders'")


def test_every_error_of_a_file_is_told(tmp_path: Path) -> None:
    wrong = (
        CLEAN.replace("classification: internal", "classification: intern")
        .replace("decimal(18,3)", "decimal(99,3)")
        .replace("{format: csv}", "{formatt: csv}")
        .replace("value: 2, unit: y", "value: 2, unit: fortnights")
    )
    path = placed(tmp_path, wrong)
    errors = contract_errors(path)
    said = [re.sub(r".*:(\d+)$", r"\1", error.where or "") for error in errors]
    assert [wrong.splitlines()[int(line) - 1].strip() for line in said] == [
        "value: {formatt: csv}",
        "classification: intern",
        "physicalType: decimal(99,3)",
        "- {property: retention, value: 2, unit: fortnights}",
    ]
    with pytest.raises(ContractError, match=r"formatt.*and 3 more"):
        load_contract(path)
    assert [finding.rule.id for finding in lint_contracts([path])] == ["contract-refused"] * 4


def test_every_unknown_key_is_told(tmp_path: Path) -> None:
    path = placed(tmp_path, CLEAN.replace("status: active", "statuz: active").replace("unique: true", "uniq: true"))
    told = [error.message for error in contract_errors(path)]
    assert set(told[:2]) == {
        "unknown key 'statuz' in statuz",
        "unknown key 'uniq' in schema.0.properties.0.uniq",
    }, "unknown keys come first: what they hide follows from them"


def test_what_only_the_tasks_would_refuse_is_told(tmp_path: Path) -> None:
    date = "name: amount\n        description: A column.\n        logicalType: date\n"
    text = CLEAN.replace("name: amount\n        description: A column.\n        logicalType: number\n", date)
    text = text.replace("physicalType: decimal(18,3)", "physicalType: date").replace(
        "{maximum: 1000}", "{format: yyyy-EEE}"
    )
    text = text.replace("arguments: {exclusiveMinimum: 0}", "arguments: {exclusiveMinimum: 2020-13}")
    messages = [finding.message for finding in lint_contracts([placed(tmp_path, text)])]
    assert any("EEE" in message for message in messages), messages


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="no contract"):
        lint_contracts([tmp_path])
    with pytest.raises(ContractError, match="no contract"):
        lint_contracts([tmp_path / "none.odcs.yaml"])


def test_the_shipped_contracts_are_taken() -> None:
    assert [finding for finding in lint_contracts([domains_folder()]) if finding.rule.level == "error"] == []
