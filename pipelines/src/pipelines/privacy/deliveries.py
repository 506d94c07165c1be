"""Deliveries in the landing folder without the records that are erased.

A file loses exactly those records (:mod:`pipelines.bronze.rewriting`); one in which they are not found as bronze has
them is taken away as a whole: what others had in it is in bronze.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfileobj
from typing import IO

import pyarrow.fs as pa_fs

from pipelines.bronze.formats.form import BrokenError, Form
from pipelines.bronze.rewriting import rewrite, sha256_of
from pipelines.bronze.storage import StoredFile
from pipelines.storage import is_url, open_file


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What becomes of one file.

    Attributes:
        stored: The file as it was.
        content: Its new bytes, on this machine; ``None`` where it goes as a whole.
        sha256: Their digest, hexadecimal.
        records: Records that leave it.
    """

    stored: StoredFile
    content: IO[bytes] | None
    sha256: str
    records: int

    @property
    def size(self) -> int:
        """Number of the new bytes."""
        return os.fstat(self.content.fileno()).st_size if self.content else 0


def rewritten(stored: StoredFile, raws: Sequence[bytes], form: Form, scratch: IO[bytes]) -> Rewritten:
    """Write a delivery without records into a file that only this process may read.

    Args:
        stored: The file.
        raws: Bytes of each record that leaves, as bronze has them, without the end of its line.
        form: How it is written.
        scratch: The file, empty; of an operating system's file without a name nothing is left by whoever is killed.
    """
    with open_file(stored.path) as source:
        try:
            whole = bool(raws) and rewrite(form, source, scratch, raws)
        except BrokenError:
            whole = False
    scratch.flush()
    return Rewritten(stored, scratch if whole else None, sha256_of(scratch) if whole else "", len(raws))


def put(change: Rewritten) -> int:
    """Write the new bytes in place of the file, or remove it; return its modification time, nanoseconds since 1970.

    On a file system the change is whole or not at all; an object store replaces an object when the writing is closed.
    """
    path = change.stored.path
    if is_url(path):
        system, inner = pa_fs.FileSystem.from_uri(path)
        if change.content is None:
            system.delete_file(inner)
            return 0
        change.content.seek(0)
        with system.open_output_stream(inner, compression=None) as out:
            copyfileobj(change.content, out)
        return system.get_file_info(inner).mtime_ns or 0
    file = Path(path.removeprefix("file://"))
    if change.content is None:
        file.unlink(missing_ok=True)
        return 0
    part = file.with_name(f"_erasing-{file.name}")
    change.content.seek(0)
    with part.open("wb") as out:
        copyfileobj(change.content, out)
    part.replace(file)
    return file.stat().st_mtime_ns
