"""The one pass over a batch: every record is judged once, by every rule, into a few numbers.

A judged record has bits and measures: a bit a rule that rejects (`_broken_N`), a bit a rule that is only watched and
one a column whose nulls are counted (`_noted_N`), and the numbers that checks add up (`_measure_N`, such as the amount
of a reconciliation). What splits the batch, what quarantine names, the circuit breaker and every metric that
Great Expectations is given are read from these, so that no two of them can disagree.

Identical records are judged as one, and counted as many. What is judged is staged with the row that it becomes
(:mod:`pipelines.engine.staging`): a filter on computed columns would be pushed below their computation, where engines
evaluate every cast again for every rule that speaks of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, TypeVar

from pipelines import sql
from pipelines.quality.measures import Measure, Metric, MetricKind, Metrics
from pipelines.quality.rules import Rule

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row

BITS = 62
"""Flags of one column of bits; the bit above them says that the record is malformed."""
EXACT_DIGITS = 76
"""Of sums: those of a decimal and of a number of records."""
RULE_SEPARATOR = ","
"""Between the rule ids in quarantine's `_rules`: text, because Sail cannot replace rows that hold an array."""
MALFORMED = "malformed"
"""What stands for the rules of a record that could not be split into fields."""
_DELETE = "coalesce(_op = 'd', false)"
T = TypeVar("T")
_ACCEPTED, _REJECTED, _MALFORMED = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Which bit says what.

    Attributes:
        rejecting: Rules whose breach sends a record to quarantine.
        watched: Rules that are counted, and may stop the batch.
        nullable: Columns whose nulls are counted.
        measures: Numbers that are added up.
        deletes: Records may be deletes of a change feed, which are judged by rules about deletes alone, and counted
            nowhere else: what they have is the row before it went.
    """

    rejecting: tuple[Rule, ...]
    watched: tuple[Rule, ...]
    nullable: tuple[str, ...]
    measures: tuple[Measure, ...]
    deletes: bool = False

    @classmethod
    def of(cls, rules: Iterable[Rule], measures: Iterable[Measure] = (), *, deletes: bool = False) -> Verdicts:
        """Give every rule, every column that Great Expectations asks the nulls of, and every measure its place."""
        found = tuple(rules)
        return cls(
            rejecting=tuple(rule for rule in found if rule.on_failure == "quarantine"),
            watched=tuple(rule for rule in found if rule.on_failure != "quarantine"),
            nullable=tuple(dict.fromkeys(str(rule.expectation.kwargs["column"]) for rule in found if rule.native)),
            measures=tuple(measures),
            deletes=deletes,
        )

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule."""
        return (*self.rejecting, *self.watched)

    @property
    def broken(self) -> tuple[str, ...]:
        """Names of the columns of the rejecting rules' bits; the first is there without any rule too."""
        return tuple(f"_broken_{number}" for number in range(max(1, len(_chunks(self.rejecting)))))

    @property
    def bits(self) -> tuple[str, ...]:
        """Names of the columns of bits."""
        noted = len(_chunks((*self.watched, *self.nullable)))
        return (*self.broken, *(f"_noted_{number}" for number in range(noted)))

    @property
    def numbers(self) -> tuple[str, ...]:
        """Names of all that `columns` makes."""
        return (*self.bits, *(f"_measure_{number}" for number in range(len(self.measures))))

    @property
    def is_broken(self) -> str:
        """SQL that is true of a judged record that is rejected or malformed."""
        return " OR ".join(f"{column} <> 0" for column in self.broken)

    @property
    def columns(self) -> tuple[str, ...]:
        """SQL of the numbers of a typed record with its `_parse_error`: here, and nowhere else, rules are evaluated."""
        malformed = f"CASE WHEN _parse_error IS NULL THEN 0L ELSE {1 << BITS}L END"
        breaches = [self._breach(rule) for rule in self.rejecting]
        notes = [self._breach(rule) for rule in self.watched]
        notes += [f"{self._judged}{sql.name(column)} IS NULL" for column in self.nullable]
        return (
            *(f"{malformed} + {bits} AS _broken_{n}" for n, bits in enumerate(_bits(breaches) or ["0L"])),
            *(f"{bits} AS _noted_{n}" for n, bits in enumerate(_bits(notes))),
            *(f"{self._measured(measure)} AS _measure_{n}" for n, measure in enumerate(self.measures)),
        )

    @property
    def _judged(self) -> str:
        """SQL before a condition that is never true of a delete."""
        return f"NOT {_DELETE} AND " if self.deletes else ""

    def _breach(self, rule: Rule) -> str:
        return f"{'' if rule.kind == 'delete' else self._judged}NOT ({rule.predicate})"

    def _measured(self, measure: Measure) -> str:
        return f"CASE WHEN NOT {_DELETE} THEN {measure.value} END" if self.deletes else measure.value

    @property
    def rule_ids(self) -> str:
        """SQL of the ids of the rejecting rules that a judged record broke, in the contract's order."""
        return _ids(self._places("_broken", self.rejecting))

    @property
    def held_by(self) -> str:
        """SQL of the ids of the rules that a judged record broke and that do more than warn, or `MALFORMED`."""
        places = [*self._places("_broken", self.rejecting), *self._places("_noted", self.watched)]
        ids = _ids([(rule, bit) for rule, bit in places if rule.on_failure != "warn"])
        return f"CASE WHEN (_broken_0 & {1 << BITS}L) <> 0 THEN {sql.text(MALFORMED)} ELSE {ids} END"

    def metrics(self, judged: DataFrame) -> Metrics:
        """Add judged records up, in one query.

        Rows of the same bits are counted first, of which there are few; then bits become named 0/1 columns, and those
        are summed. (Sail does not plan two casts of one column inside one aggregation.)

        Args:
            judged: The numbers of `columns`, and `_copies`: how many identical records a row stands for.
        """
        from pyspark.sql import functions as F  # noqa: N812 - the customary name

        rules = [*self._places("_broken", self.rejecting), *self._places("_noted", self.watched)]
        flags = {f"r{n}": bit for n, (_, bit) in enumerate(rules)}
        nulls = self._places("_noted", self.nullable, len(self.watched))
        flags |= {f"z{n}": bit for n, (_, bit) in enumerate(nulls)}
        parts = [(n, m, part, how) for n, m in enumerate(self.measures) for part, how in m.parts(f"_measure_{n}")]
        measured = {f"m{n}_{part}": (m.kind, how) for n, m, part, how in parts}
        alike = judged.groupBy(*self.bits, "_copies").agg(
            F.count("*").alias("n"), *(F.expr(how).alias(name) for name, (_, how) in measured.items())
        )
        fate = f"CASE WHEN (_broken_0 & {1 << BITS}L) <> 0 THEN {_MALFORMED} "
        fate += f"WHEN {self.is_broken} THEN {_REJECTED} ELSE {_ACCEPTED} END AS _fate"
        numbers = [f"CASE WHEN {bit} THEN n ELSE 0L END AS {name}" for name, bit in flags.items()]
        sums = {name: f"sum({name})" for name in ("n", *flags)}
        sums |= {name: f"{'max' if kind == 'max' else 'sum'}({name})" for name, (kind, _) in measured.items()}
        totals = [F.expr(f"CAST({how} AS STRING)").alias(name) for name, how in sums.items()]
        # Sail, where a file's statistics say that bits are the same in all rows: "physical input schema" is another one
        # than the logical, unless what is counted may be null.
        alike = alike.withColumn("n", F.expr("nullif(n, 0L)"))
        counted = alike.selectExpr(fate, "_copies", "n", *numbers, *measured).groupBy("_fate", "_copies").agg(*totals)
        by_fate: dict[int, list[Row]] = {}
        for row in counted.collect():
            by_fate.setdefault(row["_fate"], []).append(row)

        def metric(kind: MetricKind, subject: str, column: str, definition: str = "", part: int = 0) -> Metric:
            of = (_MALFORMED, _MALFORMED) if kind == "malformed" else (_ACCEPTED, _REJECTED)
            accepted, rejected = (_number(by_fate.get(fate, ()), column, kind) for fate in of)
            return Metric(kind, subject, part, definition, None if kind == "malformed" else accepted, rejected)

        return Metrics(
            (
                metric("records", "", "n"),
                metric("malformed", "", "n"),
                *(metric("rule", rule.id, f"r{n}", rule.digest) for n, (rule, _) in enumerate(rules)),
                *(metric("nulls", column, f"z{n}") for n, (column, _) in enumerate(nulls)),
                *(metric(m.kind, m.id, f"m{n}_{part}", m.digest, part) for n, m, part, _ in parts),
            )
        )

    def _places(self, prefix: str, items: Sequence[T], start: int = 0) -> list[tuple[T, str]]:
        """Each item with SQL that is true where its bit is set."""
        return [
            (item, f"({prefix}_{place // BITS} & {1 << place % BITS}L) <> 0") for place, item in enumerate(items, start)
        ]


