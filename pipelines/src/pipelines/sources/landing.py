"""Deliveries on disk: each file appears whole or not at all, and one that is there is left alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import PipelineError


@dataclass(frozen=True, slots=True)
class Landed:
    """What a landing folder holds after a fetch.

    Attributes:
        folder: The folder.
        new: Deliveries that were laid down now.
        kept: Deliveries that were there already.
        size: Bytes of all of them.
    """

    folder: Path
    new: int
    kept: int
    size: int


def land(
    deliveries: Iterable[tuple[str, bytes]], folder: Path, on_file: Callable[[str, int], None] | None = None
) -> Landed:
    """Lay deliveries down in `folder`.

    A name that is there already is kept as it is: what was delivered once does not change.

    Args:
        deliveries: Name and content of each.
        folder: Landing folder of the dataset; made where it is missing.
        on_file: Called with the name and the number of files so far.

    Raises:
        PipelineError: the folder cannot be written (a full disk); nothing half-written is left.
    """
    new = kept = size = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in deliveries:
            target = folder / name
            size += len(content)
            if target.exists():
                kept += 1
            else:
                _write(target, content)
                new += 1
            if on_file:
                on_file(name, new + kept)
    except OSError as error:
        raise PipelineError(
            f"deliveries cannot be written: {error.strerror}", where=str(folder), fix="make room and run it again"
        ) from error
    return Landed(folder, new, kept, size)


def _write(target: Path, content: bytes) -> None:
    """Write beside the target under a hidden name, flush to disk, then rename."""
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
