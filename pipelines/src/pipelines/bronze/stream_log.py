"""Which files of a folder a stream has committed: Spark's file sink keeps a log of them in ``_spark_metadata``.

A batch's files are in their places before the batch is whole, and stay there where the stream dies; only what the log
names was committed (Spark: "Structured Streaming Programming Guide", file sink; ``FileStreamSinkLog``).
"""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

import pyarrow.fs as pa_fs

LOG = "_spark_metadata"
VERSION = "v1"


def committed_files(system: pa_fs.FileSystem, root: str) -> dict[str, int] | None:
    """Return name and size of the files that streams have committed to a folder; ``None`` where none writes there.

    Raises:
        ValueError: the log is of a version that is not known.
    """
    folder = f"{root}/{LOG}"
    if system.get_file_info(folder).type is not pa_fs.FileType.Directory:
        return None
    # A batch is a number, a compaction of all batches before it `<number>.compact`; others are on their way.
    infos = [info for info in system.get_file_info(pa_fs.FileSelector(folder)) if info.base_name[0].isdigit()]
    found: dict[str, int] = {}
    for info in infos:
        with system.open_input_file(info.path) as log:
            version, *lines = log.read().decode().splitlines()
        if version != VERSION:
            raise ValueError(f"{info.path} is of the version {version!r}, and {VERSION} is read")
        for entry in map(json.loads, lines):
            found[PurePosixPath(unquote(urlsplit(entry["path"]).path)).name] = int(entry["size"])
    return found


__all__ = ["committed_files"]
