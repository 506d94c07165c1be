"""Examples of what a batch is held for, as a message may show them (decision 0033).

A column that the contract masks is masked as silver would mask it, so that the row can be found there by its mask. What
is no higher than ``internal`` is shown as it was read, or as the source has it where it cannot be read. Anything else
is not read at all: a field above that without a mask, a field that the contract does not know, the bytes of a record
that could not be split into fields. They are made when a message is sent, and kept nowhere.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from pipelines import sql
from pipelines.alerts.facts import Alert, Event, Sample
from pipelines.bronze.formats.values import text_of
from pipelines.bronze.ingest import bronze_path
from pipelines.contracts.model import Classification, Column, Contract
from pipelines.ledger import Ledger, Status, latest
from pipelines.privacy.masking import masked
from pipelines.quality.rules import rules
from pipelines.settings import Layer, RunSettings
from pipelines.silver.examples import Example
from pipelines.silver.holding import BatchHeldError
from pipelines.silver.refinement import Refinement
from pipelines.silver.typing import typed

if TYPE_CHECKING:
    from pipelines.engine import Engine
    from pipelines.errors import PipelineError
    from pipelines.observe.facts import Ended

log = logging.getLogger("levee.alerts")

OPEN: Final = Classification.INTERNAL
"""The most sensitive columns that are shown without a mask."""
HIDDEN: Final = "•••"
"""What stands for a value that is not shown."""
MOST_RECORDS: Final = 2_000_000
"""Records of a batch beyond which it is not judged again for the sake of a message."""
FIELDS: Final = 8
"""Fields of a sample, its key first."""
LONGEST: Final = 60
"""Characters of a value."""


def samples(engine: Engine, ended: Ended, alert: Alert, error: PipelineError | None, most: int) -> tuple[Sample, ...]:
    """Return examples of the records that an alert's batches are held for.

    Args:
        engine: The open engine.
        ended: The run that found them.
        alert: The alert; one that is not about held batches has none.
        error: Why the task failed.
        most: So many at most.
    """
    settings, contract = ended.run.settings, ended.run.contract
    held = _batches(alert, error)
    if not held or not most:
        return ()
    entries = latest(Ledger(engine, settings).entries(Layer.SILVER, contract.dataset)).values()
    waiting = [entry for entry in entries if entry.status is Status.HELD and entry.batch_id in held]
    records = sum(entry.rows for entry in waiting)
    if not 0 < records <= MOST_RECORDS:
        log.info("no examples of %s: its held batches have %d records", contract.dataset, records)
        return ()
    examples = Refinement(engine, contract, settings, waiting, (), standing=None).examples(most)
    shown = _Shown.of(contract, examples)
    values = shown.read(engine, settings)
    return tuple(
        Sample(
            rules=example.rules,
            records=example.records,
            file=_cut(example.file, 2 * LONGEST),
            line=example.line,
            fields=shown.fields(example, values.get((example.file_sha256, example.line), {})),
        )
        for example in examples
    )


def _batches(alert: Alert, error: PipelineError | None) -> frozenset[str]:
    if alert.event is Event.BATCH_HELD:
        return frozenset(rule.id for rule in alert.rules)
    if alert.event is Event.PIPELINE_STOPPED and isinstance(error, BatchHeldError):
        return frozenset({error.batch_id})
    return frozenset()


class _Shown:
    """The columns that examples are shown with.

    Args:
        contract: The contract.
        examples: The examples.
        by_rule: Columns that each rule looks at, made from source fields.
    """

    def __init__(self, contract: Contract, examples: Sequence[Example], by_rule: Mapping[str, list[str]]) -> None:
        self._contract, self._examples, self._by_rule = contract, examples, by_rule
        used = dict.fromkeys(name for example in examples for name in self._names(example))
        self._columns = [contract.column(name) for name in used]

    @classmethod
    def of(cls, contract: Contract, examples: Sequence[Example]) -> _Shown:
        """Find the columns that the examples' rules look at."""
        broken = {name for example in examples for name in example.rules}
        named = {
            rule.id: list(_looked_at(contract, rule.column, rule.predicate))
            for rule in rules(contract)
            if rule.id in broken
        }
        return cls(contract, examples, named)

    def read(self, engine: Engine, settings: RunSettings) -> dict[tuple[str, int], dict[str, Any]]:
        """Read the examples' fields, masked in the workers; by content and line."""
        readable = [column for column in self._columns if _is_readable(column)]
        if not readable:
            return {}
        masks = {column.name: column.masking for column in readable if column.masking}
        beside = {mask.by for mask in masks.values() if mask.by is not None} - {column.name for column in readable}
        typed_columns = [*readable, *(self._contract.column(name) for name in sorted(beside))]
        selected = [f"{typed(column)} AS {sql.name(column.name)}" for column in typed_columns]
        selected += [f"{_text(column)} AS {sql.name(_as_text(column.name))}" for column in readable]
        places = " OR ".join(
            f"(_file_sha256 = {sql.text(one.file_sha256)} AND _line = {one.line})" for one in self._examples
        )
        rows = engine.read(bronze_path(settings, self._contract.dataset)).where(places)
        rows = rows.selectExpr("_file_sha256", "_line", *selected)
        if masks:
            rows = masked(rows, settings.pseudonym_key, masks)
        return {(row["_file_sha256"], row["_line"]): row for row in rows.toArrow().to_pylist()}

    def fields(self, example: Example, row: Mapping[str, Any]) -> dict[str, str]:
        """What an example has in the columns that it is shown with."""
        return {name: _value(self._contract.column(name), row) for name in self._names(example)} if row else {}

    def _names(self, example: Example) -> list[str]:
        """The key, and what the rules look at: none of a record that has no fields."""
        looked_at = dict.fromkeys(name for rule in example.rules for name in self._by_rule.get(rule, ()))
        if not looked_at:
            return []
        business = self._contract.history.business_key if self._contract.history else ()
        key = [name for name in self._contract.primary_key or business if self._contract.column(name).sources]
        return list(dict.fromkeys([*key, *looked_at]))[:FIELDS]


