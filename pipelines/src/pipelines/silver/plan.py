"""The frames of a silver batch, as functions of the batch's bronze rows: nothing here runs or writes.

`judged` is the one pass: every record's verdicts (:mod:`pipelines.silver.verdicts`), by its position. `accepted` and
`rejected` split the records by them, and make one row of each group of identical ones, which share their verdict;
`published` masks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.contracts.model import Contract
from pipelines.errors import ContractError
from pipelines.privacy.masking import masked
from pipelines.quality import sql
from pipelines.quality.batch_checks import measures
from pipelines.quality.rule import Lookup, found_column
from pipelines.quality.rules import rules, source_column
from pipelines.secret_references import SecretReference
from pipelines.silver.placed import PlacedRows
from pipelines.silver.typing import typed
from pipelines.silver.verdicts import RULE_SEPARATOR, Verdicts

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

LINEAGE = ("_file", "_file_sha256", "_line", "_copies")
"""Where a row comes from, and how many identical records of its batch it stands for."""
CARRIED = ("_position", "_copies", "_ingested_at", "_rescued")
"""What goes with a typed row: its place, how many records it stands for, when the first of these was taken in, unknown
columns."""
HASH_CHARACTERS = 32
"""Hexadecimal characters of a row's hash, 128 bits: of a billion rows two share one with a chance of 10^-21."""
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
        for column in contract.columns:
            if not column.derived:
                typed(column)
        compiled = rules(contract)
        if strange := [rule.id for rule in compiled if RULE_SEPARATOR in rule.id]:
            raise ContractError(f"the rule id {strange[0]!r} has a comma", where=str(contract.path), fix="rename it")
        return cls(contract, Verdicts.of(compiled, measures(contract)), key, run_id, batch_id)

    @property
    def removes_identical(self) -> bool:
        """Whether identical records become one."""
        return self.contract.deduplication.identical_rows == "remove"

    def judged(self, batch: PlacedRows, keys: Mapping[str, DataFrame]) -> DataFrame:
        """Return the verdicts on every record, malformed ones too, with its `_position`.

        Args:
            batch: The records.
            keys: For each rule that looks keys up, by its id, the frame that has them.
        """
        kept = ["_parse_error", "_position"]
        typed_rows = self._typed(self._records(batch.rows), kept)
        for rule in self.verdicts.rules:
            if rule.lookup:
                typed_rows = _looked_up(typed_rows, rule.id, rule.lookup, keys[rule.id])
        return typed_rows.selectExpr("_position", *self.verdicts.columns)

    def accepted(self, batch: PlacedRows, judged: DataFrame) -> DataFrame:
        """Return the typed rows that break no rejecting rule, with `CARRIED`."""
        bad = judged.where(self.verdicts.is_broken).select("_position")
        good = self._records(batch.rows).join(bad, ["_position"], "left_anti")
        return self._typed(self._grouped(good), CARRIED)

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
        columns = [sql.name(column.name) for column in self.contract.columns]
        rows = accepted
        if masks:
            rows = masked(accepted.selectExpr(*columns, *self._sources, *CARRIED), self.key, masks, hidden)
        return self._stamped(batch.located(rows), [*columns, *LINEAGE, f"{self._hash} AS _row_hash"])

    def best_by_key(self, accepted: DataFrame) -> DataFrame:
        """Return, for each business key, the row that wins; its `_copies` count those that lost."""
        settings = self.contract.deduplication
        keys = ", ".join(sql.name(name) for name in settings.business_key)
        order = ", ".join(f"{sql.name(name)} DESC NULLS LAST" for name in settings.order_by)
        order = f"{order}, _position" if order else "_position"
        ranked = accepted.selectExpr(
            "*",
            f"row_number() OVER (PARTITION BY {keys} ORDER BY {order}) AS _rank",
            f"sum(_copies) OVER (PARTITION BY {keys}) AS _all_copies",
        )
        kept = [f"`{name}`" for name in accepted.columns if name != "_copies"]
        return ranked.where("_rank = 1").selectExpr(*kept, "_all_copies AS _copies")

    def wins(self) -> str:
        """Return SQL that is true where a new row ``s`` takes the place of a known row ``t`` of its business key.

        The order is total, so that the outcome does not depend on which came first; a row takes its own place.
        """
        condition = "(s._file_sha256 < t._file_sha256 OR (s._file_sha256 = t._file_sha256 AND s._line <= t._line))"
        for name in reversed(self.contract.deduplication.order_by):
            new, old = f"s.{sql.name(name)}", f"t.{sql.name(name)}"
            higher = f"coalesce({new} > {old}, {new} IS NOT NULL AND {old} IS NULL)"
            condition = f"({higher} OR ({new} <=> {old} AND {condition}))"
        return condition

    # Inside

    @property
    def _sources(self) -> list[str]:
        """The columns with the source's texts, quoted."""
        return [sql.name(source_column(field)) for field in self.contract.source_fields]

    @property
    def _hash(self) -> str:
        return row_hash([*(source_column(field) for field in self.contract.source_fields), "_rescued"])

    def _records(self, bronze: DataFrame) -> DataFrame:
        """Return the source's texts, null where the contract reads nothing, and what decides or goes with them."""
        texts = [self._nulled(field) for field in self.contract.source_fields]
        return bronze.selectExpr(*texts, "_rescued", "_ingested_at", "_parse_error", "_position")

    def _grouped(self, records: DataFrame, *apart: str) -> DataFrame:
        """Return the source's texts with `CARRIED` and `apart`: one row a group of identical records, the first."""
        if self.removes_identical:
            from pyspark.sql import functions as F  # noqa: N812 - the customary name

            return records.groupBy(*self._sources, "_rescued", *apart).agg(
                F.min("_position").alias("_position"),
                F.count("*").alias("_copies"),
                F.min("_ingested_at").alias("_ingested_at"),
            )
        return records.selectExpr(*self._sources, "1L AS _copies", "_position", "_ingested_at", "_rescued", *apart)

    def _typed(self, records: DataFrame, kept: Sequence[str]) -> DataFrame:
        """Return the contract's columns, the source's texts and `kept`."""
        fields = self.contract.source_fields
        # Expressions of the contract speak of the source's fields by their own names.
        named = [f"{source} AS {sql.name(field)}" for source, field in zip(self._sources, fields, strict=True)]
        sourced = [f"{sql.name(field)} AS {source}" for source, field in zip(self._sources, fields, strict=True)]
        direct = [f"{typed(c)} AS {sql.name(c.name)}" for c in self.contract.columns if not c.derived]
        frame = records.selectExpr(*named, *kept).selectExpr(*sourced, *direct, *kept)
        for column in self.contract.columns:
            if column.derived:
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


def _looked_up(rows: DataFrame, rule: str, lookup: Lookup, keys: DataFrame) -> DataFrame:
    """Return rows with :func:`found_column`: true where the keys have the row's columns."""
    names = [f"_key_{number}" for number in range(len(lookup.of))]
    chosen = [f"{sql.name(column)} AS {name}" for column, name in zip(lookup.columns, names, strict=True)]
    found = keys.selectExpr(*chosen).distinct().selectExpr(*names, f"true AS {sql.name(found_column(rule))}")
    own = [f"{sql.name(column)} AS {name}" for column, name in zip(lookup.of, names, strict=True)]
    return rows.selectExpr("*", *own).join(found, names, "left").drop(*names)


def row_hash(columns: Sequence[str]) -> str:
    """Return SQL of a hash over texts that no two different rows share: of their lengths first, then of the texts.

    The first `HASH_CHARACTERS` of SHA-256, hexadecimal.
    """
    names = [sql.name(column) for column in columns]
    lengths = [f"coalesce(CAST(length({name}) AS STRING), '-')" for name in names]
    digest = f"sha2(concat_ws(',', {', '.join(lengths)}, {', '.join(names)}), 256)"
    return f"substring({digest}, 1, {HASH_CHARACTERS})"
