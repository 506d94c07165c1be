"""The frames of a silver batch, as functions of the batch's bronze rows: nothing here runs or writes.

`judged` is the one pass: every record's verdicts (:mod:`pipelines.silver.verdicts`), by its position. `accepted` and
`rejected` split the records by them, and make one row of each group of identical ones, which share their verdict;
`published` masks.
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
        """Return the verdicts on every record, malformed ones too, with its `_position`.

        Args:
            batch: The records.
            keys: For each rule that looks keys up, by its id, the frame that has them.
        """
        kept = ["_parse_error", "_position", *self._feed, *([WATERMARK] if self.contract.lateness else [])]
        typed_rows = self._typed(self._records(batch.rows), kept)
        for rule in self.verdicts.rules:
            if rule.lookup:
                typed_rows = _looked_up(typed_rows, rule.id, rule.lookup, keys[rule.id])
        return typed_rows.selectExpr("_position", *self.verdicts.columns)

    def accepted(self, batch: PlacedRows, judged: DataFrame) -> DataFrame:
        """Return the typed rows that break no rejecting rule, with `CARRIED`."""
        bad = judged.where(self.verdicts.is_broken).select("_position")
        good = self._records(batch.rows).join(bad, ["_position"], "left_anti")
        return self._typed(self._grouped(good), self._carried)

    def rejected(self, batch: PlacedRows, judged: DataFrame) -> DataFrame:
        """Return quarantine's rows: every rule that a record broke, the raw record, the batch.

        Args:
            batch: Malformed records have one rule, ``parse_<kind>``.
            judged: Their verdicts.
        """
        broken = self.verdicts.broken
        bad = self._records(batch.rows).join(
            judged.where(self.verdicts.is_broken).select("_position", *broken), ["_position"]
        )
        # A malformed record has no fields to compare, and is identical to none.
        bad = bad.selectExpr("*", "CASE WHEN _parse_error IS NOT NULL THEN _position END AS _alone")
        kind = f"concat('{PARSE_RULE}', replace(split(_parse_error, ':')[0], '-', '_'))"
        rows = self._grouped(bad, "_parse_error", "_alone", *broken).selectExpr(
            *CARRIED,
            f"CASE WHEN _parse_error IS NULL THEN {self._hash} END AS _row_hash",
            f"CASE WHEN _parse_error IS NOT NULL THEN {kind} ELSE {self.verdicts.rule_ids} END AS _rules",
            "_parse_error",
        )
        # Joined afterwards: carrying the raw record through the grouping costs three times as much.
        rows = batch.located(rows.join(batch.rows.select("_position", "_raw"), ["_position"]))
        version = f"{sql.text(self.contract.version)} AS _contract_version"
        return self._stamped(rows, [*LINEAGE, "_row_hash", "_raw", "_rescued", "_rules", "_parse_error", version])

    def published(self, accepted: DataFrame, batch: PlacedRows) -> DataFrame:
        """Return silver's rows: the contract's columns, personal ones masked, `LINEAGE` and the row's hash.

        `_row_hash` is over the source's texts; where one is personal its pseudonym goes in instead, or the hash could
        be tried out with all five-digit numbers.
        """
        masks = {c.name: c.masking for c in self.contract.personal_columns if c.masking}
        hidden = {source_column(field) for c in self.contract.personal_columns for field in c.sources}
        keys = {name: surrogate_key(of) for name, of in self.contract.surrogate_keys.items()}
        typed_columns = [sql.name(column.name) for column in self.contract.columns if column.surrogate_key is None]
        rows = accepted
        if masks:
            rows = masked(accepted.selectExpr(*typed_columns, *self._sources, *self._carried), self.key, masks, hidden)
        made = [
            f"{keys[c.name]} AS {sql.name(c.name)}" if c.surrogate_key else sql.name(c.name)
            for c in self.contract.columns
        ]
        hashed = f"{self._hash} AS _row_hash"
        return self._stamped(batch.located(rows), [*made, *LINEAGE, *self._feed, hashed])

    def events(self, bronze: DataFrame) -> DataFrame:
        """Return the event time of each well-formed record, `_event`, with its `_ingested_at`.

        Args:
            bronze: Any rows of bronze; the contract says how late a record may come.
        """
        column = self.contract.lateness.column if self.contract.lateness else ""
        records = self._records(bronze.where("_parse_error IS NULL").selectExpr("*", "0L AS _position"), marked=False)
        event = f"CAST({sql.name(column)} AS TIMESTAMP) AS _event"
        return self._typed(records, ["_ingested_at"]).selectExpr("_ingested_at", event)

    def hashes(self, bronze: DataFrame) -> DataFrame:
        """Return each record's `_row_hash` as quarantine has it, null of malformed ones, with its content and line.

        Args:
            bronze: Any rows of bronze.
        """
        place = "concat(_file_sha256, ':', CAST(_line AS STRING)) AS _position"
        records = self._records(bronze.selectExpr("*", place), marked=False)
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

    def _records(self, bronze: DataFrame, *, marked: bool = True) -> DataFrame:
        """Return the source's texts, null where the contract reads nothing, and what decides or goes with them."""
        texts = [self._nulled(field) for field in self.contract.source_fields]
        mark = [WATERMARK] if self.contract.lateness and marked else []
        return bronze.selectExpr(*texts, "_rescued", "_ingested_at", "_parse_error", "_position", *self._feed, *mark)

    def _grouped(self, records: DataFrame, *apart: str) -> DataFrame:
        """Return the source's texts with `CARRIED` and `apart`: one row a group of identical records, the first."""
        if self.removes_identical:
            from pyspark.sql import functions as F  # noqa: N812 - the customary name

            return records.groupBy(*self._sources, "_rescued", *self._feed, *apart).agg(
                F.min("_position").alias("_position"),
                F.count("*").alias("_copies"),
                F.min("_ingested_at").alias("_ingested_at"),
            )
        carried = ["1L AS _copies", "_position", "_ingested_at", "_rescued", *self._feed]
        return records.selectExpr(*self._sources, *carried, *apart)

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

    def _stamped(self, rows: DataFrame, columns: Sequence[str]) -> DataFrame:
        """Return the columns and the run's; a row's age counts from when bronze took it in, however often it comes."""
        return rows.selectExpr(
            *columns,
            f"{sql.text(self.batch_id)} AS _batch_id",
            "_ingested_at",
            f"{sql.text(self.run_id)} AS _run_id",
        )


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
