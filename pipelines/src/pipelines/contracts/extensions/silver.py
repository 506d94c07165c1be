"""What silver makes of the rows of bronze."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from pipelines.contracts.extensions.registry import Extension, Registry
from pipelines.contracts.odcs import Model


class Deduplication(Model):
    """Which rows of silver's input are the same."""

    identical_rows: Literal["remove", "keep"] = Field(
        default="remove", description="Rows whose source fields are equal, byte by byte: all but the first go."
    )


def _with_one_group(pattern: str) -> str:
    """Check that a pattern is a regular expression with one group.

    Raises:
        ValueError: it is not.
    """
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from None
    if groups != 1:
        raise ValueError(f"{pattern!r} has {groups} groups: one is the snapshot's name")
    return pattern


class History(Model):
    """What becomes of a row when its source changes or deletes it (Kimball's slowly changing dimensions).

    A record of the source is a *change* of the thing that its business key names. Changes are ordered by the CDC
    envelope's sequence where there is one, else by `effectiveFrom` and `orderBy`, else by the names of the deliveries
    and the lines in them; whatever order they arrive in, silver is the same.
    """

    type: Literal[1, 2, 4] = Field(
        description=(
            "`1`: the latest state of each key; `2`: a row a version, with `_valid_from`, `_valid_to`, `_is_current` "
            "and `_version`; `4`: the latest state, and beside it the versions in `<dataset>_history`."
        )
    )
    business_key: tuple[str, ...] = Field(
        min_length=1, strict=False, description="Columns that name one thing of the source; `required`, each of them."
    )
    effective_from: str | None = Field(
        default=None,
        description=(
            "Date or timestamp column, `required`: since when a change holds. Of two changes of a key with the same "
            "value the later by `orderBy` counts. Without it a version holds since the source made the change, where "
            "the envelope says so; since the delivery was modified, where deliveries are the order; else since bronze "
            "took the change in."
        ),
    )
    order_by: tuple[str, ...] = Field(
        default=(), strict=False, description="Columns whose higher value is the later change; null is the earliest."
    )
    tracked: tuple[str, ...] = Field(
        default=(),
        strict=False,
        description=(
            "Columns whose change opens a version; all by default. A change of others is taken into the version that "
            "it falls into."
        ),
    )
    deletes: Literal["none", "soft", "hard"] = Field(
        default="soft",
        description=(
            "What a delete does (CDC's `d`, or a key that a full snapshot lacks): `none`: nothing; `soft`: the row "
            "stays with `_is_deleted` and `_deleted_at`, and its version ends; `hard`: the key's rows up to the delete "
            "leave every table of silver."
        ),
    )
    deliveries: Literal["changes", "snapshots"] = Field(
        default="changes",
        description=(
            "`changes`: a delivery has what changed; `snapshots`: it has the whole table, and a key that it lacks was "
            "deleted, unless records of it are in quarantine. Snapshots are in the order of their names."
        ),
    )
    snapshot: Annotated[str, AfterValidator(_with_one_group)] = Field(
        default="^(.*)$",
        description="Regular expression over a delivery's name: files with the same group 1 are one snapshot.",
    )


class SurrogateKey(Model):
    """The column is a key made of others: 63 bits of the SHA-256 of their texts, never negative.

    The same in every table, run and engine, so that a fact finds its dimension without a lookup. It is made after
    masking. Two keys that share one fail the batch.
    """

    of: tuple[str, ...] = Field(
        min_length=1,
        strict=False,
        description="Columns that it is made of, in this order (string, boolean, date, integers, decimals).",
    )


_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


def _duration(text: str) -> str:
    """Check that a text is a duration.

    Raises:
        ValueError: it is not.
    """
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        raise ValueError(f"{text!r} is no duration of days, hours, minutes and seconds (ISO 8601, e.g. P2D or PT36H)")
    return text


class Lateness(Model):
    """How late a record may come, by event time.

    The watermark of a record is the latest event time of what bronze had taken in before it, less `allowed`; event
    times after their own intake move no watermark. Records behind it are counted under the rule `late`.
    """

    column: str = Field(description="Date or timestamp column with the event's time.")
    allowed: Annotated[str, AfterValidator(_duration)] = Field(
        description="How far behind the watermark is, an ISO 8601 duration: `P2D`, `PT36H`."
    )
    policy: Literal["accept", "quarantine"] = Field(
        default="accept", description="`accept`: late records are refined like others; `quarantine`: they go there."
    )

    @property
    def span(self) -> timedelta:
        """`allowed`."""
        match = _DURATION.fullmatch(self.allowed)
        days, hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0, 0)
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


CONTRACT_PROPERTIES: Registry = {
    "deduplication": Extension.of(Deduplication),
    "history": Extension.of(History),
    "lateness": Extension.of(Lateness),
}

COLUMN_PROPERTIES: Registry = {
    "surrogateKey": Extension.of(SurrogateKey),
}
