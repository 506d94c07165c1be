"""Deliveries in the landing folder without the records that are erased.

A file loses exactly those records (:mod:`pipelines.bronze.rewriting`); one in which they are not found as bronze has
them is taken away as a whole: what others had in it is in bronze.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile, copyfileobj

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
        content: Where its new bytes are, on this machine; ``None`` where it goes as a whole.
        sha256: Their digest, hexadecimal.
        records: Records that leave it.
    """

    stored: StoredFile
    content: Path | None
    sha256: str
    records: int

    @property
    def size(self) -> int:
        """Number of the new bytes."""
        return self.content.stat().st_size if self.content else 0


def rewritten(stored: StoredFile, raws: Sequence[bytes], form: Form, scratch: Path) -> Rewritten:
    """Write a delivery without records into a folder that only this process may read.

    Args:
        stored: The file.
        raws: Bytes of each record that leaves, as bronze has them, without the end of its line.
        form: How it is written.
        scratch: The folder.
    """
    content = scratch / "rewritten"
    with open_file(stored.path) as source, content.open("wb+") as out:
        try:
            whole = bool(raws) and rewrite(form, source, out, raws)
        except BrokenError:
            whole = False
        out.flush()
        return Rewritten(stored, content if whole else None, sha256_of(out) if whole else "", len(raws))


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
        with change.content.open("rb") as content, system.open_output_stream(inner, compression=None) as out:
            copyfileobj(content, out)
        return system.get_file_info(inner).mtime_ns or 0
    file = Path(path.removeprefix("file://"))
    if change.content is None:
        file.unlink(missing_ok=True)
        return 0
    part = file.with_name(f"_erasing-{file.name}")
    copyfile(change.content, part)
    part.replace(file)
    return file.stat().st_mtime_ns
