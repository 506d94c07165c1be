"""What a check that the standard has no metric for looks at, what a failure does, and when a batch is held."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, model_validator

from pipelines.contracts.extensions.registry import Extension, Registry
from pipelines.contracts.odcs import Model

OnFailure = Literal["warn", "quarantine", "failBatch", "stopPipeline"]
Columns = Annotated[tuple[str, ...], Field(strict=False, min_length=1)]
Percent = Annotated[float, Field(ge=0, le=100, strict=False)]


class References(Model):
    """Every value is a key of another dataset's silver; a row whose is not (an orphan) breaks the rule."""

    dataset: str = Field(description="The other dataset, of the same domain; its silver task runs before this one's.")
    columns: Columns = Field(description="Its columns, in the order of the check's own.")
    of: tuple[str, ...] = Field(
        default=(), strict=False, description="Columns of this dataset; the check's own column where absent."
    )
    versions: Literal["current", "all"] = Field(
        default="current",
        description="Of a dataset with a history: `current`: keys that hold now; `all`: those too that were deleted or "
        "overtaken, for records that are older than their deletion.",
    )


class Freshness(Model):
    """The newest value of a time column is not older than promised; looked at by every run of the quality task."""

    column: str | None = Field(default=None, description="A timestamp or date; the check's own column where absent.")
    within_hours: Annotated[float, Field(gt=0, strict=False)] | None = Field(
        default=None, description="The promise; where absent, the contract's SLA `latency`, else its `frequency`."
    )


class Volume(Model):
    """The records of a batch are as many as history lets expect: a robust z-score, or bounds in per cent.

    The robust z-score is 0.6745 (n - median) / MAD, of the numbers of the last batches; MAD is the median of their
    absolute deviations from the median. Source: B. Iglewicz and D. C. Hoaglin, How to Detect and Handle Outliers, ASQC
    Basic References in Quality Control 16 (1993), section 3.3, who label what is above 3.5. Where MAD is 0 the mean
    absolute deviation takes its place, (n - median) / (1.253314 of it), as in IBM Cognos Analytics 11.1 ("Modified z
    score"); where that is 0 too any other number is an outlier.
    """

    batches: Annotated[int, Field(ge=3)] = Field(default=20, description="So many earlier batches are history.")
    at_least: Annotated[int, Field(ge=3)] = Field(
        default=5, description="With fewer the check is not run, and says so."
    )
    maximum_z: Annotated[float, Field(gt=0, strict=False)] = Field(default=3.5, description="More is an outlier.")
    within_percent: Percent | None = Field(
        default=None, description="Instead of the z-score: so far from the median is still well."
    )


class Distribution(Model):
    """The values of a column are spread as in earlier batches, by the population stability index over bins.

    PSI = sum over the bins of (p - q) ln(p / q), p and q being the parts of this batch and of the earlier ones that
    fall into the bin, 0 taken as one half of a record. Source of the index and of its rule of thumb, under 0.1 hardly a
    change, over 0.25 one that asks for action: E. M. Lewis, An Introduction to Credit Scoring (1994), handed on by N.
    Siddiqi, Credit Risk Scorecards (2006). It is a convention and no test: of few records the index is above it by
    chance, of very many a real change may stay below (B. Yurdakul and J. Naranjo, Statistical Properties of the
    Population Stability Index, 2020), so choose `maximum` by the records of a batch.
    """

    column: str | None = Field(default=None, description="The check's own column where absent; not a masked one.")
    bounds: tuple[float, ...] = Field(
        default=(), strict=False, description="Of a number: the bins' upper bounds, ascending; one more bin is above."
    )
    values: tuple[str, ...] = Field(
        default=(), strict=False, description="Of a text: a bin each; one more is for every other value."
    )
    batches: Annotated[int, Field(ge=1)] = Field(default=20, description="So many earlier batches are history.")
    at_least: Annotated[int, Field(ge=1)] = Field(
        default=5, description="With fewer the check is not run, and says so."
    )
    maximum: Annotated[float, Field(gt=0, strict=False)] = Field(default=0.25, description="A greater PSI fails.")

    @model_validator(mode="after")
    def _one_kind_of_bins(self) -> Distribution:
        if bool(self.bounds) == bool(self.values):
            raise ValueError("a distribution has either `bounds` or `values`")
        if list(self.bounds) != sorted(set(self.bounds)):
            raise ValueError("`bounds` ascend")
        return self


