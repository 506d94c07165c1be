"""Corrected records as deliveries: the same record in every dialect, or a refusal."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.errors import UsageError
from pipelines.quarantine.correction import Correction, check_correctable, check_fields, content_of, name_of

if TYPE_CHECKING:
    from tests.pipelines.conftest import MakeContract

ID = "0123456789abcdef"
WAS = Correction(ID, "2024.csv", b"x,Bob,1.00\n", {"id": "x", "name": "Bob", "price": "1.00"}, {"id": "2"})


@pytest.mark.parametrize(
    ("ingestion", "file", "content"),
    [
        ({"format": "csv"}, "2024.csv", b"id,name,price\n2,Bob,1.00\n"),
        ({"format": "csv", "delimiter": ";", "header": "none"}, "a/b.csv", b"2;Bob;1.00\n"),
        ({"format": "csv", "delimiter": "whitespace", "header": "skip"}, "b.csv", b"id name price\n2 Bob 1.00\n"),
        ({"format": "csv", "encoding": "utf-16-le"}, "c.csv", "id,name,price\n2,Bob,1.00\n".encode("utf-16-le")),
    ],
)
def test_a_record_is_written_as_the_contract_reads_it(
    make_contract: MakeContract, ingestion: dict[str, str], file: str, content: bytes
) -> None:
    contract = make_contract(ingestion=ingestion)
    correction = replace(WAS, file=file)
    name = name_of(correction, contract)
    assert name == file.replace(".csv", f"-correction-{ID}-1.csv")
    assert content_of(correction, contract, name) == content


def test_json_keeps_what_is_not_corrected(make_contract: MakeContract) -> None:
    contract = make_contract(ingestion={"format": "jsonl"})
    raw = b'{"id": "x", "name": "Bob", "price": 1.00, "more": {"a": [1e3]}}'
    fields = {"id": "x", "name": "Bob", "price": "1.00", "more": '{"a":[1000]}'}
    correction = Correction(ID, "f.jsonl", raw, fields, {"id": "2"})
    content = content_of(correction, contract, name_of(correction, contract))
    assert json.loads(content) == {"id": 2, "name": "Bob", "price": 1.0, "more": {"a": [1000]}}
    assert b"1.00" in content
    assert content.endswith(b"\n")


def test_fields_by_a_path_are_set_where_they_are(make_contract: MakeContract) -> None:
    told = {"name": "city", "logicalType": "string", "transformSourceObjects": ["address.city"]}
    contract = make_contract({"name": "id", "logicalType": "integer", "physicalType": "int"}, told,
                             ingestion={"format": "json"})  # fmt: skip
    raw = b'{"id": 1, "address": {"city": "?", "zip": "1"}}'
    correction = Correction(ID, "f.json", raw, {"id": "1", "address.city": "?"}, {"address.city": "Bern"})
    content = content_of(correction, contract, name_of(correction, contract))
    assert json.loads(content) == {"id": 1, "address": {"city": "Bern", "zip": "1"}}


def test_a_correction_is_named_by_record_and_number(make_contract: MakeContract) -> None:
    contract = make_contract()
    again = replace(WAS, file=f"d/2024-correction-{'f' * 16}-3.csv.gz", number=2)
    name = name_of(again, contract)
    assert name == f"d/2024-correction-{ID}-2.csv.gz"
    assert gzip.decompress(content_of(again, contract, name)) == b"id,name,price\n2,Bob,1.00\n"
    dated = make_contract(ingestion={"format": "csv", "glob": "20??-*.csv"})
    assert name_of(replace(WAS, file="2024-01.csv"), dated) == f"2024-01-correction-{ID}-1.csv"
    starred = make_contract(ingestion={"format": "csv", "glob": "in/*.txt"})
    assert name_of(replace(WAS, file="in/1.txt"), starred) == f"in/1-correction-{ID}-1.txt"
    fixed = make_contract(ingestion={"format": "csv", "glob": "2024.csv"})
    with pytest.raises(UsageError, match="takes no name"):
        name_of(WAS, fixed)


@pytest.mark.parametrize(
    ("correction", "said"),
    [
        (replace(WAS, edits={"colour": "red"}), "has no field 'colour'"),
        (replace(WAS, edits={"id": "x"}), "changes nothing"),
        (replace(WAS, raw=None, fields={}), "nothing is known of name, price"),
        (replace(WAS, file="id=x/2024.csv"), "id is told by the folder"),
    ],
)
def test_what_cannot_be_corrected_is_refused(make_contract: MakeContract, correction: Correction, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        check_fields(correction, make_contract())


def test_datasets_that_take_no_single_record_are_refused(make_contract: MakeContract) -> None:
    snapshots = {"type": 2, "businessKey": ["id"], "deliveries": "snapshots"}
    for custom, said in (
        ({"ingestion": {"format": "parquet"}}, "parquet is no text"),
        ({"history": snapshots}, "each delivery is the whole table"),
        ({"ingestion": {"format": "jsonl", "envelope": "debezium"}}, "a database's changes"),
    ):
        with pytest.raises(UsageError, match=said):
            check_correctable(make_contract(**custom))


def test_what_the_format_cannot_say_is_refused_and_not_repeated(make_contract: MakeContract) -> None:
    for ingestion, value in (
        ({"format": "csv", "delimiter": "whitespace", "quote": None}, "two words"),
        ({"format": "csv", "encoding": "latin-1"}, "Łukasz"),
        ({"format": "csv", "quote": None}, "a,b"),
        ({"format": "csv", "delimiter": "whitespace"}, "a\tb"),  # only reading it back tells
    ):
        with pytest.raises(UsageError, match="cannot be written as csv") as refused:
            content_of(replace(WAS, edits={"name": value}), make_contract(ingestion=ingestion), "2024.csv")
        assert value not in str(refused.value)


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=TEXTS, price=TEXTS, form=st.sampled_from(["csv", "json", "jsonl"]))
def test_any_text_is_read_back_or_refused(make_contract: MakeContract, name: str, price: str, form: str) -> None:
    """`content_of` reads back what it wrote; texts that csv or JSON can say at all are never refused."""
    contract = make_contract(ingestion={"format": form})
    correction = Correction(ID, f"f.{form}", None, {}, {"id": "1", "name": name, "price": price})
    plain = not {"\r", "\n"} & set(name + price)
    try:
        assert content_of(correction, contract, f"g.{form}")
    except UsageError:
        assert not plain
