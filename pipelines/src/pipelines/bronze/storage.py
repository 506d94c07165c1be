"""Bytes of deliveries, wherever they lie: local folders and bucket URLs behind Arrow's file systems."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

import pyarrow.fs as pa_fs

from pipelines.bronze.stream_log import committed_files
from pipelines.storage import file_system, is_url

CHUNK = 1 << 20
"""Bytes read at once where only their digest is wanted."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file of a landing folder.

    Attributes:
        path: Where this machine and its workers reach it.
        name: Path relative to the dataset's landing folder: `_file` in bronze, the same on every machine.
        size: Bytes.
        modified: Modification time, nanoseconds since 1970, UTC.
    """

    path: str
    name: str
    size: int
    modified: int


def list_files(folder: str, takes: Callable[[str], bool] = lambda name: True) -> Iterator[StoredFile]:
    """List the files below a folder that are taken by their name relative to it, ordered by name.

    A folder that does not exist holds nothing. Names that start with a dot or an underscore are no deliveries: they
    are how writers mark what is not finished. Where streams write, only what they have committed is one.
    """
    system, root = file_system(folder)
    selector = pa_fs.FileSelector(root, recursive=True, allow_not_found=True)
    infos = sorted((info for info in system.get_file_info(selector) if info.is_file), key=lambda info: info.path)
    committed = committed_files(system, root)
    for info in infos:
        name = os.path.relpath(info.path, root)
        if any(part[0] in "._" for part in PurePosixPath(name).parts) or not takes(name):
            continue
        if committed is not None and name not in committed:
            continue  # a stream that died left it, or has not committed it yet
        path = f"{folder.rstrip('/')}/{name}" if is_url(folder) else info.path
        yield StoredFile(path, name, info.size or 0, info.mtime_ns or 0)


__all__ = ["CHUNK", "StoredFile", "list_files"]
