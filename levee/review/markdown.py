"""The comment on a pull request: what a reviewer must know first, what they may want to see last.

The whole stays below GitHub's limit whatever is proposed. Every section but the diffs has a share of its own, in which
rows that do not fit are counted; the diffs get what is left, and what does not fit of them is counted too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Final

from levee.cost import usd
from levee.plan import Level, Verdict, logical_name
from levee.report.naming import OPS, plural, short_type
from levee.review.changes import dangerous
from levee.review.diffs import WHOLE, diffs
from levee.review.escape import code, length, own, prose
from levee.review.model import Change, ContractChange, CostChange, EnvironmentReview, Finding, Grant, Review, Status

LIMIT: Final = 65_536
"""Characters of a GitHub comment, which must be fewer."""

_ADDED: Final = 512
"""Characters left for who posts the comment (``.github/workflows/review-comment.yml``)."""

MARKER: Final = "<!-- levee review -->"
"""Begins the comment, so that the next run finds and replaces it."""

_SHARES: Final = {
    "governed": 4_000,
    "tally": 6_000,
    "remarks": 2_000,
    "changes": 12_000,
    "policies": 18_000,
    "cost": 6_000,
    "contracts": 8_000,
}
_NAMED: Final = 10
_MOVES: Final = 5
_FEW: Final = 5
"""Names in one cell of the contracts."""

_FOOT: Final = 400


def comment(review: Review) -> str:
    """The comment, always shorter than :data:`LIMIT`.

    Args:
        review: What was found.
    """
    if review.quiet:
        return f"{MARKER}\n**Levee**: nothing changes in {plural(len(review.environments), 'environment')}.\n"
    parts = [
        f"{MARKER}\n## Levee review: {_verdict(review)}",
        *_governed(review),
        *_tally(review),
        *_remarks(review),
        *_changes(review),
        *_policies(review),
        *_cost(review),
        *_contracts(review),
    ]
    foot = _foot(review)
    spent = length("\n\n".join([*parts, foot])) + _FOOT
    return "\n\n".join([*parts, *diffs(review.environments, LIMIT - _ADDED - spent), foot]) + "\n"


def _verdict(review: Review) -> str:
    failed = [e for e in review.environments if e.failure]
    blocking = sum(f.blocks for e in review.environments for f in e.findings)
    if blocking:
        return f"✗ {plural(blocking, 'mandatory rule newly fails', 'mandatory rules newly fail')}"
    if failed:
        return f"✗ {plural(len(failed), 'environment')} could not be previewed"
    lost = sum(c.endangers for e in review.environments for c in e.changes)
    if lost:
        return f"! {plural(lost, 'stateful resource')} would be replaced or deleted"
    return "✓ no mandatory rule newly fails"


def _governed(review: Review) -> Iterator[str]:
    if not review.governed:
        return
    title = "**This change edits what judges it.** It was judged by the base's; look at these yourself:"
    rows = (f"| {code(edit.file)} | {own(edit.what)} |" for edit in review.governed)
    yield _section(title, ("File", "Decides"), rows, len(review.governed), _SHARES["governed"])


def _tally(review: Review) -> Iterator[str]:
    quiet = [e for e in review.environments if e.quiet]
    loud = [e for e in review.environments if not e.quiet]
    if loud:
        heads = ("Environment", "Resources", "Policies", "A month")
        yield _section("", heads, map(_tally_row, loud), len(loud), _SHARES["tally"])
    if quiet:
        names = ", ".join(code(e.name, 40) for e in quiet[:_NAMED])
        yield f"Nothing changes in {names}{f' and {len(quiet) - _NAMED:,} more' if len(quiet) > _NAMED else ''}."


def _tally_row(environment: EnvironmentReview) -> str:
    name = code(environment.name, 60)
    if environment.failure:
        return f"| {name} | ✗ {prose(environment.failure, 400)} | not evaluated | not priced |"
    counts = environment.counts
    resources = ", ".join(f"{sign} {counts[op]:,} {word}" for op, (sign, word) in OPS.items() if counts.get(op))
    lost = sum(c.endangers for c in environment.changes)
    if lost:
        resources += f"; **{lost:,} stateful lost**"
    if environment.unsettled:
        resources += f"; {environment.unsettled:,} that change without this"
    return f"| {name} | {resources or 'no change'} | {_policy_tally(environment)} | {_cost_tally(environment.cost)} |"


def _policy_tally(environment: EnvironmentReview) -> str:
    new = environment.found(Status.NEW)
    blocking = sum(f.blocks for f in new)
    undecided = len(environment.found(Status.NEW, Verdict.NOT_EVALUATED))
    folded = sum(f.status is not Status.NEW and f.verdict is Verdict.FAILED for f in environment.findings)
    pieces = (
        f"**✗ {blocking:,} mandatory**" if blocking else "",
        f"! {len(new) - blocking:,} advisory" if len(new) > blocking else "",
        f"? {undecided:,} not evaluated" if undecided else "",
        f"✓ {environment.mended:,} mended" if environment.mended else "",
        f"{folded:,} known" if folded else "",
    )
    return ", ".join(piece for piece in pieces if piece) or "✓ nothing new"


def _cost_tally(cost: CostChange | None) -> str:
    if cost is None:
        return "not priced"
    moved = f"**{_added(cost.before, cost.after)}**" if cost.moves else "no change"
    return f"{moved}, {len(cost.undecided):,} not priced" if cost.undecided else moved


def _remarks(review: Review) -> Iterator[str]:
    said = [*review.remarks, *(f"{e.name}: {r}" for e in review.environments for r in e.remarks)]
    if said:
        shown = _fitting((f"- {prose(remark)}" for remark in said), _SHARES["remarks"])
        yield "\n".join([*shown, *_more(len(said) - len(shown))])


def _changes(review: Review) -> Iterator[str]:
    alike: dict[tuple[object, ...], tuple[Change, list[str]]] = {}
    for environment in review.environments:
        for change in environment.changes:
            resource = change.resource
            same = (change.op, resource.type, resource.name, resource.replace_keys, resource.source)
            alike.setdefault(same, (change, []))[1].append(environment.name)
    ordered = sorted(alike.values(), key=lambda row: dangerous(row[0]))
    if ordered:
        heads = ("", "Resource", "Type", "Environments", "Source")
        rows = (_change_row(change, names) for change, names in ordered)
        yield _section("### Resources", heads, rows, len(ordered), _SHARES["changes"])


def _change_row(change: Change, environments: Sequence[str]) -> str:
    sign, word = OPS[change.op]
    resource = change.resource
    what = f"{sign} {word}"
    name = code(resource.name, 80)
    if change.endangers:
        what, name = f"**{what}, stateful**", f"**{name}**"
    if resource.replace_keys:
        name += f" for {code(', '.join(resource.replace_keys), 80)}"
    if resource.replacement_unknown:
        name += ", replacement unknown"
    source = code(str(resource.source)) if resource.source else "–"
    on = code(", ".join(environments), 60)
    return f"| {what} | {name} | {code(short_type(resource.type), 80)} | {on} | {source} |"


def _policies(review: Review) -> Iterator[str]:
    new = [(e, f) for e in review.environments for f in e.findings if f.status is Status.NEW]
    new.sort(key=lambda pair: (not pair[1].blocks, pair[1].verdict is not Verdict.FAILED))
    if new:
        heads = ("", "Rule", "Resource", "Where", "What, and what mends it")
        merged: dict[str, tuple[Finding, list[str]]] = {}
        for environment, finding in new:
            merged.setdefault(finding.fingerprint, (finding, []))[1].append(environment.name)
        rows = (_finding_row(finding, names) for finding, names in merged.values())
        yield _section("### Policies", heads, rows, len(merged), _SHARES["policies"])


def _finding_row(finding: Finding, environments: Sequence[str]) -> str:
    violation = finding.violation
    if finding.verdict is Verdict.NOT_EVALUATED:
        word = "? not evaluated"
    else:
        word = "**✗ mandatory**" if finding.blocks else f"! {Level(violation.level).value}"
    where = code(str(violation.source)) if violation.source else "–"
    name = code(logical_name(violation.urn) if violation.urn else "the stack", 80)
    says = prose(violation.message)
    if finding.remediation and finding.remediation not in violation.message:
        says += f"<br>{own(finding.remediation)}"
    on = code(", ".join(environments), 60)
    return f"| {word} | {code(violation.policy, 80)} | {name} in {on} | {where} | {says}<br>{finding.fingerprint} |"


def _cost(review: Review) -> Iterator[str]:
    moved = [(e.name, e.cost) for e in review.environments if e.cost and (e.cost.moves or e.cost.undecided)]
    rows = [row for name, cost in moved for row in _cost_rows(name, cost)]
    if rows:
        heads = ("Environment", "A month at list price", "Before", "After", "Difference")
        yield _section("### Cost", heads, rows, len(rows), _SHARES["cost"])


def _cost_rows(name: str, cost: CostChange) -> Iterator[str]:
    where = code(name, 40)
    yield f"| {where} | **total** | {_usd(cost.before)} | {_usd(cost.after)} | **{_added(cost.before, cost.after)}** |"
    for move in cost.moves[:_MOVES]:
        what = f"{code(move.name, 80)} {code(short_type(move.type), 60)}"
        if move.open:
            what += f", without a price on one side: {prose(', '.join(move.open), 120)}"
        yield f"| {where} | {what} | {_usd(move.before)} | {_usd(move.after)} | {_added(move.before, move.after)} |"
    if len(cost.moves) > _MOVES:
        rest = cost.moves[_MOVES:]
        before, after = sum(m.before for m in rest), sum(m.after for m in rest)
        what = f"{plural(len(rest), 'resource')} more"
        yield f"| {where} | {what} | {_usd(before)} | {_usd(after)} | {_added(before, after)} |"
    for said in cost.undecided[:_MOVES]:
        yield f"| {where} | {prose(said, 160)} | | | not priced |"
    if len(cost.undecided) > _MOVES:
        yield f"| {where} | {len(cost.undecided) - _MOVES:,} more without a price | | | not priced |"


def _usd(amount: Decimal | int) -> str:
    return usd(Decimal(amount)).replace("$", "&#36;")


def _added(before: Decimal | int, after: Decimal | int) -> str:
    return f"{'+' if after > before else ''}{_usd(Decimal(after) - Decimal(before))}"


def _contracts(review: Review) -> Iterator[str]:
    by_dataset: dict[tuple[str, bool], list[ContractChange]] = {}
    for change in review.contracts:
        by_dataset.setdefault((change.dataset, change.breaking), []).append(change)
    if by_dataset:
        heads = ("", "Dataset", "Change", "Gold tables it feeds", "Who may use them", "Contract")
        rows = map(_contract_row, by_dataset.values())
        yield _section("### Data contracts", heads, rows, len(by_dataset), _SHARES["contracts"])


def _contract_row(changes: Sequence[ContractChange]) -> str:
    """What breaks of one dataset, or what does not; the tables and grants are the dataset's."""
    one = changes[0]
    word = "**✗ breaking**" if one.breaking else "✓ compatible"
    said = [prose(change.what) for change in changes[:_NAMED]]
    said += [f"and {len(changes) - _NAMED:,} more"] if len(changes) > _NAMED else []
    gold = ", ".join(code(table, 60) for table in one.gold[:_FEW]) or "–"
    cells = (word, code(one.dataset), "<br>".join(said), gold, _holders(one.grants), code(one.file))
    return f"| {' | '.join(cells)} |"


