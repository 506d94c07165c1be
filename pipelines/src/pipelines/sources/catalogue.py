"""The sources there are: what each is, whose it is, and the two places data is taken from (an archive, a package)."""

from __future__ import annotations

import hashlib
import io
import lzma
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pipelines.contracts.document import nearest
from pipelines.errors import PipelineError, UsageError

DATA_VARIABLE = "LEVEE_DATA"
"""Names the folder of real data sets that a company, or this project's CI, has on the machine."""


class DataSource(Protocol):
    """One source of real data."""

    @property
    def setting(self) -> str:
        """Name in the contract's ``source.setting``."""
        ...

    @property
    def provenance(self) -> str:
        """Whose data it is, and under which licence."""
        ...

    def available(self, environment: Mapping[str, str]) -> bool:
        """Whether it can be fetched on this machine without asking for anything more."""
        ...

    def deliveries(self, environment: Mapping[str, str], cache: Path) -> Iterator[tuple[str, bytes]]:
        """Yield file name and content of each delivery."""
        ...


@dataclass(frozen=True, slots=True)
class ArchiveSource:
    """Files of a tar archive under ``LEVEE_DATA``, each a delivery as it is.

    Attributes:
        setting: Name in contracts.
        provenance: Whose data it is.
        archive: Path under ``LEVEE_DATA``.
        suffix: What the deliveries' names end in.
    """

    setting: str
    provenance: str
    archive: str
    suffix: str

    def available(self, environment: Mapping[str, str]) -> bool:
        """Whether ``LEVEE_DATA`` is set and holds the archive."""
        folder = environment.get(DATA_VARIABLE)
        return bool(folder) and (Path(folder) / self.archive).is_file()

    def deliveries(self, environment: Mapping[str, str], cache: Path) -> Iterator[tuple[str, bytes]]:
        """Yield the archive's files.

        Raises:
            PipelineError: ``LEVEE_DATA`` is not set, or the archive is missing or damaged.
        """
        folder = environment.get(DATA_VARIABLE)
        if not folder:
            raise PipelineError(
                f"the source {self.setting} needs {DATA_VARIABLE}, the folder that holds {self.archive}",
                fix=f"export {DATA_VARIABLE}=<folder>, or use the source cdnow, which a package ships",
            )
        path = Path(folder) / self.archive
        try:
            with tarfile.open(path) as archive:
                for member in archive:  # in the archive's order: going back would unpack from the start again
                    content = archive.extractfile(member) if member.isfile() else None
                    if content is not None and member.name.endswith(self.suffix):
                        yield Path(member.name).name, content.read()
        except FileNotFoundError:
            raise PipelineError(
                f"there is no {self.archive} under {DATA_VARIABLE}",
                where=str(path),
                fix=f"set {DATA_VARIABLE} to the folder that holds it",
            ) from None
        except (tarfile.TarError, lzma.LZMAError, EOFError, OSError) as error:
            raise PipelineError(f"the archive cannot be read: {error}", where=str(path)) from error


