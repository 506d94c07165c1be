"""The frames of a silver batch, as functions of the batch's bronze rows: nothing here runs or writes.

`judged` is the one pass: identical records become a row, which is typed once and judged once
(:mod:`pipelines.silver.verdicts`). `refined` makes of it what silver keeps, personal columns masked; `published` and
`rejected` split by the verdicts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines import sql
from pipelines.contracts.model import ChangeOrder, Contract
from pipelines.errors import ContractError
from pipelines.privacy.masking import masked
from pipelines.quality.batch_checks import measures
from pipelines.quality.rule import Lookup, Rule, found_column
from pipelines.quality.rules import rules, source_column
from pipelines.secret_references import SecretReference
from pipelines.silver.hashing import row_hash
from pipelines.silver.lateness import WATERMARK, late_rule
from pipelines.silver.placed import PlacedRows
from pipelines.silver.surrogate import surrogate_key
from pipelines.silver.typing import typed
from pipelines.silver.verdicts import RULE_SEPARATOR, Verdicts

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

LINEAGE = ("_file", "_file_sha256", "_line", "_copies")
"""Where a row comes from, and how many identical records of its batch it stands for."""
CARRIED = ("_position", "_copies", "_ingested_at", "_rescued")
"""What goes with a typed row: its place, how many records it stands for, when the first of these was taken in, unknown
columns."""
RUN = ("_batch_id", "_ingested_at", "_run_id")
"""Of the batch that a row came with."""
FATE, ACCEPTED, REJECTED = "_fate", 0, 1
"""Column that says what becomes of a refined row, and what it says."""
FEED = ("_op", "_sequence", "_changed_at")
"""What bronze has of a change feed's envelope: the operation (``c``, ``u``, ``d``, ``r``), its place, its time."""
MESSAGES = "coalesce(_op NOT IN ('c', 'u', 'd', 'r'), false)"
"""SQL that is true of a change feed's records about no row: Kafka's tombstones, messages, changes of the schema."""
PARSE_RULE = "parse_"
"""Prefix of the rule ids of malformed records: ``parse_ragged``, ``parse_unclosed_quote``, ..."""


