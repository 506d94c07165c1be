"""Looks at a delivery before any row of it is read: its content's name, and whether it can be a delivery at all."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pipelines.bronze.parser import CsvFormat, HeaderError, check_header, text_bytes
from pipelines.bronze.storage import CHUNK, Hashed, StoredFile, open_file

THREADS = 8
"""Files looked at at once: hashing and inflating leave the interpreter lock."""
LONGEST_HEADER = 1 << 20


@dataclass(frozen=True, slots=True)
class Delivery:
    """A file of the landing folder, looked at.

    Attributes:
        stored: Where it is.
        sha256: Its bytes' digest, hexadecimal.
        problem: Why no record of it can be read; ``None`` where it can.
    """

    stored: StoredFile
    sha256: str
    problem: str | None


def inspect_all(
    files: Iterable[StoredFile], form: CsvFormat, seen: Callable[[int], None] = lambda done: None
) -> Iterator[Delivery]:
    """Look at files, several at once; `seen` is told how many are done. Order is kept."""
    with ThreadPoolExecutor(THREADS) as pool:
        for done, delivery in enumerate(pool.map(lambda stored: inspect(stored, form), files), start=1):
            seen(done)
            yield delivery


def inspect(stored: StoredFile, form: CsvFormat) -> Delivery:
    """Look at one file.

    The whole of it is read: for its digest and, where it is compressed or in a wide encoding, to its end once more,
    because a file that stops in the middle is an incomplete delivery and none of its rows may be taken in.
    """
    with open_file(stored.path) as raw:
        sha256 = Hashed(raw).sha256()
        raw.seek(0)
        return Delivery(stored, sha256, _problem(raw, form) if stored.size else None)


def _problem(raw: object, form: CsvFormat) -> str | None:
    try:
        stream = text_bytes(raw, form)  # ty: ignore[invalid-argument-type] - a file of any system
        head = stream.read(CHUNK)
        if form.header == "names" and head:
            while b"\n" not in head and len(head) < LONGEST_HEADER and (more := stream.read(CHUNK)):
                head += more
            check_header(head[: head.find(b"\n") + 1 or len(head)], form)
        if stream is not raw:
            while stream.read(CHUNK):
                pass
    except HeaderError as error:
        return f"header: {error}"
    except EOFError:
        return "truncated: the compressed file ends before its end marker; the delivery is incomplete"
    except (gzip.BadGzipFile, zlib.error) as error:
        return f"corrupt: {error}"
    except UnicodeError as error:
        return f"undecodable: {error}"
    return None
