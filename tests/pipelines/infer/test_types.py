"""Types, null texts and forms of personal data: what is inferred of texts, and that silver can cast what was seen."""

from __future__ import annotations

import re
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.infer.personal import is_card, is_iban, suspicion
from pipelines.infer.profile import column_names, null_texts
from pipelines.infer.sample import Sample
from pipelines.infer.types import PATTERNS, guess
from pipelines.silver.typing import date_pattern, grammar


@pytest.mark.parametrize(
    ("texts", "type_", "pattern"),
    [
        (["1", "-20", "300"], "int", None),
        (["400000000"], "bigint", None),
        (["99999999999999999999"], "decimal(38,0)", None),
        (["007", "12"], "string", None),
        (["1", "2.5", ".25"], "decimal(18,2)", None),
        (["1234567890123456.789"], "decimal(38,3)", None),
        (["1.5", "2e10"], "double", None),
        (["true", "False"], "boolean", None),
        (["2026-01-31", "2025-12-01"], "date", None),
        (["2026-02-30"], "string", None),
        (["2026-01-31T10:00:00Z", "2026-01-31 10:00"], "timestamp", None),
        (["31/01/2026", "01/02/2026"], "date", "dd/MM/yyyy"),
        (["01/31/2026", "01/02/2026"], "date", "MM/dd/yyyy"),
        (["1.2.2026", "31.12.2026"], "date", "d.M.yyyy"),
        (["12/1/2010 8:26", "12/31/2010 17:05"], "timestamp", "M/d/yyyy H:mm"),
        (["31/01/2026 25:00"], "string", None),
        (["a", "1"], "string", None),
        ([], "string", None),
    ],
)
def test_the_narrowest_type_that_fits(texts: list[str], type_: str, pattern: str | None) -> None:
    found = guess(texts)
    assert (found.type, found.format) == (type_, pattern)


def test_what_could_be_a_month_as_well_is_told() -> None:
    assert "MM/dd/yyyy fits, too" in guess(["01/02/2026", "03/04/2026"]).remark
    assert guess(["31/01/2026"]).remark == ""


TEXTS = st.one_of(
    st.integers(-(10**20), 10**20).map(str),
    st.decimals(allow_nan=False, allow_infinity=False, places=4).map(lambda value: f"{value:f}"),
    st.floats(allow_nan=False, allow_infinity=False).map(str),
    st.dates(min_value=date(1000, 1, 1)).map(str),
    st.datetimes(min_value=datetime(1000, 1, 1)).map(lambda value: value.strftime("%d/%m/%Y %H:%M")),
    st.booleans().map(str),
    st.text(max_size=8),
)


@given(st.lists(TEXTS, min_size=1, max_size=5) | st.lists(st.dates().map(lambda day: day.strftime("%d.%m.%Y"))))
def test_silver_reads_every_text_that_a_type_was_inferred_from(texts: list[str]) -> None:
    found = guess(texts)
    if found.type in ("string", "boolean"):
        return
    regex = date_pattern(found.format, "").regex if found.format else grammar(found.type, "")
    for text in texts:
        assert re.search(regex, text.strip()), (found, text)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_pattern_is_one_that_silver_reads(pattern: str) -> None:
    assert date_pattern(pattern, "column").regex


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("customer_id", ["1"], "number of a person"),
        ("contact", ["ann@example.org", "-"], "e-mail address"),
        ("where_to", ["DE89 3704 0044 0532 0130 00"], "bank account"),
        ("token", ["4111 1111 1111 1111", "5500005555555559"], "payment card"),
        ("call", ["+49 30 901820", "+44 20 7946 0958"], "telephone number"),
        ("seen_from", ["192.0.2.1", "198.51.100.7"], "internet address"),
        ("birth_date", ["1980-01-01"], "date of birth"),
        ("stock_code", ["85123A", "71053"], None),
        ("invoice_no", ["536365", "536366"], None),
        ("country", ["United Kingdom", "France"], None),
        ("version", ["1.2.3.4", "1.0", "2.0", "3.1"], None),
    ],
)
def test_who_is_told_of(name: str, values: list[str], kind: str | None) -> None:
    found = suspicion(name, values)
    assert (found.kind if found else None) == kind


def test_an_address_amid_words_makes_free_text() -> None:
    texts = [f"please call back about order {number}" for number in range(300)]
    assert suspicion("note", texts) is None
    found = suspicion("note", [*texts, "write to ann@example.org please, thanks"])
    assert found
    assert (found.kind, found.free_text) == ("e-mail address", True)


def test_presidio_finds_what_no_form_of_ours_says() -> None:
    pytest.importorskip("presidio_analyzer")
    texts = [f"order number {number} was fine" for number in range(20)]
    assert suspicion("note", texts) is None
    found = suspicion("note", [*texts, "please call me at (415) 555-0132 soon, thanks"])
    assert found
    assert (found.kind, found.free_text) == ("telephone number", True)


@given(st.integers(10**12, 10**15 - 1))
def test_luhn_takes_one_check_digit_in_ten(number: int) -> None:
    text = f"4{number}"
    assert sum(is_card(f"{text}{digit}") for digit in range(10)) == (1 if len(text) + 1 <= 19 else 0)


def test_an_iban_with_two_digits_swapped_is_none() -> None:
    assert is_iban("GB82WEST12345698765432")
    assert not is_iban("GB82WEST12345698765423")
    assert not is_iban("GB82")


def test_names_become_snake_case_and_stay_different() -> None:
    assert column_names(["InvoiceNo", "Stock Code", "stock-code", "2nd", "Größe", "ID", "HTTPStatus", "€"]) == {
        "InvoiceNo": "invoice_no",
        "Stock Code": "stock_code",
        "stock-code": "stock_code_2",
        "2nd": "column_2nd",
        "Größe": "groe",
        "ID": "id",
        "HTTPStatus": "http_status",
        "€": "column",
    }


def test_a_text_means_null_where_it_keeps_numbers_from_being_numbers() -> None:
    def nulls(**fields: list[str]) -> tuple[str, ...]:
        return null_texts(Sample(fields, {}, {}, True, ""))

    assert nulls(amount=["1", "NA", "2"]) == ("", "NA")
    assert nulls(amount=["1", "NA"], country=["NA", "DE"]) == ("",), "Namibia"
    assert nulls(country=["NULL", "DE"]) == ("", "NULL")
    assert nulls(country=["None", "DE"]) == ("",)
