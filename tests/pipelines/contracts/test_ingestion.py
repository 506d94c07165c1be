"""What a contract says of its files and cannot mean is refused, with the line of the key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.contracts import load_contract
from pipelines.errors import ContractError

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: things
version: 1.0.0
status: draft
domain: test
schema:
- name: things
  properties:
  - {{name: a, logicalType: string, classification: internal, transformSourceObjects: [{first}]}}
  - {{name: b, logicalType: string, classification: internal, transformSourceObjects: [{second}]}}
customProperties:
- {{property: layer, value: source}}
- property: ingestion
  value:
    format: {form}
    {key}: {value}
"""


def load(folder: Path, form: str, key: str, value: str, first: str = "a", second: str = "b") -> Any:
    path = folder / "things.odcs.yaml"
    path.write_text(CONTRACT.format(form=form, key=key, value=value, first=first, second=second))
    return load_contract(path)


@pytest.mark.parametrize(
    ("form", "key", "value", "message"),
    [
        ("parquet", "delimiter", '";"', "ingestion.delimiter: it says nothing about parquet, only about csv"),
        ("jsonl", "header", "none", "ingestion.header: it says nothing about jsonl, only about csv"),
        ("avro", "quote", '"\'"', "ingestion.quote: it says nothing about avro, only about csv"),
        ("parquet", "compression", "gzip", "files of this format say themselves how they are compressed"),
        ("avro", "encoding", "latin-1", "ingestion.encoding: it says nothing about avro"),
        ("json", "splitBytes", "1000000", "ingestion.splitBytes: it says nothing about json, only about csv, jsonl"),
        ("csv", "envelope", "debezium", "ingestion.envelope: it says nothing about csv, only about json, jsonl, avro"),
        ("parquet", "envelope", "debezium", "ingestion.envelope: it says nothing about parquet"),
        ("jsonl", "sequence", "[source.pos]", "ingestion.sequence: it is a path in an envelope, and there is none"),
        ("jsonl", "sequence", '["source..pos"]', "ingestion.sequence.0: "),
        ("csv", "encoding", "klingon", "ingestion.encoding: 'klingon' is no encoding"),
        ("csv", "delimiter", '";;"', "ingestion.delimiter: ';;' is not one ASCII character"),
        ("csv", "delimiter", "'\"'", "ingestion.quote: the delimiter is the quote character, too"),
        ("csv", "quote", "é", "ingestion.quote: 'é' is not one ASCII character"),
        ("csv", "splitBytes", "1000", "ingestion.splitBytes: Input should be greater than or equal to 65536"),
        ("csv", "drift", "ignore", "ingestion.drift: Input should be 'fail', 'add' or 'rescue'"),
        ("orc", "glob", "'*'", "ingestion.format: Input should be 'csv', 'json', 'jsonl', 'parquet' or 'avro'"),
    ],
)
def test_nonsense_is_refused_where_it_stands(tmp_path: Path, form: str, key: str, value: str, message: str) -> None:
    with pytest.raises(ContractError) as raised:
        load(tmp_path, form, key, value)
    assert message in raised.value.message
    line = 16 if form == "orc" else 17 if f".{key}" in raised.value.message else 15
    assert raised.value.where == f"{tmp_path / 'things.odcs.yaml'}:{line}"


def test_a_compressed_text_is_not_split(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"compressed as a whole \(gzip\) is read in one piece") as raised:
        load(tmp_path, "csv", "splitBytes", "100000\n    compression: gzip")
    assert raised.value.fix is not None
    assert load(tmp_path, "csv", "splitBytes", "100000\n    compression: auto").ingestion.split_bytes == 100_000


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ("a", "_line", "column b is made from '_line', which is a column of Levee's own in bronze"),
        ("Name", "NAME", "another source field differs by case alone"),
    ],
)
def test_names_that_bronze_cannot_give_its_columns(tmp_path: Path, first: str, second: str, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        load(tmp_path, "csv", "glob", "'*'", first, second)


def test_what_is_meant_is_read(tmp_path: Path) -> None:
    ingestion = load(tmp_path, "avro", "envelope", "debezium\n    sequence: [source.pos]\n    drift: add").ingestion
    assert (ingestion.envelope, ingestion.sequence, ingestion.drift) == ("debezium", ("source.pos",), "add")