@dataclass(frozen=True, slots=True)
class PackageSource:
    """A data file that ships inside a package, split by month into deliveries.

    The file has a header line and one record a line, whose second field is a date ``yyyyMMdd``.

    Attributes:
        setting: Name in contracts.
        provenance: Whose data it is.
        requirement: Exact requirement, ``name==version``.
        wheel_sha256: sha256 of the wheel, checked by the package client.
        member: Path of the file in the wheel.
        member_sha256: sha256 of the file.
        stem: What the deliveries' names start with.
    """

    setting: str
    provenance: str
    requirement: str
    wheel_sha256: str
    member: str
    member_sha256: str
    stem: str

    def available(self, environment: Mapping[str, str]) -> bool:
        """A package can be fetched wherever the package client works."""
        return True

    def deliveries(self, environment: Mapping[str, str], cache: Path) -> Iterator[tuple[str, bytes]]:
        """Yield one file a month: the header, then that month's lines in the order of the source, unchanged.

        Raises:
            PipelineError: the package cannot be fetched, or is not the one that was pinned.
        """
        content = self._content(environment, cache)
        header, *lines = content.splitlines(keepends=True)
        months: dict[str, io.BytesIO] = {}
        for line in lines:
            date = line.split()[1].decode("ascii")
            month = f"{date[:4]}-{date[4:6]}"
            months.setdefault(month, io.BytesIO(header)).seek(0, io.SEEK_END)
            months[month].write(line)
        for month in sorted(months):
            yield f"{self.stem}-{month}{Path(self.member).suffix.lower()}", months[month].getvalue()

    def _content(self, environment: Mapping[str, str], cache: Path) -> bytes:
        kept = cache / f"{self.member_sha256}{Path(self.member).suffix}"
        if kept.is_file() and _sha256(kept) == self.member_sha256:
            return kept.read_bytes()
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            self._install(environment, Path(folder))
            fetched = Path(folder) / self.member
            if not fetched.is_file() or _sha256(fetched) != self.member_sha256:
                raise PipelineError(f"{self.requirement} does not hold the {self.member} that was pinned")
            fetched.replace(kept)
        return kept.read_bytes()

    def _install(self, environment: Mapping[str, str], folder: Path) -> None:
        """Let the package client fetch the wheel alone (its code is not imported), with its hash checked."""
        requirements = folder / "requirements.txt"
        requirements.write_text(f"{self.requirement} --hash=sha256:{self.wheel_sha256}\n", encoding="utf-8")
        arguments = ["install", "--no-deps", "--require-hashes", "--target", str(folder), "-r", str(requirements)]
        uv = environment.get("UV") or shutil.which("uv")
        command = (
            [uv, "pip", *arguments, "--python", sys.executable]
            if uv
            else [sys.executable, "-m", "pip", *arguments, "--disable-pip-version-check"]
        )
        done = subprocess.run([*command, "--quiet"], capture_output=True, text=True, check=False, env=dict(environment))
        if done.returncode:
            reason = (done.stderr or done.stdout).strip().splitlines()
            raise PipelineError(
                f"{self.requirement} could not be fetched: {reason[-1] if reason else 'no reason given'}",
                where=" ".join(command[:3]),
                fix=f"look at the network or the package index, or set {DATA_VARIABLE} to use online-retail instead",
            )


SOURCES: tuple[DataSource, ...] = (
    ArchiveSource(
        setting="online-retail",
        provenance="UCI Online Retail, D. Chen 2015, CC BY 4.0: one UK web shop's invoices, 2010-12 to 2011-12",
        archive="online-retail/by-day.tar.xz",
        suffix=".csv",
    ),
    PackageSource(
        setting="cdnow",
        provenance=(
            "CDNOW master data set, P. Fader and B. Hardie: every purchase to 1998-06 of the 23,570 customers who came "
            "in the first quarter of 1997; from the MIT-licensed package Lifetimes 0.11.3"
        ),
        requirement="lifetimes==0.11.3",
        wheel_sha256="261e3dc89977c2b60767ca6728aaa29d429de0c814635070a749c36555895da8",
        member="lifetimes/datasets/CDNOW_master.txt",
        member_sha256="eff6889ed364c5199d6eacbbeb7a6d559971df4406ac876f322c373f00a072ef",
        stem="cdnow",
    ),
)
"""Every source, the preferred one first."""


def find(setting: str) -> DataSource:
    """Return the source of that name.

    Raises:
        UsageError: there is none.
    """
    for source in SOURCES:
        if source.setting == setting:
            return source
    raise UsageError(f"there is no source {setting!r}", fix=nearest(setting, [source.setting for source in SOURCES]))


def default_setting(environment: Mapping[str, str] | None = None) -> str:
    """Return the first source that this machine can fetch: online-retail with ``LEVEE_DATA``, else a package's."""
    variables = os.environ if environment is None else environment
    return next(source.setting for source in SOURCES if source.available(variables))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
