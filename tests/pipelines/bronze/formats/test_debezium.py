"""Debezium's envelope, in JSON and in Avro."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import fastavro
import pytest

from pipelines.bronze.formats.avro import AvroFormat
from pipelines.bronze.formats.debezium import Change, unwrap
from pipelines.bronze.formats.json_document import JsonFormat

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Reading

AT = datetime(1970, 1, 1, 0, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("event", "change"),
    [
        ({"op": "c", "after": {"a": 1}, "source": {"lsn": 7, "ts_ms": 5000}}, Change("c", 7, AT, {"a": 1})),
        ({"op": "d", "before": {"a": 1}, "after": None, "source": {"lsn": "7"}}, Change("d", 7, None, {"a": 1})),
        ({"op": "r", "after": {}, "source": {"ts_ms": 5000}}, Change("r", 5000, AT, {})),
        ({"op": "u", "after": {}, "source": {"lsn": 0}, "ts_ms": 5000}, Change("u", 0, AT, {})),
        ({"payload": {"op": "m", "message": {}}, "schema": {}}, Change("m")),
        ({"payload": None}, Change("tombstone")),
        (None, Change("tombstone")),
        ({"ddl": "DROP TABLE x", "source": {}}, Change("schema")),
        ({"op": "u", "after": None, "source": {"lsn": 1}}, "no-envelope: a change 'u' without `after`"),
        ({"op": "x"}, "no-envelope: it has the `op` 'x'"),
        ({"payload": 5}, "no-envelope: the payload is no object"),
        ({"op": "c", "after": {}, "source": {"lsn": 1.5}}, "no-sequence: "),
        ({"op": "c", "after": {}, "source": {"lsn": True}}, "no-sequence: "),
        ({"op": "c", "after": {}, "source": {"lsn": 1 << 63}}, "no-sequence: "),
        ({"op": "t", "source": {"lsn": 1}}, "truncate: "),
    ],
)
def test_events(event: Any, change: Change | str) -> None:
    found = unwrap(event)
    if isinstance(change, str):
        assert found.operation is None
        assert str(found.error).startswith(change)
    else:
        assert found == change


def test_the_contract_says_where_the_order_is(reading: Reading) -> None:
    form = JsonFormat(fields=("a",), envelope=True, sequence=(("source", "scn"), ("source", "pos")))
    data = b'[{"op": "c", "after": {"a": 1}, "source": {"pos": 4, "lsn": 9}}, {"op": "c", "after": {}, "source": {}}]'
    read = reading.parse(data, form)
    assert read["_sequence"].to_pylist() == [4, None]
    assert read["_parse_error"].to_pylist()[1] == "no-sequence: no whole number of 64 bits at source.scn or source.pos"


def test_avro(reading: Reading, tmp_path: Path) -> None:
    row = {"type": "record", "name": "Value", "fields": [{"name": "id", "type": "int"}]}
    source = {"type": "record", "name": "Source", "fields": [{"name": n, "type": "long"} for n in ("lsn", "ts_ms")]}
    schema = {
        "type": "record",
        "name": "Envelope",
        "fields": [
            {"name": "before", "type": ["null", row]},
            {"name": "after", "type": ["null", "Value"]},
            {"name": "source", "type": source},
            {"name": "op", "type": "string"},
        ],
    }
    where = {"lsn": 3, "ts_ms": 5000}
    events = [
        {"before": None, "after": {"id": 1}, "source": where, "op": "c"},
        {"before": {"id": 1}, "after": None, "source": where | {"lsn": 4}, "op": "d"},
    ]
    out = io.BytesIO()
    fastavro.writer(out, schema, events)
    form = AvroFormat(fields=("id",), envelope=True)
    assert reading.look(tmp_path, out.getvalue(), form).problem is None
    read = reading.parse(out.getvalue(), form)
    assert reading.fields(read, ["id", "_op", "_sequence", "_changed_at"]) == [("1", "c", 3, AT), ("1", "d", 4, AT)]
