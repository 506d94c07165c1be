"""Looks for values in every file below some roots, and says of each find where it is and whether it is one by right.

A find is by right where a whole value of a column that is nobody's equals the value: an article has the number of a
customer. It is counted as a coincidence, never passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from pipelines.bronze.formats.form import BrokenError
from pipelines.privacy.lake_files import Cells, lake_files, read_bytes, read_cells
from pipelines.privacy.needles import Finder

LOG = "/_delta_log/"
"""In the paths of the files of a table's log."""
NAME = "the file's name"
"""What stands for a column where a value is in the name of a file."""
MOST_NAMED = 50
"""Finds that are named; the others are counted."""


_NUMBERED = re.compile(
    rb"(part-)[0-9]{5}(?:-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?=-[0-9a-f]{8}-))"
    rb"|((?<![0-9A-Za-z])snapshot-|(?<![0-9])[0-9]{6}-[^\s/\"]{1,80}?-)[0-9]{5}(?=\.(?:jsonl|parquet)(?![0-9A-Za-z]))"
    rb"|(?<![0-9A-Za-z])[0-9]+(?= unexpected values found\.)"
)
"""Numbers that are no customer's. In names of files, which logs and `_file` repeat: of an engine's tasks, with a UUID;
of the files that an extraction lands. In Data Docs: how many values broke an expectation."""


@dataclass(frozen=True, slots=True)
class Find:
    """A value in a file.

    Attributes:
        file: The file.
        column: Column, or key; empty for the bytes of a file without columns.
        form: Form in which it stands there.
    """

    file: str
    column: str
    form: str


@dataclass(slots=True)
class Found:
    """What a search found.

    Attributes:
        files: Files that were read to their end.
        bytes: Their sizes.
        finds: Files and columns with a value, the first `MOST_NAMED`.
        found: How many there are.
        unread: Files that could not be read to their end, and may hold anything; their bytes were searched as they are.
        coincidences: Number of values that stand somewhere by right, by column.
    """

    files: int = 0
    bytes: int = 0
    finds: list[Find] = field(default_factory=list)
    found: int = 0
    unread: list[str] = field(default_factory=list)
    coincidences: dict[str, int] = field(default_factory=dict)


ByRight = Callable[[str, str, str, bytes], bool]
"""Whether a value may stand in a cell: the file, the value, the column, the cell."""


def search(
    roots: Iterable[str],
    finder: Finder,
    by_right: ByRight = lambda file, value, column, cell: False,
    *,
    rightful: Collection[bytes] = (),
    numbers: Mapping[str, Collection[str]] | None = None,
    in_logs: Finder | None = None,
) -> Found:
    """Search every file below `roots`, and the names of the files.

    Args:
        roots: Folders or URLs.
        finder: What is looked for.
        by_right: Whether a value may stand in a cell.
        rightful: Pieces of bytes in which the values stand by right; they are left out of whatever holds them.
        numbers: Columns whose numbers are searched too, by root.
        in_logs: What is looked for in the logs of tables besides (:func:`pipelines.privacy.needles.stumps`).
    """
    result, rights = Found(), _Rights(by_right, rightful)
    for root in dict.fromkeys(roots):
        for path, size in lake_files(root):
            result.files += 1
            result.bytes += size
            finders = [finder, in_logs] if in_logs is not None and LOG in path else [finder]
            _search_cells(result, path, Cells(NAME, (path.removeprefix(root.rstrip("/")).encode(),)), [finder], rights)
            try:
                for cells in read_cells(path, (numbers or {}).get(root, ())):
                    _search_cells(result, path, cells, finders, rights)
            except BrokenError:
                result.unread.append(path)
                for cells in read_bytes(path):
                    _search_cells(result, path, cells, finders, rights)
    return result


@dataclass(frozen=True, slots=True)
class _Rights:
    """Where values may stand.

    Attributes:
        by_right: Whether a value may stand in a cell.
        rightful: Pieces of bytes in which they may.
    """

    by_right: ByRight
    rightful: Collection[bytes]

    def __call__(self, finder: Finder, file: str, value: str, column: str, cell: bytes) -> bool:
        """Whether all of a value that a cell holds stands there by right."""
        if self.by_right(file, value, column, cell):
            return True
        left = cell
        for piece in self.rightful:
            left = left.replace(piece, b"")
        return left != cell and value not in {other for other, _ in finder.found(left)}


def _search_cells(result: Found, path: str, cells: Cells, finders: Iterable[Finder], rights: _Rights) -> None:
    whole = b"\n".join(cells.values)
    forms: set[str] = set()
    for finder in finders:
        if next(finder.found(whole), None) is None:  # one search for all cells of a block
            continue
        for cell in cells.values:
            for value, form in finder.found(_NUMBERED.sub(rb"\1\2", cell)):
                if rights(finder, path, value, cells.column, cell):
                    result.coincidences[cells.column] = result.coincidences.get(cells.column, 0) + 1
                else:
                    forms.add(form)
                    if cells.column == NAME:  # what is found is not repeated
                        path = re.sub(re.escape(value), "•••", path, flags=re.IGNORECASE)
    result.found += len(forms)
    result.finds.extend(Find(path, cells.column, form) for form in sorted(forms))
    del result.finds[MOST_NAMED:]
