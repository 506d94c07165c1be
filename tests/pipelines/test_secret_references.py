"""References to secrets: read where they are, refused in plain words, never repeated."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.errors import PipelineError, UsageError
from pipelines.secret_references import SecretReference


def test_a_variable_is_read_without_its_blanks() -> None:
    assert SecretReference.parse("env:TOKEN").read({"TOKEN": " s3cret\n"}) == b"s3cret"


@pytest.mark.parametrize("environment", [{}, {"TOKEN": " "}])
def test_an_absent_or_empty_variable_is_named(environment: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="TOKEN") as told:
        SecretReference.parse("env:TOKEN").read(environment)

    assert told.value.where == "env:TOKEN"


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("s3cret\n")
    path.chmod(0o644)
    reference = SecretReference.parse(f"file:{path}")

    with pytest.raises(UsageError, match="read by others") as told:
        reference.read()
    assert told.value.fix == f"chmod 600 {path}"
    path.chmod(0o600)
    assert reference.read() == b"s3cret"


@pytest.mark.parametrize("content", [None, ""])
def test_a_file_that_is_absent_or_empty_is_named(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_text(content)
        path.chmod(0o600)

    with pytest.raises(UsageError) as told:
        SecretReference.parse(f"file:{path}").read()
    assert told.value.where == f"file:{path}"


def test_a_disk_that_fails_is_no_wrong_setting() -> None:
    with pytest.raises(PipelineError, match="Input/output error") as told:
        SecretReference.parse("file:/proc/self/mem").read()  # of mode 0600, and its first page is never there
    assert told.type is PipelineError


@pytest.mark.parametrize("text", ["hunter2", "env:", "file:relative", "vault:x", "env:A B"])
def test_what_is_no_reference_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(UsageError) as told:
        SecretReference.parse(text)

    assert text not in str(told.value) or text == "env:"
