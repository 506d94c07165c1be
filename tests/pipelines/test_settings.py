"""What a task is told: the job's parameters, the machine's variables, and every way to tell it wrongly."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.errors import PipelineError, UsageError
from pipelines.privacy.keys import read_key
from pipelines.secret_references import SecretReference
from pipelines.settings import EngineName, Layer, RunSettings

ARGV = ["--domain=sales", "--dataset", "cdnow", "--silver=s3://acme-silver", "--catalog=levee"]


def test_parameters_and_surroundings_are_read() -> None:
    settings = RunSettings.parse(
        [*ARGV, "--sources=cdnow,online_retail", "--run-id=42"],
        {
            "LEVEE_ENGINE": "spark",
            "LEVEE_PATH_MAP": '{"s3://acme-silver": "/lake/silver", "s3://acme": "/wrong"}',
            "LEVEE_NODE_TYPE": "m6gd.large",
            "LEVEE_PROGRESS": "/run/progress.jsonl",
        },
    )
    assert (settings.domain, settings.dataset, settings.catalog) == ("sales", "cdnow", "levee")
    assert settings.sources == ("cdnow", "online_retail")
    assert (settings.engine, settings.run_id, settings.node_type) == (EngineName.SPARK, "42", "m6gd.large")
    assert settings.table_path(Layer.SILVER, "cdnow") == "/lake/silver/sales/cdnow"
    assert settings.progress == Path("/run/progress.jsonl")


def test_a_cluster_is_noticed_and_a_laptop_runs_on_sail() -> None:
    assert RunSettings.parse(ARGV, {"DATABRICKS_RUNTIME_VERSION": "17.3"}).engine is EngineName.DATABRICKS
    assert RunSettings.parse(ARGV, {}).engine is EngineName.SAIL


def test_a_prefix_maps_whole_names_only() -> None:
    settings = RunSettings.parse(ARGV, {"LEVEE_PATH_MAP": '{"s3://acme": "/lake", "s3://acme/deep": "/deep"}'})
    assert settings.local("s3://acme/a/b") == "/lake/a/b"
    assert settings.local("s3://acme") == "/lake"
    assert settings.local("s3://acme/deep/x") == "/deep/x"
    assert settings.local("s3://acme-silver/x") == "s3://acme-silver/x"


def test_runs_without_a_name_get_one_that_sorts_by_time() -> None:
    names = [RunSettings.parse(ARGV, {}, now=datetime(2026, 11, 21, hour, tzinfo=UTC)).run_id for hour in (8, 9, 9)]
    assert names[0] < names[1]
    assert len(set(names)) == 3


@pytest.mark.parametrize(
    ("argv", "variables", "message"),
    [
        ([], {}, "--domain"),
        ([*ARGV, "--colour=red"], {}, "--colour"),
        (["--dom=sales"], {}, "--domain"),
        (ARGV, {"LEVEE_ENGINE": "flink"}, "'flink' is no engine"),
        (ARGV, {"LEVEE_PATH_MAP": "s3://a=/b"}, "not JSON"),
        (ARGV, {"LEVEE_PATH_MAP": "[]"}, "must map"),
    ],
)
def test_what_cannot_be_is_refused(argv: list[str], variables: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        RunSettings.parse(argv, variables, task="silver")
    assert caught.value.fix


def test_a_root_that_the_task_was_not_told_is_named() -> None:
    with pytest.raises(UsageError, match="not told where gold is") as caught:
        RunSettings.parse(ARGV, {}).table_path(Layer.GOLD, "x")
    assert caught.value.fix == "pass --gold URL to the task"


class TestKey:
    """The masking key is read late, from where nobody else can read it, and is never shown."""

    def test_from_a_file(self, tmp_path: Path) -> None:
        file = tmp_path / "key"
        file.write_text("k" * 64 + "\n")
        file.chmod(0o600)
        source = RunSettings.parse(ARGV, {"LEVEE_PSEUDONYM_KEY_FILE": str(file)}).pseudonym_key
        assert source is not None
        assert source.read() == b"k" * 64

    def test_from_a_variable(self) -> None:
        variables = {"LEVEE_PSEUDONYM_KEY": "k" * 40}
        settings = RunSettings.parse(ARGV, variables)
        assert settings.pseudonym_key is not None
        assert settings.pseudonym_key.read(variables) == b"k" * 40
        assert "kkkk" not in repr(settings)

    def test_one_that_others_can_read_is_refused(self, tmp_path: Path) -> None:
        file = tmp_path / "key"
        file.write_text("k" * 64)
        file.chmod(0o644)
        with pytest.raises(PipelineError, match="read by others") as caught:
            read_key(SecretReference("file", str(file)))
        assert caught.value.fix == f"chmod 600 {file}"

    def test_short_absent_and_unset_ones_are_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("K", "short")
        with pytest.raises(PipelineError, match="no key is set"):
            read_key(None)
        with pytest.raises(PipelineError, match="has 5 bytes"):
            read_key(SecretReference("env", "K"))
        with pytest.raises(PipelineError, match="cannot be read"):
            read_key(SecretReference("file", str(tmp_path / "none")))