def _looked_at(contract: Contract, column: str | None, predicate: str) -> Iterator[str]:
    """Yield the columns that a rule looks at; in the place of a derived one those that it is made from."""
    words = set(re.findall(r"\w+", predicate)) | {column}
    for one in contract.columns:
        if one.name not in words:
            continue
        if one.sources:
            yield one.name
        elif one.expression:
            made_of = set(re.findall(r"\w+", one.expression))
            yield from (other.name for other in contract.columns if other.sources and other.name in made_of)


def _is_readable(column: Column) -> bool:
    return column.masking is not None or column.classification.rank <= OPEN.rank


def _text(column: Column) -> str:
    """SQL of what the source has; of a masked column only whether it has anything."""
    fields = [sql.name(field) for field in column.sources]
    if column.masking is None:
        return f"concat_ws(' ', {', '.join(fields)})"
    return f"CASE WHEN coalesce({', '.join(fields)}) IS NOT NULL THEN '{HIDDEN}' ELSE '' END"


def _as_text(name: str) -> str:
    return f"_text_{name}"


def _value(column: Column, row: Mapping[str, Any]) -> str:
    if not _is_readable(column):
        return HIDDEN
    value, text = row[column.name], row[_as_text(column.name)]
    if value is not None:
        return _cut(text_of(value) or "", LONGEST)
    if not text:
        return "null"
    return text if column.masking else f"'{_cut(text, LONGEST)}'"


def _cut(text: str, most: int) -> str:
    """A text on one line, without what a terminal or a reader of mail would take for more than a text."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return plain if len(plain) <= most else plain[: most - 1] + "…"


__all__ = ["samples"]
