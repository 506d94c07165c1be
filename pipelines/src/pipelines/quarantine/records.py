"""Rejected records as people look at them: counted, page by page, one at a time; personal fields are never told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from pipelines import sql
from pipelines.bronze.ingest import bronze_path
from pipelines.contracts.extensions.ingestion import RESERVED
from pipelines.contracts.model import Contract
from pipelines.errors import UsageError
from pipelines.quarantine.states import Event, State, standing
from pipelines.silver.plan import PARSE_RULE, SilverPlan
from pipelines.silver.refinement import quarantine_path
from pipelines.silver.verdicts import RULE_SEPARATOR

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from pipelines.engine import Engine
    from pipelines.settings import RunSettings

ID_CHARACTERS: Final = 16
ID: Final = (
    "substring(coalesce(_row_hash, sha2(concat(_file_sha256, ':', CAST(_line AS STRING)), 256)), "
    f"1, {ID_CHARACTERS}) AS quarantine_id"
)
"""SQL of what a rejected record is called, the same in every replay: of its fields' hash, or of its place where it is
malformed and has no fields."""
MASKED: Final = "•••"
"""What stands for a value that is not told."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """One rejected record; identical ones that are kept apart have one id, and are one.

    Attributes:
        quarantine_id: Its id.
        state: Where it stands.
        rules: Ids of the rules that it breaks.
        file: Name of the delivery that it came in first, relative to the landing folder.
        file_sha256: Its content.
        line: Line in it.
        copies: Identical records that it stands for.
        first_seen: When bronze took it in, UTC.
        raw: Its bytes.
        parse_error: ``kind: detail`` where it is malformed.
        batch_id: Batch that it was judged in.
        contract_version: Contract that it was judged by.
    """

    quarantine_id: str
    state: State
    rules: tuple[str, ...]
    file: str
    file_sha256: str
    line: int
    copies: int
    first_seen: datetime
    raw: bytes
    parse_error: str | None
    batch_id: str
    contract_version: str


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time that a record came, byte by byte.

    Attributes:
        raw: Its bytes.
        file: Name of the delivery.
        line: Line in it.
        at: When bronze took it in, UTC.
    """

    raw: bytes
    file: str
    line: int
    at: datetime