@dataclass(frozen=True, slots=True)
class SilverPlan:
    """What a contract makes of bronze rows.

    Attributes:
        contract: The contract.
        verdicts: Its rules on rows and what else is counted, each with its place in a judged record.
        key: Where the masking key is.
        run_id: Goes into `_run_id`.
        batch_id: Goes into `_batch_id`.
    """

    contract: Contract
    verdicts: Verdicts
    key: SecretReference | None
    run_id: str
    batch_id: str

    @classmethod
    def of(cls, contract: Contract, key: SecretReference | None, run_id: str, batch_id: str) -> SilverPlan:
        """Compile a contract.

        Raises:
            ContractError: a rule, a type or a date pattern cannot be compiled.
        """
        if contract.change_feed and contract.history is None:
            raise ContractError(
                "nothing says what the changes and deletes of the feed do to silver",
                where=str(contract.path),
                fix="add `- {property: history, value: {type: 1, businessKey: [...]}}` to customProperties",
            )
        for column in contract.columns:
            if column.sources:
                typed(column)
        compiled = (*rules(contract), *filter(None, [delete_rule(contract), late_rule(contract)]))
        if strange := [rule.id for rule in compiled if RULE_SEPARATOR in rule.id]:
            raise ContractError(f"the rule id {strange[0]!r} has a comma", where=str(contract.path), fix="rename it")
        verdicts = Verdicts.of(compiled, measures(contract), deletes=contract.change_feed)
        return cls(contract, verdicts, key, run_id, batch_id)

    @property
    def removes_identical(self) -> bool:
        """Whether identical records become one: not where their places tell which of a key's changes is the later."""
        told_apart = self.contract.change_order is ChangeOrder.DELIVERIES
        return self.contract.deduplication.identical_rows == "remove" and not told_apart

    def judged(self, batch: PlacedRows, keys: Mapping[str, DataFrame]) -> DataFrame:
        """Return a row a group of identical records: typed, judged, with the source's texts and `CARRIED`.

        Args:
            batch: The records, malformed ones too, which are identical to none.
            keys: For each rule that looks keys up, by its id, the frame that has them.
        """
        mark = [WATERMARK] if self.contract.lateness else []
        typed_rows = self._typed(self._grouped(batch.rows), [*self._carried, "_parse_error", *mark])
        for rule in self.verdicts.rules:
            if rule.lookup:
                typed_rows = _looked_up(typed_rows, rule.id, rule.lookup, keys[rule.id])
        return typed_rows.selectExpr("*", *self.verdicts.columns)

    def refined(self, judged: DataFrame, batch: PlacedRows) -> DataFrame:
        """Return judged rows as silver has them, personal columns masked, with the verdicts and `FATE`.

        `_row_hash` is over the source's texts; where one is personal its pseudonym goes in instead, or the hash could
        be tried out with all five-digit numbers. Of a rejected row nothing personal is kept; its `_position` is, by
        which its record is found.
        """
        masks = {c.name: c.masking for c in self.contract.personal_columns if c.masking}
        hidden = {source_column(field) for c in self.contract.personal_columns for field in c.sources}
        keys = {name: surrogate_key(of) for name, of in self.contract.surrogate_keys.items()}
        typed_columns = [sql.name(column.name) for column in self.contract.columns if column.surrogate_key is None]
        numbers = self.verdicts.numbers
        good = f"NOT ({self.verdicts.is_broken})"
        rows = judged
        if masks:
            personal = {sql.name(name) for name in (*masks, *hidden)}
            kept = [
                f"CASE WHEN {good} THEN {name} END AS {name}" if name in personal else name
                for name in (*typed_columns, *self._sources)
            ]
            rows = masked(judged.selectExpr(*kept, *self._carried, *numbers), self.key, masks, hidden)
        made = [
            f"{keys[c.name]} AS {sql.name(c.name)}" if c.surrogate_key else sql.name(c.name)
            for c in self.contract.columns
        ]
        hashed = f"CASE WHEN {good} THEN {self._hash} END AS _row_hash"
        place = f"CASE WHEN {good} THEN NULL ELSE _position END AS _position"
        fate = f"CASE WHEN {good} THEN {ACCEPTED} ELSE {REJECTED} END AS {FATE}"
        more = [place, *numbers, fate]
        return self._stamped(batch.located(rows), [*made, *LINEAGE, *self._feed, hashed], more)

    def published(self, refined: DataFrame) -> DataFrame:
        """Return silver's rows: the contract's columns, `LINEAGE`, the row's hash and the run's columns."""
        columns = [sql.name(column.name) for column in self.contract.columns]
        return refined.where(f"{FATE} = {ACCEPTED}").select(*columns, *LINEAGE, *self._feed, "_row_hash", *RUN)

    def rejected(self, batch: PlacedRows, judged: DataFrame) -> DataFrame:
        """Return quarantine's rows: every rule that a record broke, the raw record, the batch.

        Args:
            batch: Malformed records have one rule, ``parse_<kind>``.
            judged: Judged or refined rows.
        """
        bad = judged.where(self.verdicts.is_broken)
        bad = bad.select("_position", "_copies", "_ingested_at", *self.verdicts.broken)
        # Joined: carrying the raw record through the grouping costs three times as much.
        texts = self._records(batch.rows, "_raw").drop("_ingested_at")
        kind = f"concat('{PARSE_RULE}', replace(split(_parse_error, ':')[0], '-', '_'))"
        rows = texts.join(bad, ["_position"]).selectExpr(
            *CARRIED,
            f"CASE WHEN _parse_error IS NULL THEN {self._hash} END AS _row_hash",
            f"CASE WHEN _parse_error IS NOT NULL THEN {kind} ELSE {self.verdicts.rule_ids} END AS _rules",
            "_parse_error",
            "_raw",
        )
        version = f"{sql.text(self.contract.version)} AS _contract_version"
        columns = [*LINEAGE, "_row_hash", "_raw", "_rescued", "_rules", "_parse_error", version]
        return self._stamped(batch.located(rows), columns)

    def events(self, bronze: DataFrame) -> DataFrame:
        """Return the event time of each well-formed record, `_event`, with its `_ingested_at`.

        Args:
            bronze: Any rows of bronze; the contract says how late a record may come.
        """
        column = self.contract.lateness.column if self.contract.lateness else ""
        records = self._records(bronze.where("_parse_error IS NULL").selectExpr("*", "0L AS _position"))
        event = f"CAST({sql.name(column)} AS TIMESTAMP) AS _event"
        return self._typed(records, ["_ingested_at"]).selectExpr("_ingested_at", event)

    def hashes(self, bronze: DataFrame) -> DataFrame:
        """Return each record's `_row_hash` as quarantine has it, null of malformed ones, with its content and line.

        Args:
            bronze: Any rows of bronze.
        """
        place = "concat(_file_sha256, ':', CAST(_line AS STRING)) AS _position"
        records = self._records(bronze.selectExpr("*", place))
        return records.selectExpr(
            "split(_position, ':')[0] AS _file_sha256",
            "CAST(split(_position, ':')[1] AS BIGINT) AS _line",
            f"CASE WHEN _parse_error IS NULL THEN {self._hash} END AS _row_hash",
        )

    # Inside

    @property
    def _sources(self) -> list[str]:
        """The columns with the source's texts, quoted."""
        return [sql.name(source_column(field)) for field in self.contract.source_fields]

    @property
    def _hash(self) -> str:
        return row_hash([*map(source_column, self.contract.source_fields), "_rescued", *self._feed])

    @property
    def _feed(self) -> tuple[str, ...]:
        """What a change feed's envelope says of a record: it tells records apart."""
        return FEED if self.contract.change_feed else ()

    @property
    def _carried(self) -> tuple[str, ...]:
        return (*CARRIED, *self._feed)

    def _records(self, bronze: DataFrame, *more: str) -> DataFrame:
        """Return the source's texts, null where the contract reads nothing, and what decides or goes with them."""
        texts = [self._nulled(field) for field in self.contract.source_fields]
        return bronze.selectExpr(*texts, "_rescued", "_ingested_at", "_parse_error", "_position", *self._feed, *more)

    def _grouped(self, bronze: DataFrame) -> DataFrame:
        """Return the source's texts with `CARRIED`: one row a group of identical records, the first.

        A malformed record has no fields to compare, and is identical to none. One that came late is identical to those
        that did too: it is judged by another watermark.
        """
        from pyspark.sql import functions as F  # noqa: N812 - the customary name

        late = late_rule(self.contract)
        records = self._records(bronze, *([WATERMARK] if late else []))
        if not self.removes_identical:
            return records.selectExpr("*", "1L AS _copies")
        apart = {"_alone": "CASE WHEN _parse_error IS NOT NULL THEN _position END"}
        if late:
            kept = ["_rescued", "_ingested_at", "_parse_error", "_position", *self._feed, WATERMARK]
            records = self._typed(records, kept)
            apart["_on_time"] = late.predicate
        records = records.selectExpr("*", *(f"{value} AS {name}" for name, value in apart.items()))
        return records.groupBy(*self._sources, "_rescued", *self._feed, *apart).agg(
            F.min("_position").alias("_position"),
            F.count("*").alias("_copies"),
            F.min("_ingested_at").alias("_ingested_at"),
            F.min("_parse_error").alias("_parse_error"),
            # All are on time, or none is: so is the group by the greatest of theirs.
            *([F.max(WATERMARK).alias(WATERMARK)] if late else []),
        )

    def _typed(self, records: DataFrame, kept: Sequence[str]) -> DataFrame:
        """Return the contract's columns, the source's texts and `kept`."""
        fields = self.contract.source_fields
        # Expressions of the contract speak of the source's fields by their own names.
        named = [f"{source} AS {sql.name(field)}" for source, field in zip(self._sources, fields, strict=True)]
        sourced = [f"{sql.name(field)} AS {source}" for source, field in zip(self._sources, fields, strict=True)]
        direct = [f"{typed(c)} AS {sql.name(c.name)}" for c in self.contract.columns if c.sources]
        frame = records.selectExpr(*named, *kept).selectExpr(*sourced, *direct, *kept)
        for column in self.contract.columns:
            if column.derived and column.surrogate_key is None:
                value = f"CAST({column.expression} AS {column.type})"
                frame = frame.selectExpr("*", f"{value} AS {sql.name(column.name)}")
        return frame

    def _nulled(self, field: str) -> str:
        text = sql.name(field)
        for null in self.contract.ingestion.null_values if self.contract.ingestion else ():
            text = f"nullif({text}, {sql.text(null)})"
        return f"{text} AS {sql.name(source_column(field))}"

    def _stamped(self, rows: DataFrame, columns: Sequence[str], more: Sequence[str] = ()) -> DataFrame:
        """Return the columns, `RUN` and `more`; a row's age counts from when bronze first took it in."""
        batch, run = f"{sql.text(self.batch_id)} AS _batch_id", f"{sql.text(self.run_id)} AS _run_id"
        return rows.selectExpr(*columns, batch, "_ingested_at", run, *more)


def delete_rule(contract: Contract) -> Rule | None:
    """Return the one rule that a change feed's deletes are judged by: that the key can be read."""
    if not contract.change_feed or contract.history is None:
        return None
    there = " AND ".join(f"{sql.name(name)} IS NOT NULL" for name in contract.history.business_key)
    return Rule(
        id="delete_unkeyed",
        column=None,
        predicate=f"coalesce(_op <> 'd', true) OR ({there})",
        on_failure="quarantine",
        kind="delete",
        description="a delete says what it deletes",
    )


def _looked_up(rows: DataFrame, rule: str, lookup: Lookup, keys: DataFrame) -> DataFrame:
    """Return rows with :func:`found_column`: true where the keys have the row's columns."""
    names = [f"_key_{number}" for number in range(len(lookup.of))]
    chosen = [f"{sql.name(column)} AS {name}" for column, name in zip(lookup.columns, names, strict=True)]
    found = keys.selectExpr(*chosen).distinct().selectExpr(*names, f"true AS {sql.name(found_column(rule))}")
    own = [f"{sql.name(column)} AS {name}" for column, name in zip(lookup.of, names, strict=True)]
    return rows.selectExpr("*", *own).join(found, names, "left").drop(*names)
