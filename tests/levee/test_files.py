"""Files that are written whole or not at all."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from levee.files import digest_of, write_whole


def test_a_file_is_replaced_with_its_mode_and_a_failed_write_leaves_the_old_one(tmp_path):
    path = tmp_path / "deep" / "state.json"
    write_whole(path, "old", mode=0o600)
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("old", 0o600)
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "no UTF-8: \ud800")
    assert path.read_text() == "old"
    assert [p.name for p in path.parent.iterdir()] == ["state.json"]


def test_threads_may_write_one_file(tmp_path):
    texts = {letter * 100_000 for letter in "abcdefgh"}
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda text: write_whole(tmp_path / "one", text), sorted(texts) * 4))
    assert (tmp_path / "one").read_text() in texts
    assert [p.name for p in tmp_path.iterdir()] == ["one"]


def test_what_cannot_be_written_is_named_itself_and_not_what_stands_beside_it(tmp_path):
    (tmp_path / "folder").write_bytes(b"\xff")
    with pytest.raises(OSError, match=r"folder/file\.json") as refused:
        write_whole(tmp_path / "folder" / "file.json", b"\xff")
    assert refused.value.filename == str(tmp_path / "folder" / "file.json")


def test_a_pipe_is_written_to_and_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_whole(pipe, "through it")
    assert os.read(reading, 100) == b"through it"
    os.close(reading)
    assert pipe.is_fifo()


def test_a_folder_is_known_by_the_paths_and_the_content_of_all_its_files(tmp_path):
    def digest(files):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        for name, content in files.items():
            write_whole(folder / name, content)
        return digest_of(folder)

    rules = {"a.py": "1", "data/prices.csv": "2"}
    same = digest(rules)
    assert digest(dict(reversed(rules.items()))) == same
    assert digest(rules | {"__pycache__/a.cpython-311.pyc": b"3"}) == same
    others = [rules | {"data/prices.csv": "3"}, rules | {"b.py": ""}, {"a.py": "1", "data/prices.toml": "2"}]
    assert len({same, *map(digest, others)}) == 4