def _holders(grants: Sequence[Grant]) -> str:
    """Each principal with all privileges that it has on the way to the tables, alike environments together."""
    held: dict[tuple[str, str, bool], set[str]] = {}
    for grant in grants:
        who = (grant.environment, grant.principal or "somebody not known yet", grant.ends)
        held.setdefault(who, set()).update(_privileges(grant))
    alike: dict[tuple[str, bool, tuple[str, ...]], list[str]] = {}
    for (environment, principal, ends), privileges in held.items():
        alike.setdefault((principal, ends, tuple(sorted(privileges))), []).append(environment)
    lines = [
        f"{code(principal, 30)} in {code(', '.join(names), 30)}{' until now' if ends else ''}: "
        f"{prose(', '.join(privileges), 80)}"
        for (principal, ends, privileges), names in sorted(alike.items())
    ]
    more = [f"and {len(lines) - _FEW:,} more"] if len(lines) > _FEW else []
    return "<br>".join([*lines[:_FEW], *more]) or "–"


def _privileges(grant: Grant) -> Sequence[str]:
    known = grant.privileges if grant.privileges is not None else ("what is not known yet",)
    return known if grant.certain else [f"perhaps {privilege}" for privilege in known]


def _foot(review: Review) -> str:
    base, head = review.base, review.head
    return (
        f"<sub>{code(base.name, 60)} {code(base.commit[:12])} → {code(head.name, 60)} {code(head.commit[:12])}, "
        "previewed offline on a simulated cloud with the base's rules. Known findings and unchanged resources are "
        "folded away.</sub>"
    )


def _section(title: str, heads: Sequence[str], rows: Iterable[str], count: int, share: int) -> str:
    """A table with its title, and how many of its ``count`` rows found no place in its share of the comment."""
    table = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    shown = _fitting(rows, share - sum(length(line) + 1 for line in (title, *table)))
    return "\n\n".join([*([title] if title else []), "\n".join([*table, *shown]), *_more(count - len(shown))])


def _fitting(rows: Iterable[str], room: int) -> list[str]:
    """The rows that there is room for; the others are not even written."""
    shown: list[str] = []
    for row in rows:
        room -= length(row) + 1
        if room < 0:
            break
        shown.append(row)
    return shown


def _more(left: int) -> Iterator[str]:
    if left:
        yield f"and {left:,} more; {WHOLE}."
