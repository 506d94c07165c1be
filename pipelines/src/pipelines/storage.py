"""Folders of this machine and bucket URLs, told apart and opened alike."""

from __future__ import annotations

from pathlib import Path
from typing import IO, cast

import pyarrow.fs as pa_fs


def is_url(place: str) -> bool:
    """Tell a bucket URL from a folder of this machine."""
    return "://" in place and not place.startswith("file://")


def file_system(folder: str) -> tuple[pa_fs.FileSystem, str]:
    """Return Arrow's file system of a folder, and the folder's name there."""
    if is_url(folder):
        return pa_fs.FileSystem.from_uri(folder)
    return pa_fs.LocalFileSystem(), str(Path(folder.removeprefix("file://")).absolute())


def open_file(path: str) -> IO[bytes]:
    """Open a file for reading, sequentially and seekable."""
    if is_url(path):
        system, inner = pa_fs.FileSystem.from_uri(path)
        return cast("IO[bytes]", system.open_input_file(inner))
    return Path(path.removeprefix("file://")).open("rb")
