"""Two sets of contracts into the differences between them: what changes, by which rule, and whom it hits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from pipelines.contracts.diff.rules import DIFF_RULES, DiffRule, Impact
from pipelines.contracts.diff.types import widens
from pipelines.contracts.diff.versions import Bump, needed, risen
from pipelines.contracts.model import Check, Column, Contract
from pipelines.contracts.odcs import SlaProperty

_SMALLER_IS_BETTER: Final = ("latency", "freshness", "frequency", "timeToDetect", "timeToRepair")
"""Promises in which a smaller number of the same unit says more."""
_TIGHTER_UP: Final = ("minimum", "exclusiveMinimum", "minLength")
_TIGHTER_DOWN: Final = ("maximum", "exclusiveMaximum", "maxLength")
_RULE_OF: Final[Mapping[str, str]] = {
    "history": "rows-changed",
    "deduplication": "rows-changed",
    "surrogateKey": "key-changed",
}
"""Custom properties that say what a row of the published table is; any other is how the table is made."""
_TOLD_APART: Final = ("layer", "model", "kAnonymity")
"""Custom properties that are compared by themselves."""
_STRENGTH: Final = {"warn": 0, "quarantine": 1, None: 1, "failBatch": 2, "stopPipeline": 3}
_MISSING: Final = {
    Bump.MAJOR: "version-major-missing",
    Bump.MINOR: "version-minor-missing",
    Bump.PATCH: "version-patch-missing",
}
_UNANNOUNCED: Final = ("version-major-missing", "removal-unannounced")
_ENDING: Final = ("deprecated", "retired")


@dataclass(frozen=True, slots=True)
class Difference:
    """One change of one contract.

    Attributes:
        dataset: ``domain.dataset``.
        file: The contract's file, as the caller named it.
        rule: What kind of change it is.
        what: What changes, a few words.
        column: The column, where it is about one.
        gold: Gold tables that read the column, directly or through other models; where the whole dataset changes,
            those that read it.
        roles: Roles that read the table.
    """

    dataset: str
    file: str
    rule: DiffRule
    what: str
    column: str | None = None
    gold: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()

    @property
    def impact(self) -> Impact:
        """What it means to readers."""
        return self.rule.impact

    @property
    def breaking(self) -> bool:
        """Whether a reader may fail, or see what it must not."""
        return self.impact is Impact.BREAKING

    @property
    def unannounced(self) -> bool:
        """Whether it is a breach that the version, or the status before, did not tell readers of."""
        return self.rule.id in _UNANNOUNCED


@dataclass(frozen=True, slots=True)
class _Said:
    rule: DiffRule
    what: str
    column: str | None = None


def differences(
    base: Mapping[str, Contract], head: Mapping[str, Contract], beside: Iterable[Contract] = ()
) -> tuple[Difference, ...]:
    """The differences between two sets of contracts, the worst first.

    Args:
        base: The contracts before, by file.
        head: The contracts after, by file.
        beside: Contracts that are not compared, and tell who reads a column.
    """
    before = {_name(contract): (file, contract) for file, contract in base.items()}
    after = {_name(contract): (file, contract) for file, contract in head.items()}
    known = [*base.values(), *head.values(), *beside]
    found: list[Difference] = []
    for name in sorted({*before, *after}):
        old_file, old = before.get(name, ("", None))
        file, new = after.get(name, ("", None))
        for said in _said(old, new):
            present = [contract for contract in (old, new) if contract]
            gold = dict.fromkeys(table for one in present for table in gold_fed(known, one, said.column))
            roles = dict.fromkeys(role for one in present for role in _readers(one))
            found.append(
                Difference(name, file or old_file, said.rule, said.what, said.column, tuple(gold), tuple(roles))
            )
    order = list(Impact)
    return tuple(sorted(found, key=lambda d: (order.index(d.impact), d.dataset)))


def gold_fed(known: Iterable[Contract], contract: Contract, column: str | None = None) -> tuple[str, ...]:
    """Gold tables that read a table, directly or through other models; with `column`, by models that name it."""
    models = [one for one in known if one.model and one.domain == contract.domain]
    hit = {
        one.reference
        for one in models
        if one.model and contract.reference in one.model.inputs and (column is None or column in one.sql_words)
    }
    while more := {one.reference for one in models if one.model and not hit.isdisjoint(one.model.inputs)} - hit:
        hit |= more
    return tuple(sorted({one.dataset for one in models if one.layer == "gold" and one.reference in hit}))


def _name(contract: Contract) -> str:
    return f"{contract.domain}.{contract.dataset}"


def _readers(contract: Contract) -> list[str]:
    return [role.role for role in contract.standard.roles if (role.access or "read") == "read"]


def _rule(rule: str, what: str, column: str | None = None) -> _Said:
    return _Said(DIFF_RULES[rule], what, column)


def _said(old: Contract | None, new: Contract | None) -> Iterator[_Said]:
    if old is None:
        yield _rule("dataset-added", "new dataset")
        return
    if new is None:
        yield _rule("dataset-removed", "dataset removed")
        if old.standard.status not in _ENDING:
            yield _rule("removal-unannounced", f"removed, and its last status was {old.standard.status}")
        return
    if old.digest == new.digest:
        return
    told = [*_schema(old, new), *_checks(old, new), *_promises(old, new), *_making(old, new)]
    if not any(said.rule.impact is not Impact.DOCUMENTATION for said in told):
        told.append(_rule("words-changed", "edited; the published table stays as it is"))
    yield from told
    yield from _version(told, old.version, new.version)


def _version(told: Sequence[_Said], old: str, new: str) -> Iterator[_Said]:
    wanted = needed((said.rule.impact for said in told), old)
    if risen(old, new) >= wanted:
        return
    worst = needed((said.rule.impact for said in told), "1.0.0")
    goes = f"goes only from {old} to" if old != new else "stays"
    words = {Bump.MAJOR: "breaking", Bump.MINOR: "something new", Bump.PATCH: "edited"}
    yield _rule(_MISSING[worst], f"{words[worst]}, and the version {goes} {new}")


# the schema -----------------------------------------------------------------------------------------------------


def _schema(old: Contract, new: Contract) -> Iterator[_Said]:
    before, after = {c.name: c for c in old.columns}, {c.name: c for c in new.columns}
    for name in [*before, *(name for name in after if name not in before)]:
        yield from _column(name, before.get(name), after.get(name))
    kept, now = [name for name in before if name in after], [name for name in after if name in before]
    if kept != now:
        yield _rule("columns-reordered", "columns stand in another order")
    if old.primary_key != new.primary_key:
        yield _rule("key-changed", f"primary key: {_listed(old.primary_key)} becomes {_listed(new.primary_key)}")


def _column(name: str, old: Column | None, new: Column | None) -> Iterator[_Said]:
    if old is None or new is None:
        verb = "removed" if old else "added"
        yield _rule(f"column-{verb}", f"column {name} {verb}", name)
        return
    said = partial(_rule, column=name)
    if old.type != new.type:
        verb = "widened" if widens(old.type, new.type) else "narrowed" if widens(new.type, old.type) else "changed"
        yield said(f"type-{verb}", f"column {name}: type {verb} from {old.type} to {new.type}")
    if old.required != new.required:
        yield (
            said("null-refused", f"column {name}: null is no longer allowed")
            if new.required
            else said("null-allowed", f"column {name}: null is allowed now")
        )
    if old.unique != new.unique:
        verb = "promised" if new.unique else "dropped"
        yield said(f"unique-{verb}", f"column {name}: that no value comes twice is {verb}")
    if old.classification is not new.classification:
        verb = "lowered" if new.classification.rank < old.classification.rank else "raised"
        yield said(
            f"classification-{verb}",
            f"column {name}: classification {verb} from {old.classification} to {new.classification}",
        )
    yield from _mask(name, old, new)
    if (old.sources, old.expression, old.format) != (new.sources, new.expression, new.format):
        yield said("derivation-changed", f"column {name}: made in another way")
    yield from _options(name, old.options, new.options)


def _mask(name: str, old: Column, new: Column) -> Iterator[_Said]:
    if old.masking == new.masking:
        return
    if new.masking is None:
        yield _rule("mask-removed", f"column {name}: no longer masked", name)
    elif old.masking is None:
        yield _rule("mask-added", f"column {name}: masked", name)
    else:
        yield _rule("mask-changed", f"column {name}: masked anew", name)


def _options(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[_Said]:
    """The standard's options of a type are checks without a name; a date's format is how it is made."""
    for option in sorted({*old, *new} - {"format"}):
        before, after = old.get(option), new.get(option)
        if before == after:
            continue
        if before is None:
            yield _rule("check-added", f"column {name}: {option} {after}", name)
        elif after is None:
            yield _rule("check-removed", f"column {name}: {option} {before} is gone", name)
        else:
            rule = "check-strengthened" if _tighter(option, before, after) else "check-changed"
            yield _rule(rule, f"column {name}: {option} {before} becomes {after}", name)


# checks ---------------------------------------------------------------------------------------------------------


def _checks(old: Contract, new: Contract) -> Iterator[_Said]:
    before, after = _by_id(old), _by_id(new)
    columns = {column.name for column in new.columns}
    for name, check in before.items():
        if name not in after and (check.column is None or check.column in columns):
            yield _rule("check-removed", f"check {name} removed", check.column)
    for name, check in after.items():
        if name not in before:
            yield _rule("check-added", f"check {name} added", check.column)
        elif _meaning(before[name]) != _meaning(check):
            tighter = _check_tighter(before[name], check)
            verb = "strengthened" if tighter else "changed"
            yield _rule(f"check-{verb}", f"check {name} {verb}", check.column)
        elif (was := _strength(before[name])) != (now := _strength(check)):
            verb = "weakened" if now < was else "strengthened"
            yield _rule(f"check-{verb}", f"check {name}: what its failure does is {verb}", check.column)


def _by_id(contract: Contract) -> dict[str, Check]:
    checks = (*contract.checks, *(check for column in contract.columns for check in column.quality))
    return {check.id: check for check in checks}


def _meaning(check: Check) -> dict[str, Any]:
    """What a check says of the data: without its words, and without what its failure does."""
    words = {"id", "name", "description", "dimension", "severity", "business_impact", "tags", "custom_properties"}
    return {"column": check.column, **check.quality.model_dump(exclude=words)}


def _strength(check: Check) -> int:
    if check.on_failure is None and check.quality.severity not in (None, "error"):
        return _STRENGTH["warn"]
    return _STRENGTH[check.on_failure]


def _check_tighter(old: Check, new: Check) -> bool:
    """Whether only bounds of a check moved, and all of them inwards."""
    before, after = _meaning(old), _meaning(new)
    arguments, others = before.pop("arguments"), after.pop("arguments")
    return (
        before == after
        and arguments.keys() == others.keys()
        and all(arguments[key] == others[key] or _tighter(key, arguments[key], others[key]) for key in arguments)
    )


def _tighter(option: str, old: Any, new: Any) -> bool:
    if not isinstance(old, int | float) or not isinstance(new, int | float):
        return option == "validValues" and isinstance(old, list) and isinstance(new, list) and set(new) < set(old)
    return (option in _TIGHTER_UP and new > old) or (option in _TIGHTER_DOWN and new < old)


# promises and words ---------------------------------------------------------------------------------------------


def _promises(old: Contract, new: Contract) -> Iterator[_Said]:
    was_kept, kept = old.retention(old.published), new.retention(new.published)
    if was_kept != kept:
        shorter = kept is not None and (was_kept is None or kept < was_kept)
        yield _rule(
            "retention-shortened" if shorter else "retention-lengthened",
            f"retention: {_days(was_kept)} becomes {_days(kept)}",
        )
    before, after = _slas(old), _slas(new)
    for name in sorted({*before, *after}):
        if (was := before.get(name)) != (now := after.get(name)):
            rule = "sla-loosened" if _looser(was, now) else "sla-changed"
            yield _rule(rule, f"{name}: {_promise(was)} becomes {_promise(now)}")
    roles, others = ({role.role: role for role in one.standard.roles} for one in (old, new))
    for name in sorted({*roles, *others}):
        if name not in others:
            yield _rule("role-removed", f"role {name} removed")
        elif roles.get(name) != others[name]:
            yield _rule("role-changed", f"role {name} {'changed' if name in roles else 'added'}")
    if old.owner != new.owner:
        yield _rule("owner-changed", f"owner: {old.owner or 'none'} becomes {new.owner or 'none'}")
    if old.standard.status != new.standard.status and new.standard.status in _ENDING:
        yield _rule("retired", f"status: {old.standard.status} becomes {new.standard.status}")


def _slas(contract: Contract) -> dict[str, SlaProperty]:
    return {sla.property: sla for sla in contract.standard.sla_properties if sla.property != "retention"}


def _looser(old: SlaProperty | None, new: SlaProperty | None) -> bool:
    if old is None or new is None:
        return new is None
    numbers = isinstance(old.value, int | float) and isinstance(new.value, int | float) and old.unit == new.unit
    return numbers and old.property in _SMALLER_IS_BETTER and new.value > old.value


def _promise(sla: SlaProperty | None) -> str:
    return "nothing" if sla is None else f"{sla.value} {sla.unit or ''}".strip()


def _making(old: Contract, new: Contract) -> Iterator[_Said]:
    before, after = _properties(old), _properties(new)
    for name in sorted({*before, *after} - {*_TOLD_APART}):
        if before.get(name) != after.get(name):
            yield _rule(_RULE_OF.get(name, "processing-changed"), f"{name} changed")
    if (was := old.k_anonymity) != (now := new.k_anonymity):
        looser = now is None or (was is not None and now.k < was.k)
        yield _rule(
            "anonymity-loosened" if looser else "anonymity-tightened",
            f"k-anonymity: {was.k if was else 'none'} becomes {now.k if now else 'none'}",
        )
    if old.model and new.model and (before.get("model") != after.get("model") or old.sql_digest != new.sql_digest):
        yield _rule("model-changed", "its inputs or its SQL change")


def _properties(contract: Contract) -> dict[str, Any]:
    return {item.property: item.value for item in contract.standard.custom_properties}


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"


def _days(days: int | None) -> str:
    return "for ever" if days is None else f"{days:,} days"
