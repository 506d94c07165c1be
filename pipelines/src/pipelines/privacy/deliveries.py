"""Deliveries in the landing folder without the records that are erased.

A file of lines loses exactly the lines of those records; a file of another form, or one in which they are not found as
bronze has them, is taken away as a whole: what others had in it is in bronze.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.fs as pa_fs

from pipelines.bronze.storage import StoredFile
from pipelines.storage import is_url, open_file

LINE_FORMATS = frozenset({"csv", "jsonl"})
"""Formats of which a record is a line, or lines."""
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What becomes of one file.

    Attributes:
        stored: The file as it was.
        content: Its new bytes; ``None`` where it goes as a whole.
        records: Records that leave it.
    """

    stored: StoredFile
    content: bytes | None
    records: int

    @property
    def sha256(self) -> str:
        """Digest of the new bytes."""
        return hashlib.sha256(self.content or b"").hexdigest()


def rewritten(stored: StoredFile, raws: Sequence[bytes], form: str) -> Rewritten:
    """Return a delivery without records.

    Args:
        stored: The file.
        raws: Bytes of each record that leaves, as bronze has them.
        form: Format by the contract.
    """
    with open_file(stored.path) as raw:
        content = raw.read()
    packed = content.startswith(_GZIP)
    text = gzip.decompress(content) if packed else content
    if form not in LINE_FORMATS or not raws:
        return Rewritten(stored, None, len(raws))
    for record, times in Counter(raws).items():
        whole = re.compile(rb"(?<![^\n])" + re.escape(record) + rb"(?:\r?\n|\Z)")
        text, gone = whole.subn(b"", text)
        if gone != times:
            return Rewritten(stored, None, len(raws))
    return Rewritten(stored, gzip.compress(text, mtime=0) if packed else text, len(raws))


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
        with system.open_output_stream(inner, compression=None) as out:
            out.write(change.content)
        return system.get_file_info(inner).mtime_ns or 0
    file = Path(path.removeprefix("file://"))
    if change.content is None:
        file.unlink(missing_ok=True)
        return 0
    part = file.with_name(f"_erasing-{file.name}")
    part.write_bytes(change.content)
    part.replace(file)
    return file.stat().st_mtime_ns