def _ids(places: Sequence[tuple[Rule, str]]) -> str:
    """SQL of the ids of the rules whose bit is set."""
    ids = [f"CASE WHEN {bit} THEN {sql.text(rule.id)} END" for rule, bit in places]
    return f"concat_ws({', '.join([sql.text(RULE_SEPARATOR), *ids])})"


def _chunks(items: Sequence[T]) -> list[Sequence[T]]:
    return [items[start : start + BITS] for start in range(0, len(items), BITS)]


def _bits(conditions: Sequence[str]) -> list[str]:
    """SQL of the columns of bits of conditions that are never null."""
    return [
        " + ".join(f"CASE WHEN {condition} THEN {1 << bit}L ELSE 0L END" for bit, condition in enumerate(chunk))
        for chunk in _chunks(conditions)
    ]


def _number(rows: Sequence[Row], column: str, kind: MetricKind) -> Decimal | None:
    """A number of one fate's records; of no record counts are 0, and sums and maxima nothing."""
    values = [(Decimal(str(row[column])), row["_copies"]) for row in rows if row[column] is not None]
    if not values:
        return None if kind in ("sum", "max") else Decimal(0)
    if kind == "max":
        return max(value for value, _ in values)
    with localcontext(prec=EXACT_DIGITS):  # not in SQL, where a decimal times a number has fewer places than it had
        return sum((value * copies for value, copies in values), Decimal(0))
