"""The masking methods are pure functions: what they keep, what they hide, and that batches do not matter."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.contracts.extensions.masking import METHODS as SPECS
from pipelines.contracts.extensions.masking import Masking
from pipelines.errors import PipelineError
from pipelines.privacy import free_text
from pipelines.privacy.keys import derived, key_id
from pipelines.privacy.methods import METHODS, Context, mask
from pipelines.privacy.tokens import token

KEY = b"0123456789abcdef" * 4
OTHER = b"fedcba9876543210" * 4


def masked(values: list[Any], subjects: list[str | None] | None = None, *, kind: pa.DataType, **how: Any) -> list[Any]:
    context = Context(KEY, None if subjects is None else pa.array(subjects, pa.string()))
    return mask(pa.array(values, kind), Masking.model_validate(how), context).to_pylist()


def test_every_method_of_contracts_has_its_function() -> None:
    assert METHODS.keys() == SPECS.keys()


@pytest.mark.parametrize(
    ("how", "complaint"),
    [
        ({"method": "hash", "text": "x"}, "hash does not take text; it takes characters"),
        ({"method": "generalise"}, "exactly one of band, prefix, to"),
        ({"method": "generalise", "to": "year", "band": 5}, "exactly one of"),
        ({"method": "shift"}, "shift wants by"),
        ({"method": "generalise", "prefix": 3, "ceiling": 90}, "ceiling goes with band"),
        ({"method": "rot13"}, "Input should be"),
    ],
)
def test_options_that_do_not_fit_are_refused(how: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Masking.model_validate(how)


@pytest.mark.parametrize(
    ("how", "types"),
    [
        ({"method": "hash"}, {"string"}),
        ({"method": "generalise", "to": "month"}, {"date", "timestamp"}),
        ({"method": "generalise", "prefix": 3}, {"string"}),
        ({"method": "redact", "text": "gone"}, {"string"}),
    ],
)
def test_types_follow_the_options(how: dict[str, Any], types: set[str]) -> None:
    assert Masking.model_validate(how).types == types


class TestToken:
    """A permutation of the texts of one form."""

    @given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
    def test_keeps_the_form(self, value: str) -> None:
        made = token(KEY[:32], value)
        assert len(made) == len(value)
        for old, new in zip(value, made, strict=True):
            assert (old.isdecimal(), old.isupper(), old.islower(), old.isalnum()) == (
                new.isdecimal(),
                new.isupper(),
                new.islower(),
                new.isalnum(),
            )
            assert old.isalnum() or old == new
        assert token(KEY[:32], value) == made

    @pytest.mark.parametrize("form", ["{:03d}", "-{:02d}/{:01d}"])
    def test_gives_no_token_twice(self, form: str) -> None:
        values = [form.format(n) if form.count("{") == 1 else form.format(n // 10, n % 10) for n in range(1000)]
        tokens = {token(KEY[:32], value) for value in values}
        assert tokens == set(values)  # every text of the form is the token of exactly one
        assert sum(token(KEY[:32], value) == value for value in values) < 10

    @given(st.lists(st.text("abcXYZ019-. é", min_size=1, max_size=12), unique=True))
    def test_different_values_have_different_tokens(self, values: list[str]) -> None:
        assert len({token(KEY[:32], value) for value in values}) == len(values)

    def test_another_key_gives_other_tokens(self) -> None:
        assert token(derived(KEY, "token"), "17850") != token(derived(OTHER, "token"), "17850")


def test_redaction() -> None:
    assert masked(["a", None], kind=pa.string(), method="redact") == [None, None]
    assert masked(["a", None], kind=pa.string(), method="redact", text="gone") == ["gone", "gone"]
    assert masked([1, 2], kind=pa.int32(), method="redact") == [None, None]


def test_generalisation() -> None:
    days = [date(2011, 1, 5), None]
    assert masked(days, kind=pa.date32(), method="generalise", to="month") == [date(2011, 1, 1), None]
    moment = [datetime(2011, 7, 5, 10, 3, tzinfo=UTC)]
    year = masked(moment, kind=pa.timestamp("us", "UTC"), method="generalise", to="year")
    assert year == [datetime(2011, 1, 1, tzinfo=UTC)]
    ages = [0, 9, 10, 89, 90, 104, None]
    assert masked(ages, kind=pa.int32(), method="generalise", band=10, ceiling=90) == [0, 0, 10, 80, 90, 90, None]
    money = [Decimal("-0.50"), Decimal("7.49"), Decimal("7.50")]
    banded = masked(money, kind=pa.decimal128(9, 2), method="generalise", band=2.5)
    assert banded == [Decimal("-2.50"), Decimal("5.00"), Decimal("7.50")]
    assert masked(["SW1A 2AA", "E1"], kind=pa.string(), method="generalise", prefix=3) == ["SW1", "E1"]


class TestShift:
    """Each subject's dates move by days of its own."""

    @given(st.dates(date(1950, 1, 1), date(2090, 1, 1)), st.integers(0, 5000), st.text(min_size=1), st.integers(1, 400))
    def test_intervals_stay_and_no_date_does(self, first: date, later: int, subject: str, most: int) -> None:
        second = date.fromordinal(first.toordinal() + later)
        how = {"method": "shift", "by": "id", "days": most}
        a, b = masked([first, second], [subject, subject], kind=pa.date32(), **how)
        assert (b - a).days == later
        assert 1 <= abs((a - first).days) <= most

    def test_times_move_by_whole_days_and_subjects_differently(self) -> None:
        when = datetime(2011, 1, 5, 10, 3, tzinfo=UTC)
        how = {"method": "shift", "by": "id"}
        subjects = [*(str(n) for n in range(50)), None]
        made = masked([when] * 51, subjects, kind=pa.timestamp("us", "UTC"), **how)
        assert made.pop() is None
        assert {moment.time() for moment in made} == {when.time()}
        assert len(set(made)) > 30


def test_free_text_loses_what_has_a_form_and_keeps_names() -> None:
    pytest.importorskip("presidio_analyzer")
    text = "Ann Lee, ann@example.co.uk or +44 20 7946 0958, card 4111 1111 1111 1111"
    found = masked([text, None, "tea"], kind=pa.string(), method="detect")
    assert found == ["Ann Lee, <EMAIL_ADDRESS> or <PHONE_NUMBER>, card <CREDIT_CARD>", None, "tea"]
    only = masked([text], kind=pa.string(), method="detect", entities=["CREDIT_CARD"])
    assert only == [text.replace("4111 1111 1111 1111", "<CREDIT_CARD>")]
    with pytest.raises(PipelineError, match="no pattern finds PERSON"):
        masked([text], kind=pa.string(), method="detect", entities=["PERSON"])


def test_free_text_without_its_packages_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(free_text, "find_spec", lambda name: None)
    with pytest.raises(PipelineError, match="presidio-analyzer is not installed") as caught:
        free_text.require()
    assert "levee-pipelines[text]" in (caught.value.fix or "")


VALUES = st.lists(st.one_of(st.none(), st.text(max_size=8)), max_size=30)


@given(VALUES, st.integers(0, 30), st.sampled_from([{"method": "hash"}, {"method": "token"}]))
def test_masks_do_not_depend_on_batches(values: list[str | None], cut: int, how: dict[str, Any]) -> None:
    whole = masked(values, kind=pa.string(), **how)
    assert masked(values[:cut], kind=pa.string(), **how) + masked(values[cut:], kind=pa.string(), **how) == whole


def test_a_key_is_told_by_its_id() -> None:
    assert key_id(KEY) == key_id(KEY) != key_id(OTHER)
    assert key_id(KEY).encode() not in KEY
