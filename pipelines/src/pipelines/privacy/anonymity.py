"""k-anonymity of a table before it is published: how many rows share what an outsider may know.

Every combination of quasi-identifiers is on k rows or more (L. Sweeney, "k-anonymity: a model for protecting privacy",
Int. J. Uncertainty, Fuzziness and Knowledge-Based Systems 10(5), 2002, 557-570), with l or more different sensitive
values (distinct l-diversity, A. Machanavajjhala et al., ACM Trans. Knowledge Discovery from Data 1(1), 2007, 3). Null
is a value like any other.
"""

from __future__ import annotations

from functools import reduce
from operator import and_
from typing import TYPE_CHECKING

from pipelines import sql
from pipelines.contracts.extensions.masking import KAnonymity
from pipelines.engine.arrow_types import to_arrow_schema
from pipelines.errors import QualityError
from pipelines.failpoints import failpoint
from pipelines.settings import Layer, RunSettings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from pipelines.contracts.model import Contract
    from pipelines.engine import Engine

RULE = "k_anonymity"
"""What quarantine says of a row that is withheld."""


def published(engine: Engine, settings: RunSettings, model: Contract, rows: DataFrame) -> DataFrame:
    """Return the rows of a table that its promise lets be published; the others go into quarantine under its name.

    Args:
        engine: The open engine.
        settings: Roots and run.
        model: Contract of the table.
        rows: All that would be published.

    Raises:
        QualityError: groups are too small, and the contract lets nothing be published then.
    """
    promise = model.k_anonymity
    if promise is None:
        return rows
    small = small_groups(rows, promise)
    groups = small.count()
    if groups and promise.on_failure == "failBatch":
        raise QualityError(
            f"{model.dataset} was not published: {groups} combinations of {', '.join(promise.quasi_identifiers)} are "
            f"on fewer than {promise.k} rows"
            + (f", or have fewer than {promise.l} {promise.sensitive}" if promise.sensitive else ""),
            where=str(model.path),
            fix="generalise these columns further in its SQL, or set `onFailure: suppress` in kAnonymity",
        )
    path = settings.table_path(Layer.QUARANTINE, model.dataset)
    if groups or engine.exists(path):
        held = _of_groups(rows, small, promise, "left_semi").selectExpr(
            "*", f"{sql.text(RULE)} AS _rules", f"{sql.text(settings.run_id)} AS _run_id"
        )
        engine.ensure(path, to_arrow_schema(held.schema))
        engine.overwrite(path, held)
        failpoint("gold.withheld")
    return _of_groups(rows, small, promise, "left_anti") if groups else rows


def small_groups(rows: DataFrame, promise: KAnonymity) -> DataFrame:
    """Return the combinations of quasi-identifiers that are too few: those columns, `_rows` and `_values`."""
    from pyspark.sql import functions as F  # noqa: N812 - the customary name

    sensitive = sql.name(promise.sensitive) if promise.sensitive else "CAST(NULL AS STRING)"
    keys = [sql.name(name) for name in promise.quasi_identifiers]
    named = rows.selectExpr(
        *keys, f"{sensitive} AS _sensitive", f"CASE WHEN {sensitive} IS NULL THEN 1 ELSE 0 END AS _null"
    )
    counted = named.groupBy(*promise.quasi_identifiers).agg(
        F.count("*").alias("_rows"), (F.countDistinct("_sensitive") + F.max("_null")).alias("_values")
    )
    return counted.where(f"_rows < {promise.k}" + (f" OR _values < {promise.l}" if promise.sensitive else ""))


def _of_groups(rows: DataFrame, groups: DataFrame, promise: KAnonymity, how: str) -> DataFrame:
    """Return the rows of some groups (``left_semi``), or of all others (``left_anti``)."""
    from pyspark.sql import functions as F  # noqa: N812 - the customary name

    names = {name: f"_group_{number}" for number, name in enumerate(promise.quasi_identifiers)}
    renamed = groups.select(*(F.col(name).alias(other) for name, other in names.items()))
    same = [F.col(name).eqNullSafe(F.col(other)) for name, other in names.items()]
    return rows.join(renamed, reduce(and_, same), how)
