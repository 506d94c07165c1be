"""How a source that is no file is read into the landing folder (decision 0020)."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, TypeAdapter, ValidationError, field_validator, model_validator

from pipelines.contracts.extensions.registry import Extension, Registry
from pipelines.contracts.odcs import Model
from pipelines.secret_references import PATTERN

Reference = Annotated[str, Field(pattern=PATTERN)]
"""Where a secret is: ``env:NAME`` or ``file:/path``."""
Pointer = Annotated[str, Field(pattern=r"^(/([^~/]|~[01])*)*$")]
"""A JSON pointer (RFC 6901): ``/data/items``; the empty text is the whole document."""
Overlap = Annotated[str | int, Field(union_mode="left_to_right")]
Mode = Literal["full", "incremental"]

_OVERLAP = "How far a run goes back behind the last one, for what arrived late: `PT1H` (ISO 8601) or a number."
_DURATION = TypeAdapter(timedelta)


def overlap_of(value: str | int) -> timedelta | int:
    """Return an overlap as what is taken off a time or off a number.

    Raises:
        ValueError: the text is no ISO 8601 duration, or it is negative.
    """
    if isinstance(value, int):
        if value < 0:
            raise ValueError("an overlap is not negative")
        return value
    if not value.startswith("P"):
        raise ValueError("an overlap is an ISO 8601 duration such as PT1H, or a whole number")
    try:
        return _DURATION.validate_python(value)
    except ValidationError:
        raise ValueError(f"{value!r} is no ISO 8601 duration of weeks, days, hours, minutes and seconds") from None


class _Overlapping(Model):
    """What has an overlap."""

    overlap: Overlap = Field(default=0, description=_OVERLAP)

    @field_validator("overlap")
    @classmethod
    def _readable(cls, value: str | int) -> str | int:
        overlap_of(value)
        return value


class Jdbc(_Overlapping):
    """A table or view of a database; the server's `type` says of which."""

    table: str = Field(description="Table or view, in the server's `schema`.")
    user: Reference = Field(description="Reference to the user's name.")
    password: Reference = Field(description="Reference to the password.")
    mode: Mode = Field(
        default="full",
        description="`full`: the whole table each time (needs `redelivery: replace`); `incremental`: what is new.",
    )
    watermark: str | None = Field(
        default=None, description="Column that grows with every change; `incremental` reads from its last value on."
    )
    partition_column: str | None = Field(
        default=None, description="Number, date or timestamp by whose ranges the table is read in parallel."
    )
    partitions: int = Field(default=1, ge=1, le=1024, description="Ranges, each a file of its own.")
    concurrency: int = Field(default=4, ge=1, le=64, description="Connections at once.")
    block_rows: int = Field(default=10_000, ge=1, description="Rows held in memory a connection.")
    statement_timeout_seconds: int = Field(default=3600, ge=1, description="After which the database gives a query up.")
    connect_attempts: int = Field(default=5, ge=1, le=20, description="Attempts to connect, waiting ever longer.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.mode == "incremental") != (self.watermark is not None):
            raise ValueError("`watermark` and mode `incremental` need each other")
        if self.mode == "full" and self.overlap:
            raise ValueError("`overlap` is of mode `incremental`")
        if (self.partitions > 1) != (self.partition_column is not None):
            raise ValueError("`partitions` above 1 and `partitionColumn` need each other")
        return self


class Paging(Model):
    """How the pages of a REST source follow each other."""

    style: Literal["none", "page", "offset", "cursor", "link"] = Field(
        default="none",
        description="`page` and `offset` count until a page is empty; `cursor`: the body holds the next one; "
        '`link`: the header `Link` with `rel="next"` (RFC 8288).',
    )
    parameter: str | None = Field(default=None, description="Query parameter of the page, offset or cursor.")
    first: int = Field(default=1, ge=0, description="Number of the first page; offsets begin at 0.")
    next: Pointer | None = Field(default=None, description="Pointer to the next cursor in the body.")
    size: int | None = Field(default=None, ge=1, description="Records a page, asked for with `sizeParameter`.")
    size_parameter: str | None = Field(default=None, description="Query parameter of the size.")
    most: int = Field(default=10_000, ge=1, description="Pages of one extraction; more is an error.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.style in ("page", "offset", "cursor")) != (self.parameter is not None):
            raise ValueError("`parameter` and the styles `page`, `offset` and `cursor` need each other")
        if (self.style == "cursor") != (self.next is not None):
            raise ValueError("`next` and the style `cursor` need each other")
        if (self.size is None) != (self.size_parameter is None):
            raise ValueError("`size` and `sizeParameter` need each other")
        return self


class Incremental(_Overlapping):
    """What of a REST source is new."""

    field: Pointer = Field(description="Pointer to the field of a record that grows with every change.")
    type: Literal["timestamp", "number"] = Field(
        default="timestamp", description="`timestamp`: ISO 8601, UTC where it has no offset."
    )
    parameter: str = Field(description="Query parameter that asks for records from a value on.")
    initial: str | None = Field(default=None, description="Its value in the first extraction; absent without.")


class BasicAuth(Model):
    """User and password (RFC 7617)."""

    user: Reference = Field(description="Reference to the user's name.")
    password: Reference = Field(description="Reference to the password.")


class HeaderAuth(Model):
    """A header with a key."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")] = Field(description="The header.")
    value: Reference = Field(description="Reference to its value.")


class OAuth2(Model):
    """The grant ``client_credentials`` of OAuth 2.0 (RFC 6749, section 4.4)."""

    token_url: str = Field(description="Where tokens are issued.")
    client_id: Reference = Field(description="Reference to the client's id.")
    client_secret: Reference = Field(description="Reference to the client's secret.")
    scope: str | None = Field(default=None, description="Scopes, separated by blanks.")


class Auth(Model):
    """How a REST source knows who asks: at most one of these."""

    bearer: Reference | None = Field(default=None, description="Reference to a token (RFC 6750).")
    basic: BasicAuth | None = Field(default=None, description="User and password.")
    header: HeaderAuth | None = Field(default=None, description="A header with a key.")
    oauth2: OAuth2 | None = Field(default=None, description="Client credentials.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(value is not None for value in (self.bearer, self.basic, self.header, self.oauth2)) != 1:
            raise ValueError("exactly one of `bearer`, `basic`, `header` and `oauth2`")
        return self


class Rest(Model):
    """A REST source; the server's `location` is its base URL."""

    path: Annotated[str, Field(pattern=r"^/")] = Field(description="Path below the server's location.")
    parameters: dict[str, str] = Field(default_factory=dict, description="Query parameters of every request.")
    records: Pointer = Field(default="", description="Pointer to the list of records in the body.")
    paging: Paging = Field(default=Paging.model_validate({}), description="How pages follow each other.")
    incremental: Incremental | None = Field(
        default=None, description="What is new; without, everything each time (needs `redelivery: replace`)."
    )
    auth: Auth | None = Field(default=None, description="Who asks.")
    requests_per_second: float = Field(default=5.0, gt=0, strict=False, description="Requests a second at most.")
    timeout_seconds: float = Field(default=30.0, gt=0, strict=False, description="To connect, and between two bytes.")
    attempts: int = Field(default=5, ge=1, le=20, description="Attempts of a request (429, 5xx, lost connections).")
    most_wait_seconds: int = Field(default=120, ge=1, description="Longest wait that a `Retry-After` may ask for.")
    most_bytes: int = Field(default=64 << 20, ge=1, description="Bytes of a response; more is an error.")


class Kafka(Model):
    """A topic of Kafka; the server's `host` is its bootstrap servers."""

    topic: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")] = Field(description="The topic.")
    mode: Literal["stream", "batch"] = Field(
        default="stream",
        description="`stream`: Structured Streaming, `availableNow`, with a checkpoint; `batch`: by recorded offsets.",
    )
    starting: Literal["earliest", "latest"] = Field(default="earliest", description="Where the first run begins.")
    most_records: int | None = Field(default=None, ge=1, description="Records of a file set, roughly; all without.")


class Extraction(Model):
    """How a source that is no file is read into the landing folder; exactly one of `jdbc`, `rest` and `kafka`."""

    server: str = Field(description="Name of one of the contract's `servers`; `--environment` chooses among equals.")
    format: Literal["jsonl", "parquet"] = Field(default="jsonl", description="Form of the files that it lands.")
    compression: Literal["none", "gzip", "zstd"] = Field(default="gzip", description="Of the files.")
    jdbc: Jdbc | None = Field(default=None, description="A table of a database.")
    rest: Rest | None = Field(default=None, description="A REST source.")
    kafka: Kafka | None = Field(default=None, description="A topic of Kafka.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(value is not None for value in (self.jdbc, self.rest, self.kafka)) != 1:
            raise ValueError("exactly one of `jdbc`, `rest` and `kafka`")
        return self

    @property
    def kind(self) -> str:
        """``jdbc``, ``rest`` or ``kafka``."""
        return "jdbc" if self.jdbc else "rest" if self.rest else "kafka"

    @property
    def full(self) -> bool:
        """Whether each extraction lands the whole source again."""
        return bool((self.jdbc and self.jdbc.mode == "full") or (self.rest and self.rest.incremental is None))

    @property
    def subject(self) -> str:
        """What is read and by what it is told apart: where an extraction goes on from is of use to the same alone."""
        if self.jdbc:
            return f"jdbc {self.jdbc.table} {self.jdbc.watermark or 'whole'}"
        if self.rest:
            return f"rest {self.rest.path} {self.rest.incremental.field if self.rest.incremental else 'whole'}"
        assert self.kafka is not None, "the model asks for one of the three"
        return f"kafka {self.kafka.topic} {self.kafka.mode}"

    @property
    def suffix(self) -> str:
        """How the names of its files end."""
        if self.format == "parquet":
            return ".parquet"
        return ".jsonl" + {"none": "", "gzip": ".gz", "zstd": ".zst"}[self.compression]


FORMATS: dict[str, tuple[str, ...]] = {"jdbc": ("jsonl", "parquet"), "rest": ("jsonl",), "kafka": ("parquet",)}
"""Forms of the files that a kind lands: of a REST source objects as they came, of a stream what Spark's sink writes."""

SERVER_TYPES: dict[str, frozenset[str]] = {
    "jdbc": frozenset({"postgresql", "postgres"}),
    "rest": frozenset({"api"}),
    "kafka": frozenset({"kafka"}),
}
"""The standard's types of servers that a kind of extraction reads."""

SERVER_KEYS: dict[str, tuple[str, ...]] = {
    "jdbc": ("host", "port", "database"),
    "rest": ("location",),
    "kafka": ("host",),
}
"""What a server must say for a kind of extraction."""

CONTRACT_PROPERTIES: Registry = {"extraction": Extension.of(Extraction)}

__all__ = [
    "CONTRACT_PROPERTIES",
    "FORMATS",
    "SERVER_KEYS",
    "SERVER_TYPES",
    "Auth",
    "Extraction",
    "Incremental",
    "Jdbc",
    "Kafka",
    "Paging",
    "Rest",
    "overlap_of",
]
