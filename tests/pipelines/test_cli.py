"""One task by hand: wrong calls are answered in words, with the exit code for wrong use."""

from __future__ import annotations

import pytest

from pipelines import cli
from pipelines.errors import UsageError
from pipelines.jobs import TASKS


def test_help_names_every_task(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(task in shown for task in TASKS)
    assert "example: " in shown


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], "usage: "),
        (["slver"], "did you mean `silver`?"),
        (["silver", "--domain=sails", "--dataset=cdnow"], "did you mean `sales`?"),
        (["silver", "--domain=sales"], "pass --dataset with one of cdnow, online_retail"),
        (["silver", "--domain=sales", "--dataset=cdno"], "did you mean `cdnow`?"),
        (["gold", "--domain=sales", "--table=cdnow"], "cdnow is of the layer source"),
        (["quality", "--domain=sales", "--dataset=revenue_by_month"], "revenue_by_month is of the layer gold"),
    ],
)
def test_a_wrong_call_is_answered_in_words(argv: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(argv) == UsageError.exit_code
    shown = capsys.readouterr().err
    assert said in shown
    assert "Traceback" not in shown
