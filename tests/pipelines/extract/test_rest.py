"""Pages of a real HTTP server as files: every style of paging, what is new, who asks, and what is refused."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from pipelines.contracts.extensions.extraction import Rest
from pipelines.errors import PipelineError, SchemaError
from pipelines.extract.rest import at_pointer
from pipelines.extract.task import extract
from pipelines.extract.web import Web, check_scheme, retry_after

ROWS = [{"id": n, "name": f"n{n}", "price": n / 4} for n in range(1, 8)]


def asked(path: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}


def body(rows: Any, **more: Any) -> bytes:
    return json.dumps({"data": rows, **more}).encode()


def ids(files: Mapping[str, bytes]) -> list[int]:
    return [json.loads(line)["id"] for content in files.values() for line in content.splitlines()]


def by_page(path: str, _: Mapping[str, str]) -> tuple[int, dict[str, str], bytes]:
    page = int(asked(path)["page"])
    return 200, {}, body(ROWS[(page - 1) * 3 : page * 3])


def by_offset(path: str, _: Mapping[str, str]) -> tuple[int, dict[str, str], bytes]:
    offset = int(asked(path)["from"])
    return 200, {}, body(ROWS[offset : offset + int(asked(path)["limit"])])


def by_cursor(path: str, _: Mapping[str, str]) -> tuple[int, dict[str, str], bytes]:
    start = int(asked(path).get("after", "0"))
    return 200, {}, body(ROWS[start : start + 3], meta={"next": str(start + 3) if start + 3 < len(ROWS) else None})


def by_link(path: str, _: Mapping[str, str]) -> tuple[int, dict[str, str], bytes]:
    start = int(asked(path).get("at", "0"))
    link = {"Link": f'</things?at={start + 3}>; rel="next", </things>; rel="first"'} if start + 3 < len(ROWS) else {}
    return 200, link, body(ROWS[start : start + 3])


def all_at_once(path: str, _: Mapping[str, str]) -> tuple[int, dict[str, str], bytes]:
    return 200, {}, body(ROWS)


STYLES: dict[str, tuple[Any, dict[str, Any], int]] = {
    "none": (all_at_once, {}, 1),
    "page": (by_page, {"parameter": "page"}, 4),
    "offset": (by_offset, {"parameter": "from", "size": 3, "sizeParameter": "limit"}, 4),
    "cursor": (by_cursor, {"parameter": "after", "next": "/meta/next"}, 3),
    "link": (by_link, {}, 3),
}


@pytest.mark.parametrize("style", STYLES)
def test_every_style_of_paging_reads_every_record_once(sail, lake, api, of_api, landed, style):
    api.respond, keys, requests = STYLES[style]

    extract(sail, of_api(records="/data", paging={"style": style, **keys}), lake.run(1))

    assert ids(landed()) == [row["id"] for row in ROWS]
    assert list(landed()) == [f"snapshot-{n:05d}.jsonl" for n in range(1, 2 if style == "none" else 4)]
    assert len(api.requests) == requests


def test_numbers_keep_their_digits_and_objects_their_keys(sail, lake, api, of_api, landed):
    api.respond = lambda path, headers: (
        200,
        {},
        b'[{"id": 1e3, "price": 1.10, "name": {"b": [0.10], "a": "\\u00e9"}}]',
    )
    extract(sail, of_api(), lake.run(1))
    (line,) = landed()["snapshot-00001.jsonl"].decode().splitlines()
    assert json.loads(line, parse_float=str, parse_int=str) == {
        "id": "1000",
        "price": "1.10",
        "name": {"b": ["0.10"], "a": "é"},
    }


def test_fewer_pages_than_before_empty_the_others(sail, lake, api, of_api, landed):
    contract = of_api(records="/data", paging={"style": "cursor", "parameter": "after", "next": "/meta/next"})
    api.respond = by_cursor
    extract(sail, contract, lake.run(1))
    api.respond = lambda path, headers: (200, {}, body(ROWS[:1]))
    extract(sail, contract, lake.run(2))
    assert [len(content) > 0 for content in landed().values()] == [True, False, False]
    assert ids(landed()) == [1]


def since(rows: list[dict[str, Any]]) -> Any:
    def respond(path: str, _: Mapping[str, str]) -> tuple[int, dict[str, str], bytes]:
        start = asked(path).get("since", "")
        return 200, {}, body([row for row in rows if row["at"] >= start])

    return respond


NEW = {"field": "/at", "parameter": "since", "overlap": "PT1H"}


def test_what_is_new_is_asked_for_with_an_overlap(sail, lake, api, of_api, landed):
    rows = [{"id": 1, "at": "2020-01-01T10:00:00Z"}, {"id": 2, "at": "2020-01-01T12:30:00+02:00"}]
    contract = of_api(records="/data", incremental=NEW)
    api.respond = since(rows)
    extract(sail, contract, lake.run(1))
    rows.append({"id": 3, "at": "2020-01-01T09:45:00Z"})
    extract(sail, contract, lake.run(2))

    assert [asked(path) for path in api.paths] == [{}, {"since": "2020-01-01T09:30:00Z"}]
    second = {name: content for name, content in landed().items() if name.startswith("000002-")}
    assert sorted(ids(second)) == [1, 2, 3]


def test_nothing_new_lands_nothing(sail, lake, api, of_api, landed):
    contract = of_api(records="/data", incremental=NEW)
    api.respond = since([{"id": 1, "at": "2020-01-01T10:00:00Z"}])
    for run in (1, 2):
        extract(sail, contract, lake.run(run))
    before = landed()
    assert extract(sail, contract, lake.run(3)) == []
    assert landed() == before


def test_a_record_without_the_field_that_grows_is_refused(sail, lake, api, of_api):
    api.respond = lambda path, headers: (200, {}, body([{"id": 1}]))
    with pytest.raises(SchemaError, match="a record has no /at"):
        extract(sail, of_api(records="/data", incremental=NEW), lake.run(1))


def test_a_run_that_dies_between_pages_goes_on_behind_the_last(sail, lake, api, of_api, landed):
    contract = of_api(records="/data", paging={"style": "page", "parameter": "page"}, attempts=1)
    api.respond = lambda path, headers: (500, {}, b"") if "page=2" in path else by_page(path, headers)
    with pytest.raises(PipelineError, match="500"):
        extract(sail, contract, lake.run(1))
    assert list(landed()) == ["snapshot-00001.jsonl"]

    api.respond = by_page
    extract(sail, contract, lake.run(2))

    assert api.paths.count("/things?page=1") == 1
    assert ids(landed()) == [row["id"] for row in ROWS]


AUTH: dict[str, tuple[dict[str, Any], str, str]] = {
    "bearer": ({"bearer": "env:SHOP_PASSWORD"}, "authorization", "Bearer open-sesame"),
    "basic": (
        {"basic": {"user": "env:SHOP_USER", "password": "env:SHOP_PASSWORD"}},
        "authorization",
        "Basic " + base64.b64encode(b"postgres:open-sesame").decode(),
    ),
    "header": ({"header": {"name": "X-Api-Key", "value": "env:SHOP_PASSWORD"}}, "x-api-key", "open-sesame"),
}


@pytest.mark.parametrize("kind", AUTH)
def test_credentials_never_go_to_another_host(sail, lake, api, make_api, of_api, landed, kind):
    auth, header, value = AUTH[kind]
    elsewhere = make_api()
    elsewhere.respond = all_at_once
    api.respond = lambda path, headers: (302, {"Location": f"{elsewhere.url}/moved"}, b"")

    extract(sail, of_api(records="/data", auth=auth), lake.run(1))

    assert api.requests[0][1][header] == value
    assert elsewhere.paths == ["/moved"]
    assert not {header, "authorization", "cookie"} & elsewhere.requests[0][1].keys()
    assert ids(landed()) == [row["id"] for row in ROWS]


def test_a_next_page_on_another_host_is_refused(sail, lake, api, make_api, of_api):
    elsewhere = make_api()
    api.respond = lambda path, headers: (200, {"Link": f'<{elsewhere.url}/2>; rel="next"'}, body(ROWS))
    with pytest.raises(PipelineError, match="another host"):
        extract(sail, of_api(records="/data", paging={"style": "link"}), lake.run(1))
    assert elsewhere.requests == []


def test_client_credentials_get_a_token_and_renew_it(sail, lake, api, of_api, landed):
    tokens: list[str] = []

    def respond(path: str, headers: Mapping[str, str]) -> tuple[int, dict[str, str], bytes]:
        if path == "/token":
            tokens.append(f"t{len(tokens)}")
            return 200, {}, json.dumps({"access_token": tokens[-1], "expires_in": 3600}).encode()
        if headers["authorization"] != "Bearer t1":
            return 401, {}, b""
        return all_at_once(path, headers)

    api.respond = respond
    oauth2 = {"tokenUrl": f"{api.url}/token", "clientId": "env:SHOP_USER", "clientSecret": "env:SHOP_PASSWORD"}
    extract(sail, of_api(records="/data", auth={"oauth2": {**oauth2, "scope": "read"}}), lake.run(1))

    assert api.paths == ["/token", "/things", "/token", "/things"]
    asked_for = api.requests[0][1]
    assert asked_for[":body"] == "grant_type=client_credentials&scope=read"
    assert asked_for["authorization"] == AUTH["basic"][2]
    assert len(ids(landed())) == len(ROWS)


CURSOR = {"style": "cursor", "parameter": "c", "next": "/n"}


@pytest.mark.parametrize(
    ("answer", "keys", "message"),
    [
        ((401, {}, b""), {"auth": {"bearer": "env:SHOP_PASSWORD"}}, "refuses the credentials"),
        ((404, {}, b""), {}, "answered 404"),
        ((503, {"Retry-After": "0"}, b""), {"attempts": 3}, "failed 3 times"),
        ((429, {"Retry-After": "7200"}, b""), {}, "asks to wait 7200 s"),
        ((200, {}, b"x" * 2000), {"mostBytes": 1000}, "more than 1000 bytes"),
        ((200, {}, b"{"), {}, "no JSON"),
        ((200, {}, b'[{"a": NaN}]'), {}, "NaN is no number"),
        ((200, {}, b'{"data": 1}'), {"records": "/data"}, "no list of objects"),
        ((200, {}, b"{}"), {"records": "/data"}, "nothing at"),
        ((200, {}, b"[[]]"), {}, "no list of objects"),
        ((302, {"Location": "/things"}, b""), {}, "redirects more than 5 times"),
        ((302, {"Location": "http://example.org/"}, b""), {}, "http is not encrypted"),
        ((200, {"Link": '</things>; rel="next"'}, b"[]"), {"paging": {"style": "link"}}, "same next page again"),
        ((200, {}, b'{"data": [{"id": 1}], "n": "x"}'), {"records": "/data", "paging": CURSOR}, "same next page again"),
        ((200, {}, b'[{"id": 1}]'), {"paging": {"style": "page", "parameter": "p", "most": 3}}, "more than 3 pages"),
    ],
)  # fmt: skip
def test_what_a_source_may_not_do_is_told_without_secrets(
    sail, lake, api, of_api, landed, caplog, answer, keys, message
):
    api.respond = lambda path, headers: answer
    with caplog.at_level("DEBUG"), pytest.raises(PipelineError, match=message) as refused:
        extract(sail, of_api(**keys), lake.run(1))
    assert "open-sesame" not in f"{refused.value} {caplog.text}"


def web(base: str, **keys: Any) -> tuple[Web, list[float]]:
    """A client whose clock only its own sleep moves."""
    slept: list[float] = []
    rest = Rest.model_validate({"path": "/things", **keys})
    return Web(base, rest, sleep=slept.append, clock=lambda: sum(slept)), slept


def test_requests_are_paced(api):
    api.respond = all_at_once
    client, slept = web(api.url, requestsPerSecond=4)
    with client:
        for _ in range(5):
            client.get(client.base)
    assert slept == [0.25] * 4


def test_the_wait_that_a_source_asks_for_is_kept(api):
    answers = iter([(429, {"Retry-After": "7"}, b""), (503, {}, b""), (200, {}, b"[]")])
    api.respond = lambda path, headers: next(answers)
    client, slept = web(api.url, requestsPerSecond=10_000)
    with client:
        assert client.get(client.base).body == b"[]"
    assert slept[0] == 7
    assert len([wait for wait in slept if wait > 0.001]) == 2


def test_a_wait_may_be_a_date():
    now = datetime(2020, 1, 1, 0, 0, 0, tzinfo=UTC)
    assert retry_after("Wed, 01 Jan 2020 00:01:30 GMT", now) == 90
    assert retry_after("Tue, 31 Dec 2019 00:00:00 GMT", now) == 0
    assert retry_after("soon", now) is None


@pytest.mark.parametrize(
    "url", ["http://example.org/", "http://127.0.0.1.example.org/", "ftp://localhost/", "file:///x"]
)
def test_only_tls_goes_to_another_machine(url):
    with pytest.raises(PipelineError, match="not encrypted"):
        check_scheme(httpx.URL(url))
    check_scheme(httpx.URL("https://example.org"))
    check_scheme(httpx.URL("http://localhost:80"))


@pytest.mark.parametrize(("pointer", "found"), [("", {"a/b": [{"~": 1}]}), ("/a~1b", [{"~": 1}]), ("/a~1b/0/~0", 1)])
def test_a_pointer_leads_into_a_document(pointer: str, found: Any) -> None:
    assert at_pointer({"a/b": [{"~": 1}]}, pointer) == found


def test_a_lost_connection_is_tried_again(sail, lake, of_api: Callable[..., Any], api):
    contract = of_api(attempts=2)
    port = urlsplit(api.url).port
    server = contract.standard.servers[0].model_copy(
        update={"location": f"http://127.0.0.1:{port + 1 if port < 65535 else 1}"}
    )
    contract = replace(contract, standard=contract.standard.model_copy(update={"servers": (server,)}))
    with pytest.raises(PipelineError, match="failed 2 times; the last time: ConnectError"):
        extract(sail, contract, lake.run(1))
