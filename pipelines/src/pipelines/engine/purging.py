"""All of a Delta table but its newest version, deleted: files, the log's entries, and what killed writers have left.

A writer that is killed before its commit leaves files in the table's folder that no entry of the log names: VACUUM as
deltalake does it by default passes them over, and those that are not wholly written it never sees.
"""

from __future__ import annotations

from datetime import datetime
from urllib.parse import unquote

import deltalake
import pyarrow as pa
import pyarrow.fs as pa_fs

from pipelines.errors import PipelineError
from pipelines.storage import file_system

LOG = "_delta_log"
LAST_CHECKPOINT = "_last_checkpoint"
"""The log's hint at its newest checkpoint."""
DELETION_VECTOR = "deletion_vector_"
"""How the files begin that tell by number which rows of a file are gone; deltalake does not say which are needed."""


def purge(path: str, before: datetime) -> int:
    """Delete every file and every entry of the log that the newest version does not need; return how many files went.

    The entries hold the least and greatest values of files that are gone.

    Args:
        path: The table.
        before: Since when nobody but the caller may write the table, with a time zone. Files that no entry names go
            where they are older; a younger one may be that of a writer at work after all, who is about to commit it.

    Raises:
        PipelineError: a file that the newest version names is not there.
    """
    table = deltalake.DeltaTable(path)
    now = dict.fromkeys(("delta.logRetentionDuration", "delta.deletedFileRetentionDuration"), "interval 0 seconds")
    configured = {name: table.metadata().configuration.get(name) for name in now}
    table.alter.set_table_properties(now)
    gone = deltalake.DeltaTable(path).vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    usual = {"delta.logRetentionDuration": "interval 30 days", "delta.deletedFileRetentionDuration": "interval 7 days"}
    table = deltalake.DeltaTable(path)
    table.create_checkpoint()
    _forget_log(path, table.version(), before)
    strays = _forget_strays(path, before)
    deltalake.DeltaTable(path).alter.set_table_properties({name: configured[name] or usual[name] for name in now})
    return len(gone) + strays


def _forget_log(path: str, checkpoint: int, before: datetime) -> None:
    """Delete the log's entries and checkpoints before one checkpoint (Delta protocol, "Metadata Cleanup").

    deltalake's own cleanup keeps the checkpoint before the last. Entries that were never finished go too.
    """
    system, folder = file_system(path)
    for info in system.get_file_info(pa_fs.FileSelector(f"{folder}/{LOG}")):
        number = info.base_name.partition(".")[0]
        superseded = int(number) < checkpoint if number.isdecimal() else info.base_name != LAST_CHECKPOINT
        if info.is_file and superseded and (number.isdecimal() or _is_older(info, before)):
            system.delete_file(info.path)


def _forget_strays(path: str, before: datetime) -> int:
    """Delete the older files of a table's folder that its newest version does not name; return how many."""
    system, folder = file_system(path)
    # Listed before the log is read: what somebody commits in between is named by it.
    infos = system.get_file_info(pa_fs.FileSelector(folder, recursive=True))
    there = {info.path.removeprefix(f"{folder}/"): info for info in infos if info.is_file}
    named = _named(path)
    unseen = [f"{folder}/{name}" for name in sorted(named - there.keys())]
    for info in system.get_file_info(unseen):
        if not info.is_file:
            raise PipelineError(
                "a file that the table's newest version names is not there",
                where=info.path,
                fix=f"levee restore LAYER.{folder.rpartition('/')[2]} --version N, a whole one: levee audit tells",
            )
    strays = [
        info.path
        for name, info in there.items()
        if name not in named
        and _checked(name) not in named
        and not name.startswith(f"{LOG}/")
        and not info.base_name.startswith(DELETION_VECTOR)
        and _is_older(info, before)
    ]
    for stray in strays:
        system.delete_file(stray)
    return len(strays)


def _named(path: str) -> set[str]:
    """Files of the newest version, as they are called below the table's folder: in the log they are quoted."""
    actions = pa.table(deltalake.DeltaTable(path).get_add_actions())
    return {unquote(name) for name in actions["path"].to_pylist()}


def _checked(name: str) -> str:
    """The file of which one with such a name has the checksums, as Hadoop writes them beside it."""
    folder, slash, base = name.rpartition("/")
    return f"{folder}{slash}{base.removeprefix('.').removesuffix('.crc')}"


def _is_older(info: pa_fs.FileInfo, before: datetime) -> bool:
    return info.mtime is not None and info.mtime < before


__all__ = ["purge"]
