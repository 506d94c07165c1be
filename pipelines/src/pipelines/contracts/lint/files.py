"""Contract files, one by one and beside each other, into findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.contracts.document import Document
from pipelines.contracts.domain import load_domain
from pipelines.contracts.lint.advice import advice
from pipelines.contracts.lint.rules import LINT_RULES, LintFinding
from pipelines.contracts.loader import SUFFIX, contract_errors, load_contract
from pipelines.contracts.model import Contract
from pipelines.errors import ContractError


@dataclass(frozen=True, slots=True)
class _Read:
    path: Path
    document: Document
    contract: Contract


def contract_files(paths: Iterable[Path]) -> tuple[Path, ...]:
    """The contract files that paths name: a file itself, a folder's with those below it.

    Raises:
        ContractError: a path is not there, or holds no contract.
    """
    found: dict[Path, None] = {}
    for path in paths:
        files = sorted(path.rglob(f"*{SUFFIX}")) if path.is_dir() else [path]
        if not files or not path.exists():
            raise ContractError(
                f"there is no contract ({SUFFIX})", where=str(path), fix="name a contract, or a folder that holds some"
            )
        found |= dict.fromkeys(files)
    return tuple(found)


def lint_contracts(paths: Sequence[Path]) -> tuple[LintFinding, ...]:
    """Look at contracts: each file alone, whole domains where a folder is given, and ids across all of them.

    Args:
        paths: Files and folders.

    Returns:
        The findings by file and line.

    Raises:
        ContractError: a path is not there, or holds no contract.
    """
    findings: list[LintFinding] = []
    read: list[_Read] = []
    for path in contract_files(paths):
        errors = contract_errors(path)
        findings += map(_refused, errors)
        if not errors:
            read.append(_Read(path, Document.read(path), load_contract(path)))
    for one in read:
        findings += _alone(one)
    findings += _together(read)
    findings += _unread(read)
    for folder in _domains(paths, read):
        findings += _domain(folder)
    unique = {(f.rule.id, f.file, f.line, f.message): f for f in findings}
    return tuple(sorted(unique.values(), key=lambda f: (f.file, f.line, f.rule.id)))


def _refused(error: ContractError) -> LintFinding:
    rule = LINT_RULES["contract-refused"]
    file, _, line = (error.where or "").rpartition(":")
    known = line.isdigit()
    return LintFinding(rule, error.message, file if known else line, int(line) if known else 1, error.fix or rule.fix)


def _alone(one: _Read) -> Iterator[LintFinding]:
    refused = list(_compiled(one))
    yield from refused
    for rule_id, message, place in advice(one.contract):
        yield _finding(one, rule_id, message, *place)


def _compiled(one: _Read) -> Iterator[LintFinding]:
    """What the tasks would refuse when they compile the contract: its types, its row rules, its checks."""
    from pipelines.quality.checks import table_checks
    from pipelines.quality.rules import rules
    from pipelines.silver.typing import typed

    def tried(compile_: Callable[[], Any], *place: str | int) -> Iterator[LintFinding]:
        try:
            compile_()
        except ContractError as error:
            where = error.where if error.where and error.where != str(one.path) else one.document.where(*place)
            yield _refused(ContractError(error.message, where=where, fix=error.fix))

    yield from tried(lambda: rules(one.contract), "schema", 0)
    yield from tried(lambda: table_checks(one.contract), "schema", 0)
    for index, column in enumerate(one.contract.columns):
        if column.sources:
            yield from tried(lambda column=column: typed(column), "schema", 0, "properties", index)


def _together(read: Sequence[_Read]) -> Iterator[LintFinding]:
    seen: dict[str, Path] = {}
    for one in read:
        first = seen.setdefault(one.contract.standard.id, one.path)
        if first != one.path:
            yield _finding(one, "duplicate-id", f"{first} has the same id", "id")


def _unread(read: Sequence[_Read]) -> Iterator[LintFinding]:
    """A role of any source reads the silver and the gold of its whole domain."""
    sources: dict[str, list[_Read]] = {}
    for one in read:
        if one.contract.layer == "source":
            sources.setdefault(one.contract.domain, []).append(one)
    for domain, found in sources.items():
        if not any((role.access or "read") == "read" for one in found for role in one.contract.standard.roles):
            yield _finding(found[0], "readers-missing", f"no role of these sources reads the domain {domain}", "roles")


def _domains(paths: Sequence[Path], read: Sequence[_Read]) -> list[Path]:
    """The folders of domains below the folders that were asked for, all of whose contracts can be read."""
    folders = [path.resolve() for path in paths if path.is_dir()]
    found: dict[Path, None] = {}
    for one in read:
        parent = one.path.resolve().parent
        folder = parent if parent.name == one.contract.domain else parent.parent
        if folder.name == one.contract.domain and any(folder.is_relative_to(asked) for asked in folders):
            found[folder] = None
    known = {one.path.resolve() for one in read}
    return [folder for folder in found if known.issuperset(path.resolve() for path in folder.rglob(f"*{SUFFIX}"))]


def _domain(folder: Path) -> Iterator[LintFinding]:
    try:
        load_domain(folder.name, folder.parent)
    except ContractError as error:
        yield _refused(error)


def _finding(one: _Read, rule_id: str, message: str, *place: str | int) -> LintFinding:
    rule = LINT_RULES[rule_id]
    file, _, line = one.document.where(*place).rpartition(":")
    return LintFinding(rule, message, file, int(line), rule.fix)
