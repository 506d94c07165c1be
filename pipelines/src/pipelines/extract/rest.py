"""Pages of a REST source as files, landed as they come: after a death it goes on behind the last recorded one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import httpx

from pipelines.bronze.formats.values import Number
from pipelines.contracts.extensions.extraction import Paging, Rest, overlap_of
from pipelines.errors import PipelineError, SchemaError
from pipelines.extract import bounds
from pipelines.extract.landing import Landed
from pipelines.extract.records import Event
from pipelines.extract.source import Source, emptied, whole_prefix
from pipelines.extract.web import Answer, Web, origin

_ABSENT = object()

Step = int | str
"""What asks for a page: its number or offset, its cursor, or its URL."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far an extraction has come.

    Attributes:
        since: What it asks for records from, as `bounds.encode` has it; ``None`` for all.
        high: Greatest value of the field that grows.
        pages: Pages read.
        step: What asks for the next page; ``None`` for the first.
        over: Whether there is no next page.
        sha256: Digest of the last page's file.
    """

    since: Mapping[str, str] | None = None
    high: Mapping[str, str] | None = None
    pages: int = 0
    step: Step | None = None
    over: bool = False
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page.

    Attributes:
        document: Its body, numbers with their own digits.
        records: The records in it.
        following: Target of its link to the next page.
    """

    document: Any
    records: Sequence[Mapping[str, Any]]
    following: httpx.URL | None


def extract_pages(source: Source) -> list[Landed]:
    """Land what is new of a REST source, or the whole of it, page by page.

    Raises:
        SchemaError: the body is not what the contract says.
        PipelineError: the source failed.
    """
    rest = source.extraction.rest
    assert rest is not None, "the caller goes by the kind"
    event = source.extracts.unfinished or source.extracts.plan(asdict(_begin(source, rest)))
    landed: list[Landed] = []
    with Web(source.server.location or "", rest) as web:
        while not (position := Position(**event.position)).over:
            records, following = _read(web, rest, position)
            file, fresh = _landed(source, event, following, records) if records else (None, False)
            files = [file] if file and fresh else []
            reached = replace(following, sha256=file.sha256 if file else None)
            event = source.extracts.landed(event, asdict(reached), files)
            landed += files
    position = Position(**event.position)
    if rest.incremental is None:
        prefix = whole_prefix(source, event)
        landed += emptied(source, prefix, [f"{prefix}{page:05d}" for page in range(1, position.pages + 1)])
    source.extracts.landed(event, asdict(position), whole=True)
    return landed


def _begin(source: Source, rest: Rest) -> Position:
    before, incremental = source.extracts.finished, rest.incremental
    if incremental is None:
        return Position()
    ended = Position(**before.position).high if before is not None else None
    if ended is not None:
        low = bounds.less(bounds.decode(ended), overlap_of(incremental.overlap), str(source.contract.path))
        return Position(bounds.encode(low), ended)
    if incremental.initial is not None:
        initial = bounds.parse(incremental.initial, incremental.type, str(source.contract.path))
        return Position(bounds.encode(initial))
    return Position()


def _read(web: Web, rest: Rest, position: Position) -> tuple[Sequence[Mapping[str, Any]], Position]:
    """Ask for the next page; return its records, and how far that brings the extraction."""
    if position.pages >= rest.paging.most:
        raise PipelineError(
            f"the source has more than {rest.paging.most} pages",
            where=web.where,
            fix="raise paging.most, or ask for larger pages (paging.size)",
        )
    page = _parsed(web.get(_url(web.base, rest, position)), rest, web.where)
    step = _next(rest.paging, position.step, page, web)
    high = _highest(rest, position.high, page.records, web.where)
    # A page without records, at which counting ends, is none.
    pages = position.pages + bool(page.records)
    return page.records, Position(position.since, high, pages, step, step is None)


