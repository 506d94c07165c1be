"""Real rows, laid down as they are: every byte of a source is in its deliveries, and in no other order."""

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.contracts import load_domain
from pipelines.errors import PipelineError, UsageError
from pipelines.sources import SOURCES, default_setting, find, land
from pipelines.sources.catalogue import ArchiveSource, PackageSource

MASTER = (
    b" customer_id  date number_of_cds  dollar_value\r\n"
    b" 00001 19970101  1   11.77\r\n"
    b" 00002 19970212  1   12.00\r\n"
    b" 00002 19970112  5   77.00\r\n"
    b" 00003 19970102  2   20.76"
)


def packaged(cache: Path, content: bytes = MASTER) -> PackageSource:
    """The cdnow source with another file, already fetched."""
    cdnow = find("cdnow")
    assert isinstance(cdnow, PackageSource)
    digest = hashlib.sha256(content).hexdigest()
    cache.mkdir(exist_ok=True)
    (cache / f"{digest}.txt").write_bytes(content)
    return replace(cdnow, member_sha256=digest)


def archived(folder: Path, files: dict[str, bytes]) -> ArchiveSource:
    with tarfile.open(folder / "data.tar.xz", "w:xz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return ArchiveSource("test", "ours", "data.tar.xz", ".csv")


def test_every_contract_names_a_source_that_there_is() -> None:
    settings = [contract.source.setting for contract in load_domain("sales").sources if contract.source]
    assert sorted(settings) == sorted(source.setting for source in SOURCES)


def test_without_data_on_the_machine_a_package_is_the_source(tmp_path: Path) -> None:
    assert default_setting({}) == "cdnow"
    assert default_setting({"LEVEE_DATA": str(tmp_path)}) == "cdnow"
    (tmp_path / "online-retail").mkdir()
    (tmp_path / "online-retail" / "by-day.tar.xz").touch()
    assert default_setting({"LEVEE_DATA": str(tmp_path)}) == "online-retail"


def test_an_unknown_source_names_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        find("online_retail")
    assert caught.value.fix == "did you mean `online-retail`?"


def test_a_packages_file_is_split_by_month_and_nothing_is_changed(tmp_path: Path) -> None:
    found = dict(packaged(tmp_path / "cache").deliveries({}, tmp_path / "cache"))
    header, *lines = MASTER.splitlines(keepends=True)
    assert found == {
        "cdnow-1997-01.txt": header + lines[0] + lines[2] + lines[3],
        "cdnow-1997-02.txt": header + lines[1],
    }


def test_a_damaged_cache_is_not_believed(tmp_path: Path) -> None:
    source = packaged(tmp_path / "cache")
    (tmp_path / "cache" / f"{source.member_sha256}.txt").write_bytes(MASTER[:-1])
    no_client = {"UV": "/bin/false", "PATH": ""}
    with pytest.raises(PipelineError, match=r"lifetimes==0.11.3 could not be fetched"):
        list(source.deliveries(no_client, tmp_path / "cache"))


def test_an_archives_files_are_deliveries_wherever_they_say_they_are(tmp_path: Path) -> None:
    source = archived(tmp_path, {"2011/a.csv": b"1\n", "../../b.csv": b"2\n", "README": b"no"})
    found = dict(source.deliveries({"LEVEE_DATA": str(tmp_path)}, tmp_path))
    assert found == {"a.csv": b"1\n", "b.csv": b"2\n"}


@pytest.mark.parametrize("damage", [b"", b"no archive", None])
def test_a_damaged_archive_is_an_error_in_words(tmp_path: Path, damage: bytes | None) -> None:
    source = archived(tmp_path, {"a.csv": os.urandom(100_000)})
    path = tmp_path / "data.tar.xz"
    path.write_bytes(path.read_bytes()[:50_000] if damage is None else damage)
    with pytest.raises(PipelineError, match="archive cannot be read"):
        list(source.deliveries({"LEVEE_DATA": str(tmp_path)}, tmp_path))


def test_what_was_delivered_is_left_alone(tmp_path: Path) -> None:
    first = land([("a", b"1"), ("b", b"2")], tmp_path / "landing")
    (tmp_path / "landing" / "a").write_bytes(b"corrected")
    second = land([("a", b"1"), ("b", b"2"), ("c", b"3")], tmp_path / "landing")
    assert ((first.new, first.kept), (second.new, second.kept, second.size)) == ((2, 0), (1, 2, 3))
    assert (tmp_path / "landing" / "a").read_bytes() == b"corrected"


def test_a_source_that_breaks_leaves_whole_files_only(tmp_path: Path) -> None:
    def broken():
        yield "a", b"1"
        raise PipelineError("the network is gone")

    with pytest.raises(PipelineError, match="network"):
        land(broken(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_folder_that_cannot_be_written_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PipelineError, match="deliveries cannot be written"):
        land([("a", b"1")], tmp_path / "file")


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name != "LEVEE_DATA"}
    return subprocess.run(
        [sys.executable, "-m", "pipelines.sources", *arguments],
        capture_output=True, text=True, check=False, env=inherited | environment,
    )  # fmt: skip


def test_the_command_says_where_the_data_would_have_to_be(tmp_path: Path) -> None:
    failed = command("fetch", "online-retail", "--to", str(tmp_path))
    assert failed.returncode == 3
    assert "LEVEE_DATA" in failed.stderr
    assert "Traceback" not in failed.stderr
    skipped = command("fetch", "online-retail", "--to", str(tmp_path), "--if-available", "--json")
    assert (skipped.returncode, json.loads(skipped.stdout)["available"]) == (0, False)


@pytest.mark.slow
def test_the_package_client_fetches_the_pinned_file(tmp_path: Path) -> None:
    fetched = command("fetch", "cdnow", "--to", str(tmp_path / "landing"), "--cache", str(tmp_path / "cache"), "--json")
    assert fetched.returncode == 0, fetched.stderr
    told = json.loads(fetched.stdout)
    assert (told["new"], told["bytes"]) == (18, 1_950_500 + 17 * 48)  # the file, and its header 17 times more
    rows = sum(len(path.read_bytes().splitlines()) - 1 for path in (tmp_path / "landing").iterdir())
    assert rows == 69_659
