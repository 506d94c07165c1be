"""The two sides of `levee contracts diff`: files, folders, or commits of the repository around them."""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from levee.errors import UsageError
from levee.review.contracts import SUFFIX, read_one
from levee.review.trees import Repository, listed
from pipelines.contracts import Contract


@dataclass(frozen=True, slots=True)
class ContractSide:
    """One side.

    Attributes:
        name: What it was asked for by.
        contracts: Its contracts by file, relative to what was asked for.
        beside: Contracts that lie in the same domain and were not asked for: they tell who reads a column.
    """

    name: str
    contracts: Mapping[str, Contract]
    beside: tuple[Contract, ...] = field(default=())


@contextmanager
def sides(old: str, new: str | None, *, cwd: Path) -> Generator[tuple[ContractSide, ContractSide]]:
    """Read both sides; a commit is written to a scratch folder for the time of the block.

    Args:
        old: A file, a folder or a commit.
        new: The same; ``None`` for the working tree as it is, where `old` is a commit.
        cwd: Where paths start, and in whose repository commits are looked for.

    Raises:
        UsageError: A side is none of the three, or one of its contracts is wrong.
    """
    with tempfile.TemporaryDirectory(prefix="levee-contracts-") as scratch:
        before = _side(old, cwd, Path(scratch) / "old")
        yield before, (_working_tree(cwd) if new is None else _side(new, cwd, Path(scratch) / "new"))


def _side(name: str, cwd: Path, into: Path) -> ContractSide:
    path = cwd / name
    if path.is_dir():
        return ContractSide(name, _contracts(path))
    if path.is_file():
        contract = read_one(path)
        # by its dataset, so that two files of different names are one contract's two versions
        return ContractSide(name, {contract.dataset + SUFFIX: contract}, _beside(path, contract))
    return _commit(name, cwd, into)


def _commit(name: str, cwd: Path, into: Path) -> ContractSide:
    try:
        repository = Repository.around(cwd)
        tree = repository.tree_of(name)
    except UsageError as wrong:
        raise UsageError(
            f"{name!r} is no file, no folder and no commit", where=str(cwd), fix=wrong.fix or "name one of the three"
        ) from wrong
    repository.check_out(tree, into)
    try:
        return ContractSide(name, _contracts(into))
    except UsageError as wrong:
        where = (wrong.where or "").replace(f"{into}/", f"{name}:")
        raise UsageError(wrong.message, where=where.replace(str(into), name), fix=wrong.fix) from wrong


def _working_tree(cwd: Path) -> ContractSide:
    root = Repository.around(cwd).root
    files = sorted(root / name for name in listed(root) if name.endswith(SUFFIX))
    return ContractSide("the working tree", {f.relative_to(root).as_posix(): read_one(f) for f in files if f.is_file()})


def _contracts(root: Path) -> dict[str, Contract]:
    """Every contract below a folder; of a repository those that git does not ignore."""
    known = {root / name for name in listed(root)}
    files = [path for path in sorted(root.rglob(f"*{SUFFIX}")) if not known or path in known]
    if not files:
        raise UsageError(f"there is no contract ({SUFFIX})", where=str(root))
    return {path.relative_to(root).as_posix(): read_one(path) for path in files}


def _beside(path: Path, contract: Contract) -> tuple[Contract, ...]:
    parent = path.resolve().parent
    folder = parent if parent.name == contract.domain else parent.parent
    if folder.name != contract.domain:
        return ()
    return tuple(read_one(other) for other in sorted(folder.rglob(f"*{SUFFIX}")) if other != path.resolve())
