"""No raw value of a personal column is outside the raw zone; where one is planted, it is found."""

from __future__ import annotations

import base64
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pa_parquet
import pytest
from deltalake import DeltaTable, write_deltalake
from hypothesis import given
from hypothesis import strategies as st

from pipelines.bronze.ingest import ingest
from pipelines.contracts import load_domain
from pipelines.engine import Engine
from pipelines.errors import QualityError
from pipelines.gold.build import build
from pipelines.privacy.erase import ErasureRequest, erase
from pipelines.privacy.needles import Needle, Vocabulary, stumps
from pipelines.privacy.scan import scan
from pipelines.privacy.search import search
from pipelines.quality.task import check
from pipelines.secret_references import SecretReference
from pipelines.settings import Layer, RunSettings
from pipelines.silver.refine import refine
from pipelines.sources import find, land

DOMAIN = load_domain("sales")
RETAIL = "online_retail"
CUSTOMER = "17850"
MENTIONED = "2010-12-04.csv"
MENTIONS = "539999,84879,SET 10 CARDS 17850,6,2010-12-04 08:26:00,2.55,13047.0,United Kingdom\n"
"""A delivery in which an article's own name has the number of a customer in it."""


@pytest.fixture(scope="module")
def sales(sail: Engine, tmp_path_factory: pytest.TempPathFactory) -> RunSettings:
    """The first days of a year of real invoices, through bronze, silver, gold and the quality task."""
    if not os.environ.get("LEVEE_DATA"):
        pytest.skip("LEVEE_DATA is not set: no online-retail here")
    folder = tmp_path_factory.mktemp("sales")
    key = folder / "key"
    key.write_text("k" * 64)
    key.chmod(0o600)
    settings = RunSettings(
        domain="sales",
        dataset=RETAIL,
        sources=(RETAIL,),
        roots={layer: str(folder / layer.value) for layer in Layer},
        run_id="first",
        pseudonym_key=SecretReference("file", str(key)),
    )
    days = sorted(find("online-retail").deliveries(os.environ, folder / "cache"))
    head = days[0][1].splitlines()[0]
    land([*days[:3], (MENTIONED, head + b"\n" + MENTIONS.encode())], Path(settings.deliveries(RETAIL)))
    contract = DOMAIN.contract(RETAIL)
    ingest(sail, contract, settings)
    refine(sail, contract, settings)
    check(sail, settings, contract)
    for table in ("revenue_by_customer", "revenue_by_country", "product_performance"):
        build(sail, settings, DOMAIN, DOMAIN.contract(table))
    return settings


def test_nothing_has_left_the_raw_zone(sail: Engine, sales: RunSettings) -> None:
    result = scan(sail, sales, DOMAIN)
    result.raise_if_found()
    assert result.columns == ("cdnow.customer_id", "online_retail.customer_id")
    assert result.values > 200
    assert result.found.files > 40
    assert result.found.coincidences == {"description": 1, "product": 1}


def text_file(path: Path) -> None:
    path.write_text(f"<td>customer {CUSTOMER}</td>")


def encoded_file(path: Path) -> None:
    path.write_text(json.dumps({"who": base64.b64encode(CUSTOMER.encode()).decode()}))


def table_column(path: Path) -> None:
    pa_parquet.write_table(pa.table({"remark": [f"as {CUSTOMER} said"], "n": [1]}), path, compression="zstd")


def column_of_nobodys(path: Path) -> None:
    pa_parquet.write_table(pa.table({"product": ["SET 10 CARDS 17850", "SET 11 CARDS 17850"]}), path)


def number_of_a_personal_column(path: Path) -> None:
    pa_parquet.write_table(pa.table({"customer_id": pa.array([int(CUSTOMER)], pa.int64())}), path)


def wide_text(path: Path) -> None:
    path.write_bytes(f"customer;{CUSTOMER};".encode("utf-16"))


def log_of_a_table_that_is_empty_again(path: Path) -> None:
    """The least and the greatest value of a file that is gone stay in the log."""
    table = path.parents[1]
    write_deltalake(table, pa.table({"who": [CUSTOMER], "n": [1]}))
    for file in table.glob("*.parquet"):
        file.unlink()
    assert path.exists()


