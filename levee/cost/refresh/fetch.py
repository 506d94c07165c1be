"""The network: JSON documents over HTTPS, retried, and kept with their ETag so that nothing is fetched twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Final, Self

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from levee.errors import EngineError
from levee.files import write_whole

_ATTEMPTS: Final = 6
_TIMEOUT: Final = httpx.Timeout(30, read=120)
_AGAIN: Final = frozenset({429, 500, 502, 503, 504})


class _Retryable(Exception):  # noqa: N818 - never leaves this module
    """An answer, or none, after which the same request may succeed."""

    def __init__(self, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        self.after = after


class Fetcher:
    """Fetches JSON documents.

    Args:
        cache: Folder for documents and their ETags.
        sleep: Waits between attempts, in seconds; a test's need not.
        transport: httpx's own where it is not given.
    """

    def __init__(
        self, cache: Path, *, sleep: Callable[[float], None] | None = None, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._cache = cache
        self._client = httpx.Client(timeout=_TIMEOUT, follow_redirects=True, transport=transport)
        more: dict[str, Any] = {"sleep": sleep} if sleep else {}
        self._retrying = Retrying(
            retry=retry_if_exception_type(_Retryable),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=_wait,
            reraise=True,
            **more,
        )

    def json(self, url: str) -> Any:
        """The document at a URL, in memory.

        Raises:
            EngineError: The server does not answer, refuses, or what it sends is no JSON.
        """
        kept = self.file(url)
        try:
            return json.loads(kept.read_bytes())
        except ValueError:
            raise self.not_json(url) from None

    def file(self, url: str) -> Path:
        """The document at a URL as a file of the cache: the one there, where the server says that it has not changed.

        Raises:
            EngineError: The server does not answer, or refuses.
        """
        try:
            return self._retrying(self._once, url)
        except _Retryable as failed:
            fix = "try again later, or keep the prices that are there"
            raise EngineError(f"the price list cannot be fetched: {failed}", where=url, fix=fix) from None

    def not_json(self, url: str) -> EngineError:
        """The error to raise where a document that ``file`` gave is no JSON; the next call fetches it anew."""
        _tag(self._kept(url)).unlink(missing_ok=True)
        return EngineError("the price list is no JSON", where=url)

    def _once(self, url: str) -> Path:
        kept = self._kept(url)
        tag = _tag(kept)
        headers = {"If-None-Match": tag.read_text("utf-8")} if kept.exists() and tag.exists() else {}
        try:
            with self._client.stream("GET", url, headers=headers) as answer:
                if answer.status_code == httpx.codes.NOT_MODIFIED:
                    return kept
                if answer.status_code in _AGAIN:
                    raise _Retryable(f"HTTP {answer.status_code}", _seconds(answer.headers.get("Retry-After")))
                if answer.status_code != httpx.codes.OK:
                    raise EngineError(f"the price list cannot be fetched: HTTP {answer.status_code}", where=url)
                tag.unlink(missing_ok=True)  # never an old tag beside a new document
                _write(kept, answer)
                if etag := answer.headers.get("ETag"):
                    write_whole(tag, etag)
        except httpx.TransportError as failed:
            raise _Retryable(f"{type(failed).__name__}: {failed}") from None
        return kept

    def _kept(self, url: str) -> Path:
        return self._cache / f"{hashlib.sha256(url.encode()).hexdigest()}.json"

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _tag(kept: Path) -> Path:
    return kept.with_suffix(".etag")


def _write(kept: Path, answer: httpx.Response) -> None:
    """What comes goes to a file piece by piece, and takes the old one's place when it is whole."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=kept.parent) as folder:
        part = Path(folder, kept.name)
        with part.open("wb") as out:
            out.writelines(answer.iter_bytes())
        part.replace(kept)


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    after = error.after if isinstance(error, _Retryable) else None
    return after if after is not None else wait_exponential_jitter(initial=1, max=30)(state)


def _seconds(retry_after: str | None) -> float | None:
    return float(retry_after) if retry_after is not None and retry_after.isdigit() else None
