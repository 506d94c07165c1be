"""JSON documents and JSON lines: exact texts, malformed records, documents of any length."""

from __future__ import annotations

import bz2
import gc
import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.bronze.formats import json_document, octets, records
from pipelines.bronze.formats.form import Form
from pipelines.bronze.formats.json_document import JsonFormat
from pipelines.bronze.formats.json_lines import JsonLinesFormat
from pipelines.bronze.formats.octets import Text

if TYPE_CHECKING:
    from conftest import Reading

LINES = JsonLinesFormat(fields=("a", "b"))
DOCUMENT = JsonFormat(fields=("a", "b"))


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ('"x"', "x"),
        ('""', ""),
        ("null", None),
        ("true", "true"),
        ("12", "12"),
        ("-0", "-0"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("1.50", "1.50"),
        ("1e3", "1000"),
        ("-2.5E-3", "-0.0025"),
        ("1e999999", "1e999999"),
        ('{"z": 1, "a": [1.10, null, "é"]}', '{"a":[1.10,null,"é"],"z":1}'),
        ("[]", "[]"),
        (r'"A😀"', "A😀"),
    ],
)
def test_values_have_one_text(reading: Reading, written: str, text: str | None) -> None:
    for data, form in ((f'{{"a": {written}}}\n', LINES), (f'[{{"a": {written}}}]', DOCUMENT)):
        assert reading.fields(reading.parse(data.encode(), form), ["a", "b"]) == [(text, None)]


def test_lines_keep_their_bytes_and_numbers(reading: Reading) -> None:
    data = b'\xef\xbb\xbf{"a": 1}\r\n\n  {"b":"x", "c": {"k": 2}}\n{"a": "last"}'
    read = reading.parse(data, LINES)
    assert reading.fields(read, ["a", "b", "_line"]) == [("1", None, 1), (None, "x", 3), ("last", None, 4)]
    assert read["_raw"].to_pylist() == [b'\xef\xbb\xbf{"a": 1}\r\n', b'  {"b":"x", "c": {"k": 2}}\n', b'{"a": "last"}']
    assert read["_rescued"].to_pylist() == [None, '{"c":{"k":2}}', None]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b'{"a": 1', "not-json"),
        (b'{"a": 1} {"a": 2}', "not-json"),
        (b'{"a": NaN}', "not-json"),
        (b'{"a": 1, "a": 2}', "not-json"),
        (b'{"b": {"k": 1, "k": 1}}', "not-json"),
        (b"[" * 100_000, "not-json"),
        (b"[1]", "not-an-object"),
        (b"null", "not-an-object"),
        (b"5", "not-an-object"),
        (b'{"a": "caf\xe9"}', "undecodable"),
        (rb'{"a": "\ud800"}', "undecodable"),
    ],
)
def test_a_bad_line_is_a_bad_record_and_no_bad_file(reading: Reading, line: bytes, kind: str) -> None:
    read = reading.parse(b'{"a": 1}\n' + line + b'\n{"a": 3}\n', LINES)
    assert reading.kinds(read) == [None, kind, None]
    assert reading.fields(read, ["a"]) == [("1",), (None,), ("3",)]
    assert read["_raw"][1].as_py() == line + b"\n"


def test_paths_reach_into_nested_objects_and_the_rest_is_rescued(reading: Reading) -> None:
    form = JsonLinesFormat(fields=("address.city", "address.geo.lat", "x.y"))
    data = b'{"address": {"city": "Ulm", "zip": "89073", "geo": {"lat": 48.40}}, "x.y": 1}\n{"address": "none"}\n'
    read = reading.parse(data, form)
    assert reading.fields(read, form.fields) == [("Ulm", "48.40", "1"), (None, None, None)]
    assert read["_rescued"].to_pylist() == ['{"address":{"zip":"89073"}}', '{"address":"none"}']


scalar = st.none() | st.booleans() | st.integers() | st.text(max_size=4)
document = st.lists(st.dictionaries(st.text(max_size=3), scalar | st.lists(scalar, max_size=3), max_size=4), max_size=9)


