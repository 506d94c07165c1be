"""GET requests to one REST source: paced, tried again, bounded, over TLS, with credentials for its own host alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Self

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_exponential_jitter

from pipelines.contracts.extensions.extraction import Auth, OAuth2, Rest
from pipelines.errors import PipelineError, UsageError
from pipelines.secret_references import SecretReference

MOST_REDIRECTS = 5
PASSING = frozenset({429, 500, 502, 503, 504})
"""Status codes of what may pass (RFC 9110, RFC 6585)."""
TOKEN_MARGIN_SECONDS = 30
"""A token is renewed so long before it expires."""
LONGEST_TOKEN_BYTES = 1 << 16
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_BACKOFF = wait_exponential_jitter(multiplier=0.2, max=30)


@dataclass(frozen=True, slots=True)
class Answer:
    """A response.

    Attributes:
        url: What was asked, after redirects.
        body: Its bytes, decoded from the transfer.
        following: Target of its link with ``rel="next"`` (RFC 8288); ``None`` without.
    """

    url: httpx.URL
    body: bytes
    following: httpx.URL | None


class _PassingError(Exception):
    """What may be gone at the next attempt.

    Attributes:
        said: What happened.
        wait: Seconds that the source asks to wait; ``None`` where it does not say.
    """

    def __init__(self, said: str, wait: float | None = None) -> None:
        super().__init__(said)
        self.said, self.wait = said, wait


class Web:
    """One REST source.

    Args:
        base: Its base URL.
        rest: How it is read.
        sleep: Waits so many seconds.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        base: str,
        rest: Rest,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.base = httpx.URL(base.rstrip("/") + rest.path)
        self.where = _shown(self.base)
        self._rest, self._sleep, self._clock = rest, sleep, clock
        self._client = httpx.Client(timeout=rest.timeout_seconds, follow_redirects=False)
        self._credentials = _Credentials(rest.auth, self._client, clock)
        self._free_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, url: httpx.URL) -> Answer:
        """Ask for a URL of this source.

        Raises:
            PipelineError: the source refuses, is not there, answers too much, or asks for a longer wait than allowed.
        """
        trying = Retrying(
            stop=stop_after_attempt(self._rest.attempts),
            wait=self._wait,
            retry=retry_if_exception_type(_PassingError),
            sleep=self._sleep,
            reraise=True,
        )
        try:
            return trying(self._follow, url)
        except _PassingError as error:
            raise PipelineError(
                f"the source failed {self._rest.attempts} times; the last time: {error.said}",
                where=_shown(url),
                fix="run again when it is well: what was landed stays, and the run goes on behind it",
            ) from error

    def _follow(self, url: httpx.URL) -> Answer:
        """Ask, and go where the source sends us; to another host, without credentials."""
        for _ in range(MOST_REDIRECTS + 1):
            answer = self._once(url)
            if isinstance(answer, Answer):
                return answer
            url = answer
        raise PipelineError(f"the source redirects more than {MOST_REDIRECTS} times", where=_shown(url))

    def _once(self, url: httpx.URL) -> Answer | httpx.URL:
        check_scheme(url)
        ours = origin(url) == origin(self.base)
        self._pace()
        try:
            headers = {"Accept": "application/json", **(self._credentials.headers() if ours else {})}
            with self._client.stream("GET", url, headers=headers) as response:
                if response.has_redirect_location:
                    return url.join(response.headers["Location"])
                if response.status_code == httpx.codes.UNAUTHORIZED and ours and self._credentials.forget():
                    raise _PassingError("401, with a token that is renewed", 0)
                self._accept(response)
                body = _bounded(response, self._rest.most_bytes)
                link = response.links.get("next", {}).get("url")
                return Answer(url, body, url.join(link) if link else None)
        except httpx.TransportError as error:
            raise _PassingError(f"{type(error).__name__}: {error}") from error

    def _accept(self, response: httpx.Response) -> None:
        """Let a response pass that succeeded."""
        code = response.status_code
        if code in PASSING:
            raise _PassingError(f"it answered {code} {response.reason_phrase}", self._asked_wait(response))
        if code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise UsageError(
                f"the source refuses the credentials ({code} {response.reason_phrase})",
                where=_shown(response.url),
                fix="look at what the references in extraction.rest.auth hold, and what their owner may read",
            )
        if not response.is_success:
            raise _kind(response)(
                f"the source answered {code} {response.reason_phrase}",
                where=_shown(response.url),
                fix="correct extraction.rest and the server's location",
            )

    def _asked_wait(self, response: httpx.Response) -> float | None:
        wait = retry_after(response.headers.get("Retry-After"), datetime.now(UTC))
        if wait is not None and wait > self._rest.most_wait_seconds:
            raise PipelineError(
                f"the source asks to wait {wait:.0f} s, more than mostWaitSeconds allows",
                where=_shown(response.url),
                fix="run again later, or lower requestsPerSecond",
            )
        return wait

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.wait if isinstance(error, _PassingError) else None
        return _BACKOFF(state) if asked is None else asked

    def _pace(self) -> None:
        now = self._clock()
        if self._free_at > now:
            self._sleep(self._free_at - now)
        self._free_at = max(now, self._free_at) + 1 / self._rest.requests_per_second


