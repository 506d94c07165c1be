"""Which edit of a data contract breaks its readers."""

import shutil

import pytest

from levee.errors import UsageError
from levee.review.contracts import compare, read, widens
from pipelines.contracts import domains_folder

RETAIL = "sales/online_retail.odcs.yaml"


@pytest.fixture
def domains(tmp_path):
    """A function that edits a copy of the shipped contracts and compares it with them."""
    shutil.copytree(domains_folder(), tmp_path / "domains")

    def edited(file, *pairs):
        path = tmp_path / "domains" / file
        text = path.read_text()
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new, 1)
        path.write_text(text)
        return [(c.what, c.breaking) for c in compare(read(domains_folder()), read(tmp_path / "domains"))]

    return edited


def column(name, file=RETAIL):
    """The text of one column in the shipped contract."""
    text = (domains_folder() / file).read_text()
    start = text.index(f"      - name: {name}\n")
    ends = [text.find(mark, start + 1) for mark in ("\n      - name: ", "\n    quality:", "\n\n")]
    return text[start : min(end for end in ends if end > 0) + 1]


def test_nothing_edited_is_nothing_said(domains):
    assert domains(RETAIL) == []


def test_a_lowered_classification_breaks(domains):
    old = column("unit_price")
    said = domains(RETAIL, (old, old.replace("classification: confidential", "classification: internal")))
    assert said[0] == ("column unit_price: classification lowered from confidential to internal", True)


def test_a_raised_classification_does_not(domains):
    old = column("quantity")
    said = domains(RETAIL, (old, old.replace("classification: internal", "classification: confidential")))
    assert said == [("column quantity: classification raised from internal to confidential", False)]


def test_a_removed_column_breaks_and_names_the_gold_it_feeds(tmp_path):
    shutil.copytree(domains_folder(), tmp_path / "domains")
    path = tmp_path / "domains" / RETAIL
    path.write_text(path.read_text().replace(column("country"), "", 1))
    found = compare(read(domains_folder()), read(tmp_path / "domains"))
    (removed,) = [c for c in found if c.what == "column country removed"]
    assert removed.breaking
    assert removed.dataset == "sales.online_retail"
    assert removed.file == RETAIL
    assert "revenue_by_country" in removed.gold


def test_a_type_that_holds_less_breaks_and_one_that_holds_more_does_not(domains):
    old = column("revenue", "sales/gold/revenue_by_month.odcs.yaml")
    file = "sales/gold/revenue_by_month.odcs.yaml"
    said = domains(file, ("decimal(28,3)", "decimal(30,3)"))
    assert said == [("column revenue: type widened from decimal(28,3) to decimal(30,3)", False)]
    said = domains(file, ("decimal(30,3)", "decimal(20,3)"))
    assert said[0] == ("column revenue: type narrowed from decimal(28,3) to decimal(20,3)", True)
    assert "decimal(28,3)" in old


def test_a_breaking_change_needs_a_new_major_version(domains):
    old = column("country")
    assert ("breaking, and the version goes only from 1.0.0 to 1.1.0", True) in domains(
        RETAIL, (old, ""), ("version: 1.0.0", "version: 1.1.0")
    )
    assert not any("version" in what for what, _ in domains(RETAIL, ("version: 1.1.0", "version: 2.0.0")))


def test_a_removed_mask_breaks(domains):
    old = column("customer_id")
    bare = "".join(
        line
        for line in old.splitlines(keepends=True)
        if not any(w in line for w in ("customProperties", "pseudonym", "value:"))
    ).replace("classification: personal", "classification: restricted")
    said = domains(RETAIL, (old, bare))
    assert ("column customer_id: no longer masked", True) in said


def test_a_contract_that_goes_and_one_that_comes(tmp_path):
    shutil.copytree(domains_folder(), tmp_path / "domains")
    (tmp_path / "domains" / RETAIL).unlink()
    ours, theirs = read(domains_folder()), read(tmp_path / "domains")
    assert ("dataset removed", True) in [(c.what, c.breaking) for c in compare(ours, theirs)]
    assert ("new dataset", False) in [(c.what, c.breaking) for c in compare(theirs, ours)]


def test_a_wrong_contract_is_refused_with_its_line(tmp_path):
    shutil.copytree(domains_folder(), tmp_path / "domains")
    path = tmp_path / "domains" / RETAIL
    path.write_text(path.read_text().replace("classification: confidential", "classification: sekret", 1))
    with pytest.raises(UsageError) as refused:
        read(tmp_path / "domains")
    assert str(refused.value.where).startswith(f"{path}:")


@pytest.mark.parametrize(
    ("old", "new", "is_wider"),
    [
        ("int", "bigint", True),
        ("bigint", "int", False),
        ("int", "decimal(10,0)", True),
        ("int", "decimal(9,0)", False),
        ("bigint", "decimal(19,0)", True),
        ("decimal(10,2)", "decimal(12,3)", True),
        ("decimal(10,2)", "decimal(11,3)", True),
        ("decimal(10,2)", "decimal(10,3)", False),
        ("bigint", "double", False),
        ("float", "double", True),
        ("date", "timestamp", True),
        ("timestamp", "date", False),
        ("string", "int", False),
    ],
)
def test_what_is_wider(old, new, is_wider):
    assert widens(old, new) is is_wider