def _url(base: httpx.URL, rest: Rest, position: Position) -> httpx.URL:
    paging = rest.paging
    if paging.style == "link" and position.step is not None:
        return httpx.URL(str(position.step))
    parameters = dict(rest.parameters)
    if rest.incremental is not None and position.since is not None:
        parameters[rest.incremental.parameter] = position.since["value"]
    if paging.size_parameter is not None:
        parameters[paging.size_parameter] = str(paging.size)
    step = _first(paging) if position.step is None else position.step
    if paging.parameter is not None and step is not None:
        parameters[paging.parameter] = str(step)
    return base.copy_merge_params(parameters)


def _first(paging: Paging) -> Step | None:
    return {"page": paging.first, "offset": 0}.get(paging.style)


def _next(paging: Paging, asked: Step | None, page: Page, web: Web) -> Step | None:
    """What asks for the page after this one, which `asked` asked for; ``None`` where this is the last."""
    at = _first(paging) if asked is None else asked
    match paging.style:
        case "none":
            return None
        case "page" | "offset":
            assert isinstance(at, int), "these styles count"
            return at + (1 if paging.style == "page" else len(page.records)) if page.records else None
        case "cursor":
            found = at_pointer(page.document, paging.next or "")
            step = None if found in (_ABSENT, None, "", False) else str(found)
        case "link":
            step = _same_origin(page.following, web) if page.following else None
    if step is not None and step == at:
        raise PipelineError("the source names the same next page again", where=web.where, fix="ask its owner")
    return step


def _same_origin(url: httpx.URL, web: Web) -> str:
    if origin(url) != origin(web.base):
        raise PipelineError(
            f"the source's next page is on another host, {url.host}",
            where=web.where,
            fix="ask its owner; credentials are for the host that the contract names",
        )
    return str(url)


def _parsed(answer: Answer, rest: Rest, where: str) -> Page:
    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no number of JSON")

    try:
        document = json.loads(answer.body, parse_int=Number, parse_float=Number, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise SchemaError(f"the source's answer is no JSON: {error}", where=where, fix="ask its owner") from error
    records = at_pointer(document, rest.records)
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        kind = "nothing" if records is _ABSENT else "no list of objects"
        raise SchemaError(f"there is {kind} at {rest.records!r}", where=where, fix="correct extraction.rest.records")
    return Page(document, records, answer.following)


def _highest(
    rest: Rest, high: Mapping[str, str] | None, records: Sequence[Any], where: str
) -> Mapping[str, str] | None:
    if rest.incremental is None:
        return None
    greatest = bounds.decode(high)
    for record in records:
        found = at_pointer(record, rest.incremental.field)
        if found is _ABSENT or found is None:
            raise SchemaError(
                f"a record has no {rest.incremental.field}, and would be lost to later extractions",
                where=where,
                fix="correct extraction.rest.incremental.field, or read the whole source each time",
            )
        value = bounds.parse(found, rest.incremental.type, where)
        greatest = value if greatest is None else max(greatest, value)
    return bounds.encode(greatest)


def at_pointer(document: Any, pointer: str) -> Any:
    """Return what a JSON pointer (RFC 6901) leads to; a mark of this module where there is nothing."""
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(document, dict) and key in document:
            document = document[key]
        elif isinstance(document, list) and key.isdigit() and int(key) < len(document):
            document = document[int(key)]
        else:
            return _ABSENT
    return document


def _landed(
    source: Source, event: Event, position: Position, records: Sequence[Mapping[str, Any]]
) -> tuple[Landed, bool]:
    """Land one page; return its file, and whether the last extraction did not land the same from the same point on."""
    since = f"{event.stem}{bounds.label(bounds.decode(position.since))}-"
    prefix = whole_prefix(source, event) if source.extraction.full else since
    staged = source.landing.stage(f"{prefix}{position.pages:05d}", [records])
    before = source.extracts.finished
    if before is not None and not source.extraction.full:
        pages = [Position(**step.position) for step in source.extracts.steps(before.number)]
        same = (position.pages, position.since, staged.sha256)
        if same in [(page.pages, page.since, page.sha256) for page in pages]:
            source.landing.discard([staged])
            return staged, False
    source.landing.publish([staged])
    return staged, True


__all__ = ["at_pointer", "extract_pages"]
