"""Globs, and fields in the names of folders."""

from __future__ import annotations

import pytest

from pipelines.bronze.folders import folder_fields
from pipelines.contracts.extensions import Ingestion
from pipelines.globs import matches


@pytest.mark.parametrize(
    ("glob", "taken", "left"),
    [
        ("*.csv", ["a.csv", "x/y/a.csv"], ["a.csv.gz", "acsv", "a.csv/b"]),
        ("**/*.csv", ["a.csv", "x/a.csv", "x/y/a.csv"], ["a.txt"]),
        ("x/*.csv", ["x/a.csv"], ["a.csv", "x/y/a.csv", "y/x/a.csv"]),
        ("x/**", ["x/a", "x/y/b"], ["x", "y/a"]),
        ("x/**/b?.[ch]*", ["x/b1.csv", "x/y/z/bb.h"], ["x/b.csv", "x/b1.txt"]),
        ("[!a]*", ["b", "x/b"], ["a", "x/a"]),
        ("dt=*/part+1(.csv)", ["dt=1/part+1(.csv)"], ["dt=1/partt1.csv"]),
        ("[", ["["], ["a"]),
        ("*", ["a", "x/a"], []),
    ],
)
def test_globs(glob: str, taken: list[str], left: list[str]) -> None:
    assert [name for name in [*taken, *left] if matches(name, glob)] == taken


@pytest.mark.parametrize(
    ("said", "taken", "left"),
    [
        ({"format": "csv"}, ["a.csv", "a.csv.gz", "x/a.csv.zst"], ["a.csv.zip", "a.json"]),
        ({"format": "jsonl"}, ["a.jsonl", "a.ndjson.bz2"], ["a.json"]),
        ({"format": "json", "compression": "none"}, ["a.json"], ["a.json.gz"]),
        ({"format": "parquet"}, ["a.parquet"], ["a.parquet.gz"]),
        ({"format": "avro", "glob": "in/*"}, ["in/a"], ["a.avro"]),
    ],
)
def test_a_format_has_a_glob(said: dict[str, str], taken: list[str], left: list[str]) -> None:
    ingestion = Ingestion.model_validate(said)
    assert [name for name in [*taken, *left] if ingestion.takes(name)] == taken


def test_folders_tell_what_the_contract_names() -> None:
    name = "dt=2024-01-01/city=a%2Fb%3Dc/none=__HIVE_DEFAULT_PARTITION__/other=1/=x/k=f.csv"
    assert folder_fields(name, ("dt", "city", "none", "k")) == {"dt": "2024-01-01", "city": "a/b=c", "none": None}
    assert folder_fields("a.csv", ("dt",)) == {}
