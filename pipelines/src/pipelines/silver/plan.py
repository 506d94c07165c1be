"""The frames of a silver batch, as functions of the batch's bronze rows: nothing here runs or writes.

``candidates`` are the batch's well-formed records, one for each group of identical ones, typed, before masking: what
:mod:`pipelines.quality.rules` speaks of. `accepted` and `rejected` split them by those rules; `published` masks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.contracts.model import Contract
from pipelines.errors import ContractError
from pipelines.quality import sql
from pipelines.quality.rules import Rule, rules, source_column
from pipelines.settings import KeySource
from pipelines.silver.masking import FULL, masked
from pipelines.silver.typing import typed

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

LINEAGE = ("_file", "_file_sha256", "_line", "_copies")
"""Where a row comes from, and how many identical records of its batch it stands for."""
SHA_CHARACTERS = 64
LINE_DIGITS = 12
RULE_SEPARATOR = ","
"""Between the rule ids in quarantine's `_rules`: text, because Sail cannot replace rows that hold an array."""
PARSE_RULE = "parse_"
"""Prefix of the rule ids of malformed records: ``parse_ragged``, ``parse_unclosed_quote``, ..."""


@dataclass(frozen=True, slots=True)
class SilverPlan:
    """What a contract makes of bronze rows.

    Attributes:
        contract: The contract.
        rules: Its rules on rows.
        key: Where the pseudonymisation key is.
        run_id: Goes into `_run_id`.
        batch_id: Goes into `_batch_id`.
    """

    contract: Contract
    rules: tuple[Rule, ...]
    key: KeySource
    run_id: str
    batch_id: str

    @classmethod
    def of(cls, contract: Contract, key: KeySource, run_id: str, batch_id: str) -> SilverPlan:
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
        return cls(contract, compiled, key, run_id, batch_id)

    @property
    def removes_identical(self) -> bool:
        """Whether identical records become one."""
        return self.contract.deduplication.identical_rows == "remove"

    @property
    def rejecting(self) -> tuple[Rule, ...]:
        """Rules whose breach sends a row to quarantine."""
        return tuple(rule for rule in self.rules if rule.on_failure == "quarantine")

    @property
    def watched(self) -> tuple[Rule, ...]:
        """Rules that are counted before anything is written: warnings, and those that stop the batch."""
        return tuple(rule for rule in self.rules if rule.on_failure != "quarantine")

    def candidates(self, bronze: DataFrame) -> DataFrame:
        """Return typed rows: every column of the contract, every source field's text, `LINEAGE`, the source's hash.

        Args:
            bronze: Rows of the batch; malformed ones are left out.
        """
        return self._typed(bronze.where("_parse_error IS NULL"), malformed=False)

    def _typed(self, bronze: DataFrame, *, malformed: bool) -> DataFrame:
        fields = self.contract.source_fields
        kept = [*LINEAGE, "_source_hash", "_rescued", *(["_parse_error"] if malformed else [])]
        nulled = self._grouped(bronze, malformed=malformed).selectExpr(
            *(self._nulled(field) for field in fields), *kept
        )
        sourced = [f"{sql.name(field)} AS {sql.name(source_column(field))}" for field in fields]
        direct = [column for column in self.contract.columns if not column.derived]
        frame = nulled.selectExpr(*sourced, *(f"{typed(c)} AS {sql.name(c.name)}" for c in direct), *kept)
        for column in self.contract.columns:
            if column.derived:
                value = f"CAST({column.expression} AS {column.type})"
                frame = frame.selectExpr("*", f"{value} AS {sql.name(column.name)}")
        return frame

    def accepted(self, candidates: DataFrame) -> DataFrame:
        """Return the candidates that break no rejecting rule."""
        return candidates.where(sql.all_of([rule.predicate for rule in self.rejecting]))

    def rejected(self, bronze: DataFrame) -> DataFrame:
        """Return quarantine's rows: every rule that a record broke, the raw record, the batch.

        Args:
            bronze: Rows of the batch; malformed ones have one rule, ``parse_<kind>``.
        """
        broken = ", ".join(f"CASE WHEN NOT ({r.predicate}) THEN {sql.text(r.id)} END" for r in self.rejecting)
        good = sql.all_of([rule.predicate for rule in self.rejecting])
        separator = sql.text(RULE_SEPARATOR)
        kind = f"concat('{PARSE_RULE}', replace(split(_parse_error, ':')[0], '-', '_'))"
        rules = f"CASE WHEN _parse_error IS NOT NULL THEN {kind} ELSE concat_ws({separator}, {broken or 'NULL'}) END"
        rows = self._typed(bronze, malformed=True).where(f"_parse_error IS NOT NULL OR NOT ({good})")
        # Joined afterwards: carrying the raw record through the grouping costs three times as much.
        rows = rows.join(bronze.select("_file_sha256", "_line", "_raw"), ["_file_sha256", "_line"])
        return self._stamped(
            rows.selectExpr(
                *LINEAGE,
                "CASE WHEN _parse_error IS NULL THEN _source_hash END AS _row_hash",
                "_raw",
                "_rescued",
                f"{rules} AS _rules",
                "_parse_error",
                f"{sql.text(self.contract.version)} AS _contract_version",
            )
        )

    def published(self, accepted: DataFrame) -> DataFrame:
        """Return silver's rows: the contract's columns, personal ones masked, `LINEAGE` and the row's hash.

        `_row_hash` is over the source's texts; where one is personal its pseudonym goes in instead, or the hash could
        be tried out with all five-digit numbers.
        """
        masks = {c.name: c.pseudonymisation.characters for c in self.contract.personal_columns if c.pseudonymisation}
        hidden = {source_column(field) for c in self.contract.personal_columns for field in c.sources}
        columns = [sql.name(column.name) for column in self.contract.columns]
        if not hidden:
            return self._stamped(accepted.selectExpr(*columns, *LINEAGE, "_source_hash AS _row_hash"))
        sources = [source_column(field) for field in self.contract.source_fields]
        texts = [
            f"CAST({quoted} AS STRING) AS {quoted}" if column.name in masks else quoted
            for column, quoted in zip(self.contract.columns, columns, strict=True)
        ]
        open_rows = accepted.selectExpr(*texts, *LINEAGE, *map(sql.name, sources), "_rescued")
        rows = masked(open_rows, self.key, masks | dict.fromkeys(hidden, FULL))
        return self._stamped(rows.selectExpr(*columns, *LINEAGE, f"{row_hash([*sources, '_rescued'])} AS _row_hash"))

    def best_by_key(self, accepted: DataFrame) -> DataFrame:
        """Return, for each business key, the row that wins; its `_copies` count those that lost."""
        settings = self.contract.deduplication
        keys = ", ".join(sql.name(name) for name in settings.business_key)
        order = ", ".join(f"{sql.name(name)} DESC NULLS LAST" for name in settings.order_by)
        order = f"{order}, _file_sha256, _line" if order else "_file_sha256, _line"
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

    def _grouped(self, bronze: DataFrame, *, malformed: bool) -> DataFrame:
        """Return source fields with `LINEAGE`: one row a group of identical records, the first by content and line.

        A malformed record has no fields to compare, and is identical to none.
        """
        identity = [*(sql.name(field) for field in self.contract.source_fields), "_rescued"]
        error = ["_parse_error"] if malformed else []
        source_hash = f"{row_hash([*self.contract.source_fields, '_rescued'])} AS _source_hash"
        if not self.removes_identical:
            lineage = ["_file", "_file_sha256", "_line", "CAST(1 AS BIGINT) AS _copies"]
            return bronze.selectExpr(*identity, *lineage, source_hash, *error)
        from pyspark.sql import functions as F  # noqa: N812 - the customary name

        # One text a record, which sorts by content, then line: the least of a group is cheap on every engine, where a
        # window over eight columns costs four times as much and a struct twenty.
        position = f"concat(_file_sha256, lpad(CAST(_line AS STRING), {LINE_DIGITS}, '0'), _file)"
        alone = [f"CASE WHEN _parse_error IS NOT NULL THEN {position} END AS _alone"] if malformed else []
        placed = bronze.selectExpr(*identity, f"{position} AS _position", *error, *alone)
        grouped = placed.groupBy(*identity, *error, *(["_alone"] if malformed else [])).agg(
            F.min("_position").alias("_first"), F.count("*").alias("_copies")
        )
        return grouped.selectExpr(
            *identity,
            f"substring(_first, {SHA_CHARACTERS + LINE_DIGITS + 1}) AS _file",
            f"substring(_first, 1, {SHA_CHARACTERS}) AS _file_sha256",
            f"CAST(substring(_first, {SHA_CHARACTERS + 1}, {LINE_DIGITS}) AS BIGINT) AS _line",
            "_copies",
            source_hash,
            *error,
        )

    def _nulled(self, field: str) -> str:
        nulls = self.contract.ingestion.null_values if self.contract.ingestion else ()
        quoted = sql.name(field)
        if not nulls:
            return quoted
        return f"CASE WHEN {quoted} IN ({', '.join(map(sql.text, nulls))}) THEN NULL ELSE {quoted} END AS {quoted}"

    def _stamped(self, rows: DataFrame) -> DataFrame:
        return rows.selectExpr(
            "*",
            f"{sql.text(self.batch_id)} AS _batch_id",
            "current_timestamp() AS _ingested_at",
            f"{sql.text(self.run_id)} AS _run_id",
        )


def row_hash(columns: Sequence[str]) -> str:
    """Return SQL of a SHA-256 over texts, hexadecimal, that no two different rows share: lengths first, then texts."""
    names = [sql.name(column) for column in columns]
    lengths = [f"coalesce(CAST(length({name}) AS STRING), '-')" for name in names]
    return f"sha2(concat_ws(',', {', '.join(lengths)}, {', '.join(names)}), 256)"
