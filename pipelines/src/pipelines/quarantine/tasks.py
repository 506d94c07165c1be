"""What is asked about rejected records, as tasks: list, show, correct, waive; each returns its answer for JSON.

``list``     dataset, counts (rule, state, rows), records (id, state, rules, file, line, copies, first_seen, last_seen,
             occurrences), more (whether there are others)
``show``     one record as in ``list``, with parse_error, batch_id, contract_version, fields, raw (null where it is not
             told), masked, rules (rule, description), occurrences (file, line, at), history (state, actor, reason,
             correction, run_id, at)
``correct``  id, file
``waive``    ids
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, model_validator

from pipelines.bronze.stream_log import committed_files
from pipelines.contracts import Contract, Domain
from pipelines.contracts.catalogue import entries
from pipelines.engine import Engine
from pipelines.errors import UsageError
from pipelines.evidence import keep
from pipelines.failpoints import failpoint
from pipelines.ledger import Ledger
from pipelines.quarantine.correction import Correction, check_correctable, check_fields, content_of, name_of
from pipelines.quarantine.records import Quarantine, Rejected, described, masked
from pipelines.quarantine.states import ACTIONABLE, Event, State, States, newest
from pipelines.request import Request, read_request
from pipelines.runs import recorded
from pipelines.settings import Layer, RunSettings
from pipelines.storage import file_system

Answer = dict[str, Any]
Text = Annotated[str, Field(min_length=1)]
Id = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]

PAGE: Final = 50
"""Records of a page, where nobody says how many."""


class List(Request):
    """The request for a page of records."""

    dataset: str
    rule: str | None = None
    state: Literal["open", "corrected", "replayed", "waived", "all"] | None = None
    limit: Annotated[int, Field(ge=1, le=10_000)] = PAGE

    @property
    def states(self) -> tuple[State, ...]:
        """The states that are asked for; by default those in which there is something to do."""
        if self.state is None:
            return ACTIONABLE
        return tuple(State) if self.state == "all" else (State(self.state),)


class Show(Request):
    """The request for one record; unmasked only with a reason."""

    dataset: str
    id: Id
    raw: bool = False
    reason: Text | None = None

    @model_validator(mode="after")
    def _reasoned(self) -> Self:
        if self.raw and self.reason is None:
            raise ValueError("a reason is missing")
        return self


class Correct(Request):
    """The request to deliver a record as it should have been: `fields`, and those that nobody else may read."""

    dataset: str
    id: Id
    fields: dict[str, str] = Field(default_factory=dict)
    private_fields: dict[str, str] = Field(default_factory=dict)
    reason: Text | None = None


class Waive(Request):
    """The request to leave records where they are: by their ids, or all open ones that break a rule."""

    dataset: str
    ids: tuple[Id, ...] = Field(default=(), strict=False)
    rule: Text | None = None
    reason: Text

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if bool(self.ids) == (self.rule is not None):
            raise ValueError("ids, or a rule")
        return self


class Desk:
    """Where one dataset's rejected records are worked through.

    Args:
        settings: What the task was told.
        domain: The domain.
        dataset: Name of the dataset.

    Raises:
        UsageError: nothing of the dataset was ever judged, or it is no source's.
    """

    def __init__(self, settings: RunSettings, domain: Domain, dataset: str) -> None:
        self.settings, self.domain = settings, domain
        self.contract: Contract = domain.contract(dataset)
        self.engine = Engine.open(settings.engine, entries(settings, domain))
        path = settings.table_path(Layer.QUARANTINE, dataset)
        if not self.engine.exists(path):
            raise UsageError(
                f"there is no quarantine of {dataset}", where=path, fix=f"levee run {domain.name}, or name a source"
            )
        self.states = States(self.engine, settings)
        self.events = self.states.events(dataset)
        self.quarantine = Quarantine(self.engine, settings, self.contract, newest(self.events))

    def enter(
        self, records: Sequence[Rejected], state: State, *, reason: str | None, correction: str | None = None
    ) -> None:
        """Enter a decision about records."""
        actor, at = self.engine.actor(), datetime.now(UTC)
        self.states.add(
            [
                Event(
                    dataset=self.contract.dataset,
                    quarantine_id=record.quarantine_id,
                    state=state,
                    rules=",".join(record.rules),
                    actor=actor,
                    reason=reason,
                    correction=correction,
                    run_id=self.settings.run_id,
                    at=at,
                )
                for record in records
            ]
        )
        failpoint("quarantine.entered")


def listed(settings: RunSettings, domain: Domain) -> Answer:
    """Count the rejected records of a dataset, and return a page of them."""
    asked = read_request(settings, List)
    desk = Desk(settings, domain, asked.dataset)
    found = desk.quarantine.page(asked.states, rule=asked.rule, limit=asked.limit + 1)
    page = found[: asked.limit]
    times: dict[bytes, list[datetime]] = {}
    for one in desk.quarantine.occurrences(page):
        times.setdefault(one.raw, []).append(one.at)
    return {
        "dataset": asked.dataset,
        "counts": desk.quarantine.counts(),
        "records": [
            {
                **_place(record),
                "rules": list(record.rules),
                "last_seen": max(times.get(record.raw, [record.first_seen])).isoformat(),
                "occurrences": len(times.get(record.raw, [])),
            }
            for record in page
        ],
        "more": len(found) > len(page),
    }


def shown(settings: RunSettings, domain: Domain) -> Answer:
    """Return one record with all that is known about it; what is personal only for a reason, which is kept."""
    asked = read_request(settings, Show)
    desk = Desk(settings, domain, asked.dataset)
    (record,) = desk.quarantine.chosen([asked.id])
    personal = bool(desk.contract.personal_fields)
    if asked.raw and personal:
        with recorded(desk.engine, settings, "reveal", desk.contract, domain):
            told = {"dataset": asked.dataset, "quarantine_id": asked.id, "reason": asked.reason}
            keep(settings, "reveals", f"{asked.dataset}-{asked.id}", {**told, "requested_by": desk.engine.actor()})
    fields = desk.quarantine.fields(record)
    hidden = personal and not asked.raw
    seen = desk.quarantine.occurrences([record])
    kind, _, detail = (record.parse_error or "").partition(":")
    return {
        **_place(record),
        "rules": described(record.rules, desk.contract),
        "parse_error": (kind if hidden else f"{kind}:{detail}") or None if record.parse_error else None,
        "batch_id": record.batch_id,
        "contract_version": record.contract_version,
        "fields": masked(fields, desk.contract) if hidden else fields,
        "raw": None if hidden else record.raw.decode("utf-8", "backslashreplace"),
        "masked": hidden,
        "occurrences": [{"file": one.file, "line": one.line, "at": one.at.isoformat()} for one in seen],
        "history": [
            {
                "state": event.state.value,
                "actor": event.actor,
                "reason": event.reason,
                "correction": event.correction,
                "run_id": event.run_id,
                "at": event.at.isoformat(),
            }
            for event in desk.events
            if event.quarantine_id == asked.id
        ],
    }


def corrected(settings: RunSettings, domain: Domain) -> Answer:
    """Deliver a record as it should have been, as a file of its own; the next run or replay takes it in.

    Raises:
        UsageError: the record, its dataset or the fields are not such that one can.
    """
    asked = read_request(settings, Correct)
    desk = Desk(settings, domain, asked.dataset)
    check_correctable(desk.contract)
    if told := sorted(asked.fields.keys() & desk.contract.personal_fields):
        raise UsageError(
            f"{', '.join(told)} is personal, and everybody on the machine can read arguments",
            where=str(desk.contract.path),
            fix="give it with --set-file FILE, a JSON object, or `--set-file -` for standard input",
        )
    (record,) = desk.quarantine.chosen([asked.id])
    _refuse(record, (State.OPEN, State.WAIVED), "corrected")
    correction = Correction(
        quarantine_id=asked.id,
        file=record.file,
        raw=None if record.parse_error else record.raw,
        fields={} if record.parse_error else desk.quarantine.fields(record),
        edits={**asked.fields, **asked.private_fields},
        number=1 + sum(event.quarantine_id == asked.id and event.state is State.CORRECTED for event in desk.events),
    )
    check_fields(correction, desk.contract)
    name = name_of(correction, desk.contract)
    content = content_of(correction, desk.contract, name)
    with recorded(desk.engine, settings, "correct", desk.contract, domain) as tally:
        _land(desk, name, content)
        desk.enter([record], State.CORRECTED, reason=asked.reason, correction=name)
        tally.files, tally.bytes, tally.rows_out = 1, len(content), 1
    return {"id": asked.id, "file": name}


def waived(settings: RunSettings, domain: Domain) -> Answer:
    """Enter that records may stay where they are, by whom and why."""
    asked = read_request(settings, Waive)
    desk = Desk(settings, domain, asked.dataset)
    if asked.rule is not None:
        records = desk.quarantine.page([State.OPEN], rule=asked.rule)
    else:
        records = desk.quarantine.chosen(asked.ids)
        for record in records:
            _refuse(record, (State.OPEN,), "waived")
    with recorded(desk.engine, settings, "waive", desk.contract, domain) as tally:
        failpoint("quarantine.before_entry")
        desk.enter(records, State.WAIVED, reason=asked.reason)
        tally.rows_in = len(records)
    return {"ids": [record.quarantine_id for record in records]}


VERBS: dict[str, Callable[[RunSettings, Domain], Answer]] = {
    "list": listed,
    "show": shown,
    "correct": corrected,
    "waive": waived,
}
"""Every task by its name on the command line."""


def _place(record: Rejected) -> Answer:
    return {
        "id": record.quarantine_id,
        "state": record.state.value,
        "file": record.file,
        "line": record.line,
        "copies": record.copies,
        "first_seen": record.first_seen.isoformat(),
    }


def _refuse(record: Rejected, allowed: Collection[State], done: str) -> None:
    if record.state not in allowed:
        raise UsageError(
            f"the record {record.quarantine_id} is {record.state}, and only one that is {' or '.join(allowed)} "
            f"can be {done}",
            where=f"{record.file}:{record.line}",
            fix="levee quarantine show says what was done; `levee quarantine replay` takes corrections in",
        )


def _land(desk: Desk, name: str, content: bytes) -> None:
    """Put a correction among the deliveries, whole or not at all.

    Raises:
        UsageError: bronze has taken in another correction of that name, or would pass over this one.
    """
    folder = desk.settings.deliveries(desk.contract.dataset)
    system, root = file_system(folder)
    if committed_files(system, root) is not None:
        raise UsageError(
            "a stream writes the landing folder, and bronze takes in what that has committed alone",
            where=folder,
            fix="correct the record where the stream has it from, and waive this one",
        )
    taken = {entry.file for entry in Ledger(desk.engine, desk.settings).entries(Layer.BRONZE, desk.contract.dataset)}
    target, staged = PurePosixPath(root, name), PurePosixPath(root, name).with_name(f"_{Path(name).name}")
    if name in taken:
        with system.open_input_stream(str(target), compression=None) as there:
            if there.read() == content:
                return  # a run took it in before it could be entered
        raise UsageError(
            f"a correction of this record with other values was taken in as {name}",
            where=str(target),
            fix="give the values of that correction, so that it is entered; then replay",
        )
    system.create_dir(str(target.parent), recursive=True)
    with system.open_output_stream(str(staged), compression=None) as out:
        out.write(content)
    failpoint("quarantine.before_landing")
    system.move(str(staged), str(target))
    failpoint("quarantine.landed")
