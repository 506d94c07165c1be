"""A machine without Java 17: what needs Spark is skipped and says why; where Spark is required the run fails."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

OF_SPARK = "engine/test_engine.py::test_replace_where_is_exactly_once[spark]"


def run(java: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-n0", "-rs", "-p", "no:cacheprovider", str(Path(__file__).parent / OF_SPARK)],
        env={**os.environ, "LEVEE_REQUIRE_SPARK": "", "JAVA_HOME": str(java), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def java_8(tmp_path: Path) -> Path:
    """A home whose ``java`` says that it is Java 8."""
    java = tmp_path / "java8" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text("#!/bin/sh\necho 'openjdk version \"1.8.0_402\"' >&2\n")
    java.chmod(0o755)
    return java.parents[1]


def test_it_is_skipped_with_the_reason(tmp_path: Path) -> None:
    ended = run(tmp_path)
    assert ended.returncode == 0, ended.stdout
    assert "1 skipped" in ended.stdout
    assert "there is no Java; Spark needs Java 17" in ended.stdout


def test_an_older_java_is_none(java_8: Path) -> None:
    ended = run(java_8)
    assert "1 skipped" in ended.stdout
    assert 'is version "1; Spark needs Java 17' in ended.stdout


def test_it_fails_where_spark_is_required(tmp_path: Path) -> None:
    ended = run(tmp_path, LEVEE_REQUIRE_SPARK="1")
    assert ended.returncode != 0
    assert "LEVEE_REQUIRE_SPARK=1, and there is no Java" in ended.stderr