@settings(deadline=None)
@given(document, st.sampled_from([None, 1]), st.sampled_from(["utf-8", "utf-16", "latin-1"]), st.integers(1, 9))
def test_an_array_is_its_lines(
    reading: Reading, content: list[dict[str, Any]], indent: int | None, encoding: str, window: int
) -> None:
    text = json.dumps(content, indent=indent, ensure_ascii=encoding == "latin-1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_document, "WINDOW", window)
        whole = reading.parse(text.encode(encoding, "surrogatepass"), JsonFormat(fields=("a",), text=Text(encoding)))
    lines = "".join(json.dumps(item) + "\n" for item in content)
    read = reading.parse(lines.encode(), JsonLinesFormat(fields=("a",)))
    assert reading.fields(whole, ["a", "_rescued", "_line"]) == reading.fields(read, ["a", "_rescued", "_line"])
    assert [json.loads(raw.decode(encoding)) for raw in whole["_raw"].to_pylist()] == content


def test_one_object_is_one_record(reading: Reading) -> None:
    assert reading.fields(reading.parse(b'\n{"a": 1, "b": 2}\n', DOCUMENT), ["a", "b", "_line"]) == [("1", "2", 1)]
    assert reading.parse(b" [ ] ", DOCUMENT).num_rows == 0


def test_records_of_a_document_are_malformed_alone(reading: Reading) -> None:
    read = reading.parse(b'[{"a": 1}, 5, {"a": 1, "a": 2}, {"a": Infinity}, {"a": 4}]', DOCUMENT)
    assert reading.kinds(read) == [None, "not-an-object", "not-json", "not-json", None]
    assert read["_raw"].to_pylist()[2] == b'{"a": 1, "a": 2}'


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'[{"a": 1}, {"a": ', "not-json: cut off or no JSON"),
        (b'[{"a": 1}', "truncated: a comma or the end of the array is missing"),
        (b'[{"a": 1} {"a": 2}]', "not-json: a comma or the end of the array is missing, character 11"),
        (b'[{"a": 1},]', "not-json: cut off or no JSON"),
        (b'{"a": 1}\n{"a": 2}\n', "not-json: text stands behind the document, character 10; is it `jsonl`?"),
        (b"a,b\n1,2\n", "not-json: it begins with 'a'"),
        (b"", "truncated: the file is empty"),
        (b" \n", "truncated: there is nothing in it"),
        (b'["caf\xe9"]', "undecodable: "),
        (b"[" * 100_000, "not-json: nested too deeply"),
    ],
)
def test_a_broken_document_is_told_before_a_row_is_read(
    reading: Reading, tmp_path: Path, data: bytes, reason: str
) -> None:
    problem = reading.look(tmp_path, data, DOCUMENT).problem
    assert problem is not None
    assert problem.startswith(reason)


def test_memory_is_bounded_by_the_longest_record(
    reading: Reading, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_document, "WINDOW", 16)
    monkeypatch.setattr(json_document, "MAX_RECORD_BYTES", 64)
    monkeypatch.setattr(records, "BATCH_RECORDS", 7)
    many = b"[" + b", ".join(b'{"a": "%d"}' % n for n in range(200)) + b"]"
    assert reading.parse(many, DOCUMENT)["a"].to_pylist() == [str(n) for n in range(200)]
    problem = reading.look(tmp_path, b'[{"a": "' + b"x" * 500 + b'"}]', DOCUMENT).problem
    assert problem is not None
    assert problem.startswith("record-too-long: ")


def zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as out:
        out.write(data)
    return sink.getvalue().to_pybytes()


COMPRESSIONS = {"gzip": gzip.compress, "bzip2": bz2.compress, "zstd": zstd}


@pytest.mark.parametrize("name", COMPRESSIONS)
@pytest.mark.parametrize("form", [LINES, JsonLinesFormat(fields=("a", "b"), drift="fail")], ids=["rescue", "fail"])
def test_compression_is_told_by_the_first_bytes(reading: Reading, tmp_path: Path, name: str, form: Form) -> None:
    data = COMPRESSIONS[name](b"".join(b'{"a": "%d", "b": "%d"}\n' % (n, n * n) for n in range(3000)))
    assert reading.parse(data, form)["a"].to_pylist()[-1] == "2999"
    assert reading.look(tmp_path, data, form).problem is None
    cut_off = reading.look(tmp_path, data[: len(data) // 2], form).problem
    assert cut_off is not None
    assert cut_off.startswith("truncated: ")
    if name == "zstd":
        return  # its checksum is optional, and Arrow writes none
    flipped = bytearray(data)
    flipped[len(data) // 2 : len(data) // 2 + 8] = b"\xaa" * 8
    corrupt = reading.look(tmp_path, bytes(flipped), form).problem
    assert corrupt is not None
    assert corrupt.startswith("corrupt: ")


def test_text_that_begins_like_a_compressed_file_is_text(reading: Reading) -> None:
    assert reading.parse(b'{"a": 1}\n', JsonLinesFormat(fields=("a",), text=Text(compression="none")))[
        "a"
    ].to_pylist() == ["1"]
    assert not any(magic.match(b"BZh9,b,c\n1") for magic in octets.MAGIC.values())


@settings(deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.text(max_size=9)), max_size=40), st.integers(1, 200))
def test_lines_split_anywhere_are_the_same(reading: Reading, content: list[dict[str, str]], size: int) -> None:
    data = b"".join(json.dumps(item, ensure_ascii=False).encode() + b"\n\n" for item in content) + b'{"a": "end"}'
    whole = reading.parse(data, LINES)
    cut, pieces = reading.parse_cut(data, LINES, size)
    assert cut.equals(whole)
    assert pieces >= min(2, len(data) // (size + 80))


def test_a_stream_is_let_go_in_silence(capfd: pytest.CaptureFixture[str], reading: Reading) -> None:
    read = reading.parse(zstd(b'{"a": "1"}\n'), JsonLinesFormat(fields=("a",)))
    gc.collect()
    assert read["a"].to_pylist() == ["1"]
    assert capfd.readouterr().err == ""
