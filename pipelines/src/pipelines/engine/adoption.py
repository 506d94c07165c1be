"""Files of one Delta table, taken over by another one's log as they lie there: no row is read or written.

The log of the table that was staged has each file's statistics as the engine's own writer made them, so pruning and
counts work as after any other commit. The file gets a second name in the folder of the table that takes it over; both
names stand for the same bytes until the staged table goes.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

import deltalake
import pyarrow as pa
from deltalake.transaction import AddAction

WRITER = 2
"""Greatest version of Delta's writer protocol whose tables need nothing of a writer but files and their statistics."""


def create(path: str, like: pa.Schema, cut_by: str) -> None:
    """Create an empty table whose files are cut by a column."""
    deltalake.DeltaTable.create(path, like, partition_by=[cut_by])


def possible(path: str) -> bool:
    """Whether a table takes any file that has its columns: it has no parts, and asks nothing more of its writers."""
    table = deltalake.DeltaTable(path)
    return not table.metadata().partition_columns and table.protocol().min_writer_version <= WRITER


def linked(staged: str, part: str, path: str) -> list[AddAction]:
    """Give the files of one part of a staged table a name in another table's folder.

    Args:
        staged: The staged table, which has one column that cuts its files.
        part: Value of that column.
        path: The other table.

    Returns:
        What its log is to say of them.
    """
    taken = []
    for entry in sorted(Path(staged, "_delta_log").glob("*.json")):
        for line in entry.read_text().splitlines():
            add = json.loads(line).get("add") if line else None
            if not add or part not in add["partitionValues"].values():
                continue
            source = Path(staged, unquote(add["path"]))
            _link(source, Path(path, source.name))
            stamp = add["modificationTime"]
            taken.append(AddAction(source.name, add["size"], {}, stamp, data_change=True, stats=add["stats"]))
    return taken


def commit(path: str, files: Sequence[AddAction]) -> None:
    """Commit files beside a table's own; where there are none there is no commit.

    Where it fails the files stay in the folder, named by no log, as after any write that did not come about.

    Raises:
        DeltaError: it did not come about.
    """
    if not files:
        return
    table = deltalake.DeltaTable(path)
    table.create_write_transaction(list(files), "append", table.schema(), partition_by=[])


def _link(source: Path, target: Path) -> None:
    """Give a file a second name; copy it where the file system, or a second one between them, does not do that."""
    try:
        os.link(source, target)
    except FileExistsError:
        return  # its name is like no other file's: this run has been here before
    except OSError:
        shutil.copyfile(source, target)


__all__ = ["commit", "create", "linked", "possible"]