class Reconciliation(Model):
    """A sum is the same in every layer: of bronze's records, of silver and quarantine, of a gold table's SQL.

    In a source's contract: the sum over a batch's records as they were judged is the sum over what silver and
    quarantine hold of them, each row counted as often as it has identical records. In a gold contract: the sum over the
    table is the sum over a dataset's silver, `from` and `expression` saying of what. Decimals and integers only: sums
    of doubles depend on their order.
    """

    column: str | None = Field(default=None, description="What is added up; the check's own column where absent.")
    from_: str | None = Field(
        default=None, alias="from", description="Gold only: the dataset whose silver the table is made from."
    )
    expression: str | None = Field(default=None, description="Gold only: SQL over a row of that silver; `column` else.")
    tolerance: Annotated[float, Field(ge=0, strict=False)] = Field(
        default=0, description="So far apart is still the same."
    )


class Balance(Model):
    """Debit equals credit in every group, such as every journal entry."""

    debit: str = Field(description="Column of the amount debited.")
    credit: str = Field(description="Column of the amount credited.")
    per: Columns = Field(description="Columns that name a group.")


class CurrencyDecimals(Model):
    """An amount has no more decimals than its currency (ISO 4217, list one of 2026-01-01): none in yen, three in dinars
    of Kuwait, four in Chile's unidades de fomento.
    """

    amount: str = Field(description="Column of the amount, a decimal.")
    currency: str = Field(description="Column of the currency's code.")


class Implementation(Model):
    """What a check of `engine: levee` looks at: one of these."""

    row: str | None = Field(default=None, description="SQL that is true where a row is good; null counts as good.")
    not_negative: str | None = Field(default=None, description="A column that is never below zero.")
    currency: str | None = Field(
        default=None,
        description="A column of active codes of ISO 4217, list one of 2026-01-01, that have a minor unit.",
    )
    currency_decimals: CurrencyDecimals | None = None
    references: References | None = None
    balance: Balance | None = None
    freshness: Freshness | None = None
    volume: Volume | None = None
    distribution: Distribution | None = None
    reconciliation: Reconciliation | None = None

    @model_validator(mode="before")
    @classmethod
    def _one(cls, value: Any) -> Any:
        if not isinstance(value, dict) or len(value) != 1:
            raise ValueError(f"a check looks at one of {', '.join(f.alias or n for n, f in cls.model_fields.items())}")
        return value

    @property
    def on_rows(self) -> bool:
        """Whether the check is decided row by row."""
        rows = (self.row, self.not_negative, self.currency, self.currency_decimals, self.references)
        return any(item is not None for item in rows)


class CircuitBreaker(Model):
    """When too much of a batch would go to quarantine, nothing of it is published: it is held.

    A held batch is set aside with its deliveries, later ones go on, and the quality task fails until somebody has let
    it go on (`levee replay DATASET --accept BATCH --reason WHY`) or a corrected contract or delivery made it good.
    """

    maximum_quarantine_percent: Percent = Field(description="Per cent of a batch's records, malformed ones too.")
    minimum_rows: Annotated[int, Field(ge=1)] = Field(
        default=100, description="Of a batch with fewer records the rate says nothing."
    )
    on_trip: Literal["failBatch", "stopPipeline"] = Field(
        default="failBatch", description="Whether the tasks after silver run (with what was published before)."
    )


CONTRACT_PROPERTIES: Registry = {"circuitBreaker": Extension.of(CircuitBreaker)}

QUALITY_PROPERTIES: Registry = {
    "onFailure": Extension(
        TypeAdapter(OnFailure),
        "What a broken rule does: `warn` counts it; `quarantine` sends the row there; `failBatch` publishes nothing of "
        "the batch and holds it, the dataset's other batches go on; `stopPipeline` does the same, fails the task, and "
        "no task after it runs. By default, severity `error` is `quarantine` for a rule on rows and `failBatch` for "
        "one on the table; any other is `warn`. A check on the table is made after the batch is published: there "
        "`failBatch` fails the quality task, and `stopPipeline` makes gold wait for it.",
    ),
}
