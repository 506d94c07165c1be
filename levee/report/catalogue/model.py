"""The wheel's answer (``pipelines.catalogue``, schema 1) as frozen models, and what git says of a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from levee.errors import EngineError


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Column(_Model):
    """One published column."""

    name: str
    type: str
    required: bool
    key: int | None
    unique: bool
    classification: str
    masking: str | None
    made: str
    description: str


class Rule(_Model):
    """One rule, on rows or on the table."""

    id: str
    on: Literal["rows", "table"]
    on_failure: str
    description: str
    dimension: str


class Edge(_Model):
    """A column that a column, or with ``to`` null every row, comes from."""

    to: str | None
    table: str
    column: str
    type: Literal["DIRECT", "INDIRECT"]
    subtype: str


class Role(_Model):
    """Who may do what."""

    role: str
    access: str
    description: str


class Sla(_Model):
    """One promise."""

    property: str
    value: str
    schedule: str


class State(_Model):
    """What the newest run left."""

    rows: int
    quarantined: int
    last_run: str
    status: str


class Evaluation(_Model):
    """How many checks held, failed and were not run, at one time."""

    at: str
    held: int
    failed: int
    not_run: int


class Batch(_Model):
    """Where the records of one batch went."""

    at: str
    rows: int
    good: int
    duplicates: int
    quarantined: int


class Sample(_Model):
    """A few masked rows."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    left_out: tuple[str, ...]


class Table(_Model):
    """One published table."""

    name: str
    layer: Literal["silver", "gold"]
    source: bool
    file: str
    title: str
    description: str
    purpose: str
    usage: str
    limitations: str
    version: str
    status: str
    classification: str
    owner: str
    contacts: tuple[str, ...]
    roles: tuple[Role, ...]
    sla: tuple[Sla, ...]
    retention: Mapping[str, int | None]
    origin: str
    inputs: tuple[str, ...]
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...]
    edges: tuple[Edge, ...]
    state: State | None
    quality: tuple[Evaluation, ...]
    batches: tuple[Batch, ...]
    sample: Sample | None

    @property
    def reference(self) -> str:
        """What SQL calls it, ``silver.online_retail``."""
        return f"{self.layer}.{self.name}"

    @property
    def page(self) -> str:
        """Its page, relative to its domain's folder."""
        return f"{self.reference}.html"


class DomainCatalogue(_Model):
    """One domain."""

    schema_: Literal[1] = Field(alias="schema")
    domain: str
    tables: tuple[Table, ...]


@dataclass(frozen=True, slots=True)
class Commit:
    """One change of a contract's file.

    Attributes:
        id: Its short name, hexadecimal.
        day: When it was made, ISO 8601.
        subject: Its first line.
    """

    id: str
    day: str
    subject: str


def parse(document: Mapping[str, Any]) -> DomainCatalogue:
    """Read the wheel's answer.

    Raises:
        EngineError: It has another shape.
    """
    try:
        return DomainCatalogue.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise EngineError(f"the wheel's catalogue has another shape: {place}: {first['msg']}") from error