class _Credentials:
    """Headers that tell who asks; secrets are read when they are first needed."""

    def __init__(self, auth: Auth | None, client: httpx.Client, clock: Callable[[], float]) -> None:
        self._auth, self._client, self._clock = auth, client, clock
        self._headers: dict[str, str] | None = None
        self._until = float("inf")

    def headers(self) -> Mapping[str, str]:
        """The headers."""
        if self._headers is None or self._clock() >= self._until:
            self._headers = self._made()
        return self._headers

    def forget(self) -> bool:
        """Take a token for expired; return whether the next may do better."""
        if self._auth is None or self._auth.oauth2 is None or self._headers is None:
            return False
        self._headers = None
        return True

    def _made(self) -> dict[str, str]:
        auth = self._auth
        if auth is None:
            return {}
        if auth.bearer:
            return {"Authorization": f"Bearer {_secret(auth.bearer)}"}
        if auth.header:
            return {auth.header.name: _secret(auth.header.value)}
        if auth.basic:
            request = httpx.Request("GET", "https://localhost")
            flow = httpx.BasicAuth(_secret(auth.basic.user), _secret(auth.basic.password)).auth_flow(request)
            return {"Authorization": next(flow).headers["Authorization"]}
        assert auth.oauth2 is not None, "the model asks for one of the four"
        return {"Authorization": f"Bearer {self._token(auth.oauth2)}"}

    def _token(self, oauth2: OAuth2) -> str:
        """Ask for an access token (RFC 6749, section 4.4)."""
        url = httpx.URL(oauth2.token_url)
        check_scheme(url)
        form = {"grant_type": "client_credentials", **({"scope": oauth2.scope} if oauth2.scope else {})}
        basic = httpx.BasicAuth(_secret(oauth2.client_id), _secret(oauth2.client_secret))
        with self._client.stream("POST", url, data=form, auth=basic) as response:
            if response.status_code in PASSING:
                raise _PassingError(f"the token's issuer answered {response.status_code}")
            body = _bounded(response, LONGEST_TOKEN_BYTES)
            told: Any = httpx.Response(200, content=body).json() if response.is_success else {}
        if not isinstance(told, dict) or not isinstance(told.get("access_token"), str):
            raise _kind(response)(
                f"no token was issued ({response.status_code})",
                where=_shown(url),
                fix=f"look at what {oauth2.client_id} and {oauth2.client_secret} hold, and at the scope",
            )
        lifetime = told.get("expires_in")
        self._until = self._clock() + (float(lifetime) - TOKEN_MARGIN_SECONDS if lifetime else float("inf"))
        return told["access_token"]


def retry_after(value: str | None, now: datetime) -> float | None:
    """Return the seconds of a header ``Retry-After`` (RFC 9110, section 10.2.3); ``None`` where it says nothing."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        then = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (then - now).total_seconds())


def origin(url: httpx.URL) -> tuple[str, str, int | None]:
    """Scheme, host and port of a URL (RFC 6454)."""
    return url.scheme, url.host, url.port or {"https": 443, "http": 80}.get(url.scheme)


def is_safe(url: httpx.URL) -> bool:
    """Whether a URL is encrypted, or of this machine."""
    return url.scheme == "https" or (url.scheme == "http" and url.host in _LOCAL)


def check_scheme(url: httpx.URL) -> None:
    """Refuse what is not encrypted, this machine aside.

    Raises:
        UsageError: the URL is neither `https` nor of this machine.
    """
    if not is_safe(url):
        raise UsageError(
            f"{url.scheme or 'no scheme'} is not encrypted, and is only asked on this machine",
            where=_shown(url),
            fix="use https",
        )


def _kind(response: httpx.Response) -> type[PipelineError]:
    """The error of an answer that is no success: what is wrong with the question stays so the second time."""
    return UsageError if response.is_client_error else PipelineError


def _bounded(response: httpx.Response, most: int) -> bytes:
    body = bytearray()
    for piece in response.iter_bytes():
        body += piece
        if len(body) > most:
            raise PipelineError(
                f"the source answered more than {most} bytes",
                where=_shown(response.url),
                fix="ask for smaller pages (paging.size), or raise mostBytes",
            )
    return bytes(body)


def _secret(reference: str) -> str:
    return SecretReference.parse(reference).read().decode()


def _shown(url: httpx.URL) -> str:
    """A URL without what may be confidential in it."""
    return str(url.copy_with(query=None, fragment=None, userinfo=b""))


__all__ = ["Answer", "Web", "check_scheme", "is_safe", "origin", "retry_after"]