class Quarantine:
    """The rejected records of one dataset.

    Args:
        engine: The open engine.
        settings: Where its tables are.
        contract: Its contract.
        last: The last event of each record, by id.
    """

    def __init__(self, engine: Engine, settings: RunSettings, contract: Contract, last: Mapping[str, Event]) -> None:
        self._engine, self._settings, self._contract, self._last = engine, settings, contract, last
        self._path = quarantine_path(settings, contract.dataset)

    def counts(self) -> list[dict[str, Any]]:
        """Count records by rule and state, the most frequent rule first; one of two rules counts for each."""
        counted: Counter[tuple[str, str]] = Counter()
        for rules, state, rows in self._marked().groupBy("_rules", "state").count().collect():
            for rule in rules.split(RULE_SEPARATOR):
                counted[rule, state] += rows
        ordered = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
        return [{"rule": rule, "state": state, "rows": rows} for (rule, state), rows in ordered]

    def rules(self) -> dict[str, str]:
        """The rules that each record breaks, comma-separated, by id."""
        rows = self._marked().select("quarantine_id", "_rules").distinct().toArrow().to_pylist()
        return {row["quarantine_id"]: row["_rules"] for row in rows}

    def page(self, states: Collection[State], *, rule: str | None = None, limit: int | None = None) -> list[Rejected]:
        """Return records in some states, by delivery and line.

        Args:
            states: The states.
            rule: Only those that break this rule.
            limit: At most so many; all of them where it is ``None``.
        """
        rows = self._marked().where(f"state IN ({', '.join(sql.text(state) for state in sorted(states))})")
        if rule is not None:
            rows = rows.where(f"array_contains(split(_rules, '{RULE_SEPARATOR}'), {sql.text(rule)})")
        return self._rejected(rows, limit)

    def chosen(self, ids: Collection[str]) -> list[Rejected]:
        """Return the records that are named.

        Raises:
            UsageError: one of them is not in quarantine.
        """
        found = self._rejected(self._engine.among(self._marked(), "quarantine_id", sorted(ids)), None)
        if strange := sorted(set(ids) - {record.quarantine_id for record in found}):
            raise UsageError(
                f"the quarantine of {self._contract.dataset} has no record {', '.join(strange)}",
                where=self._path,
                fix=f"levee quarantine list {self._contract.dataset} --state all",
            )
        return found

    def occurrences(self, records: Sequence[Rejected]) -> list[Occurrence]:
        """Return every time that these records came, byte by byte, the oldest first."""
        raws = sorted({record.raw for record in records})
        bronze = bronze_path(self._settings, self._contract.dataset)
        if not raws or not self._engine.exists(bronze):
            return []
        wanted = self._engine.frame(pa.table({"_raw": pa.array(raws, pa.binary())}))
        rows = self._engine.read(bronze).select("_raw", "_file", "_line", "_ingested_at").join(wanted, ["_raw"])
        told = [
            Occurrence(row["_raw"], row["_file"], row["_line"], row["_ingested_at"])
            for row in rows.toArrow().to_pylist()
        ]
        return sorted(told, key=lambda one: (one.at, one.file, one.line))

    def fields(self, record: Rejected) -> dict[str, str | None]:
        """Return the record's fields as bronze has them, those that the contract does not know behind the others."""
        rows = self._engine.read(bronze_path(self._settings, self._contract.dataset))
        mine = rows.where(f"_file_sha256 = {sql.text(record.file_sha256)} AND _line = {record.line}")
        row = mine.toArrow().slice(0, 1).to_pylist()[0]
        known = {name: row[name] for name in self._contract.source_fields}
        return known | {name: row[name] for name in row if name not in known and name not in RESERVED} | _rescued(row)

    def _marked(self) -> DataFrame:
        """Quarantine's rows with `quarantine_id` and `state`."""
        rows = self._engine.read(self._path).selectExpr("*", ID)
        said = {name: standing(event).value for name, event in self._last.items()}
        told = pa.table(
            {"quarantine_id": pa.array(said.keys(), pa.string()), "_said": pa.array(said.values(), pa.string())}
        )
        marked = (
            rows.join(self._engine.frame(told), ["quarantine_id"], "left")
            if said
            else rows.selectExpr("*", "CAST(NULL AS STRING) AS _said")
        )
        return marked.selectExpr("*", f"coalesce(_said, '{State.OPEN}') AS state")

    def _rejected(self, marked: DataFrame, limit: int | None) -> list[Rejected]:
        same = "OVER (PARTITION BY quarantine_id"
        first = marked.selectExpr(
            "*", f"row_number() {same} ORDER BY _file, _line) AS _place", f"sum(_copies) {same}) AS _every"
        ).where("_place = 1")
        ordered = first.orderBy("_file", "_line", "quarantine_id")
        rows = ordered if limit is None else ordered.limit(limit)
        return [
            Rejected(
                quarantine_id=row["quarantine_id"],
                state=State(row["state"]),
                rules=tuple(row["_rules"].split(RULE_SEPARATOR)),
                file=row["_file"],
                file_sha256=row["_file_sha256"],
                line=row["_line"],
                copies=int(row["_every"]),
                first_seen=row["_ingested_at"],
                raw=row["_raw"],
                parse_error=row["_parse_error"],
                batch_id=row["_batch_id"],
                contract_version=row["_contract_version"],
            )
            for row in rows.toArrow().to_pylist()
        ]


def _rescued(row: Mapping[str, Any]) -> dict[str, str | None]:
    from pipelines.bronze.formats.json_text import JsonReader
    from pipelines.bronze.formats.values import text_of

    value, _ = JsonReader().line(row["_rescued"] or "{}")
    return {name: text_of(one) for name, one in value.items()}


def masked(fields: Mapping[str, str | None], contract: Contract) -> dict[str, str | None]:
    """Return a record's fields without what is personal.

    Of a dataset that has personal columns, what the contract does not know is personal until somebody has said.
    """
    hidden = contract.personal_fields
    told = set(contract.source_fields) - hidden if hidden else {*fields}
    return {name: value if value is None or name in told else MASKED for name, value in fields.items()}


def described(rules: Sequence[str], contract: Contract) -> list[dict[str, str]]:
    """Return what each rule says, by the contract as it is now."""
    known = {rule.id: rule.description for rule in SilverPlan.of(contract, None, "", "").verdicts.rules}
    return [{"rule": rule, "description": _description(rule, known)} for rule in rules]


def _description(rule: str, known: Mapping[str, str]) -> str:
    if rule.startswith(PARSE_RULE):
        return f"the record cannot be split into fields: {rule.removeprefix(PARSE_RULE).replace('_', '-')}"
    return known.get(rule, "the contract has this rule no more")


__all__ = ["ID", "MASKED", "Occurrence", "Quarantine", "Rejected", "described", "masked"]