def checkpoint_of_such_a_log(path: Path) -> None:
    table = path.parents[1]
    log_of_a_table_that_is_empty_again(path.with_name("00000000000000000000.json"))
    DeltaTable(table).create_checkpoint()
    path.with_name("00000000000000000000.json").unlink()


def name_of_a_file(path: Path) -> None:
    path.write_text("nothing")


@pytest.mark.parametrize(
    ("leak", "place"),
    [
        (log_of_a_table_that_is_empty_again, "silver/sales/old/_delta_log/00000000000000000000.json"),
        (checkpoint_of_such_a_log, "gold/sales/old/_delta_log/00000000000000000000.checkpoint.parquet"),
        (name_of_a_file, f"gold/sales/customer={CUSTOMER}.txt"),
        (text_file, "checkpoints/sales/judged/online_retail/killed/part-0.txt"),
        (text_file, "checkpoints/sales/data_docs/online_retail/kept/extra.html"),
        (text_file, "checkpoints/sales/docs.html"),
        (encoded_file, "audit/sales/runs/x.json"),
        (table_column, "gold/sales/export/part.parquet"),
        (column_of_nobodys, "gold/sales/export/part.parquet"),
        (table_column, "silver/sales/online_retail/part-00000-killed.snappy.parquet"),
        (number_of_a_personal_column, "silver/sales/copy/part.parquet"),
        (wide_text, "gold/sales/export.txt"),
    ],
)
def test_a_leak_is_found(sail: Engine, sales: RunSettings, leak: Callable[[Path], None], place: str) -> None:
    path = Path(sales.roots[Layer.GOLD]).parent / place
    made = next(place for place in (*reversed(path.parents), path) if not place.exists())
    path.parent.mkdir(parents=True, exist_ok=True)
    leak(path)
    try:
        with pytest.raises(QualityError, match=r"outside the raw zone in [12] places") as caught:
            scan(sail, sales, DOMAIN).raise_if_found()
    finally:
        shutil.rmtree(made) if made.is_dir() else made.unlink()
    assert str(path).replace(CUSTOMER, "•••") in str(caught.value)
    assert CUSTOMER not in str(caught.value)


def test_folders_beside_the_lake_are_searched_too(sail: Engine, sales: RunSettings, tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text(f"cannot cast {CUSTOMER}")
    scan(sail, sales, DOMAIN).raise_if_found()
    with pytest.raises(QualityError, match=r"text of .*log[.]txt"):
        scan(sail, sales, DOMAIN, [str(tmp_path)]).raise_if_found()


def test_a_file_that_cannot_be_read_to_its_end_is_no_proof(sail: Engine, sales: RunSettings) -> None:
    path = Path(sales.roots[Layer.GOLD], "sales", "cut.parquet")
    pa_parquet.write_table(pa.table({"n": [1]}), path)
    path.write_bytes(path.read_bytes()[:-8])
    try:
        with pytest.raises(QualityError, match="1 files outside the raw zone cannot be read to their end"):
            scan(sail, sales, DOMAIN).raise_if_found()
    finally:
        path.unlink()


def test_a_customer_of_sales_is_erased(sail: Engine, sales: RunSettings, tmp_path: Path) -> None:
    value = tmp_path / "value"
    value.write_text(CUSTOMER)
    value.chmod(0o600)
    asked = ErasureRequest("shop_customer", SecretReference("file", str(value)), "dpo@example.org")
    silver = sales.table_path(Layer.SILVER, RETAIL)
    before = sail.count(silver)
    certificate = erase(sail, replace(sales, run_id="second"), DOMAIN, asked)
    assert certificate["search"]["found"] == 0
    removed = {one["layer"]: one["rows"] for one in certificate["removed"] if one["layer"] != "landing"}
    assert sail.count(silver) == before - removed["silver"]
    assert removed["silver"] > 100
    assert {one["layer"] for one in certificate["purged"]} == {"bronze", "silver", "quarantine", "gold"}
    scan(sail, sales, DOMAIN).raise_if_found()


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("part-17850-929318b8-bf12-4caf-8603-6144fba138e9-c000.snappy.parquet", 0),
        ("snapshot=000001/snapshot-17850.jsonl.gz", 0),
        ("000002-2024-03-01T000000Z-17850.jsonl", 0),
        ("000002-17850-00001.parquet", 1),
        ("orders-17850.jsonl", 1),
        ("snapshot-17850.jsonlines", 1),
    ],
)
def test_the_numbers_of_files_are_nobodys(tmp_path: Path, name: str, found: int) -> None:
    (tmp_path / "log.json").write_text(json.dumps({"_file": name}))
    assert search([str(tmp_path)], Vocabulary([CUSTOMER])).found == found


@pytest.mark.parametrize(
    ("text", "found"), [("<br>17850 unexpected values found. 3%", 0), ("17850, unexpected values found.", 1)]
)
def test_how_many_values_were_unexpected_is_nobodys(tmp_path: Path, text: str, found: int) -> None:
    (tmp_path / "docs.html").write_text(text)
    assert search([str(tmp_path)], Vocabulary([CUSTOMER])).found == found


LONG = "ann.maria.smith-of-the-very-long-name.indeed@customers.example.org"


@pytest.mark.parametrize("order", [(LONG, "~"), ("!", LONG)])
def test_what_a_log_keeps_of_a_long_value_is_found(sail: Engine, tmp_path: Path, order: tuple[str, str]) -> None:
    """As the least or the greatest of a file's values it is cut, by Sail and by delta-rs; by Spark to half of it."""
    table = tmp_path / "table"
    sail.ensure(str(table), pa.schema([("who", pa.string())]))
    sail.insert(str(table), sail.frame(pa.table({"who": list(order)})))
    for file in table.glob("*.parquet"):
        file.unlink()
    assert LONG.encode() not in b"".join(file.read_bytes() for file in table.rglob("*.json"))
    for finder, cut in (
        (Needle((LONG,)), Needle(tuple(stumps(LONG)))),
        (Vocabulary([LONG]), Vocabulary([*stumps(LONG)])),
    ):
        assert search([str(tmp_path)], finder).found == 0
        assert search([str(tmp_path)], finder, in_logs=cut).found > 0


def test_what_spark_keeps_of_a_long_value_is_found(tmp_path: Path) -> None:
    log = tmp_path / "table" / "_delta_log" / "00000000000000000000.json"
    log.parent.mkdir(parents=True)
    for least, greatest in ((LONG[:32], "~"), ("!", LONG[:32] + "\U0010ffff")):
        stats = json.dumps({"minValues": {"who": least}, "maxValues": {"who": greatest}}, ensure_ascii=False)
        log.write_text(json.dumps({"add": {"path": "x", "stats": stats}}))
        assert search([str(tmp_path)], Needle((LONG,)), in_logs=Needle(tuple(stumps(LONG)))).found > 0


class TestNeedles:
    """Values in bytes."""

    @pytest.mark.parametrize("data", [b"17850", b"a,17850.0,b", b"\x0517850\x05", b"<td>17850</td>"])
    def test_a_value_of_its_own_is_found(self, data: bytes) -> None:
        assert list(Needle((CUSTOMER,)).found(data)) == [(CUSTOMER, "utf-8")]
        assert list(Vocabulary([CUSTOMER]).found(data)) == [(CUSTOMER, "utf-8")]

    @pytest.mark.parametrize("data", [b"117850", b"17850a", b"1785", b"a17850", b"0.17850% unexpected"])
    def test_a_part_of_another_is_not(self, data: bytes) -> None:
        assert list(Needle((CUSTOMER,)).found(data)) == []
        assert list(Vocabulary([CUSTOMER]).found(data)) == []

    @given(st.binary(max_size=20), st.binary(max_size=20), st.sampled_from(["17850", "ann@example.org", "Ann Lee"]))
    def test_base64_is_found_at_every_alignment(self, before: bytes, after: bytes, value: str) -> None:
        data = base64.b64encode(before + value.encode() + after)
        assert (value, "base64") in list(Needle((value,)).found(b"0 " + data))

    @given(st.text(st.characters(codec="utf-8"), min_size=4, max_size=12))
    def test_hexadecimal_and_utf_16_are_found(self, value: str) -> None:
        for form, data in (("hexadecimal", value.encode().hex().encode()), ("utf-16-le", value.encode("utf-16-le"))):
            assert form in {found for _, found in Needle((value,)).found(b"x" + data + b"x")}
