"""``levee quarantine``: what is refused before anything starts."""

from __future__ import annotations

import pytest
from rich.console import Console

from levee.cli.app import run
from levee.cli.quarantine import _field, _private_fields
from levee.errors import UsageError
from levee.report.quarantine import listed

ID = "0123456789abcdef"


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["show", "cdnow", ID, "--raw"], "add --reason WHY"),
        (["correct", "cdnow", ID], "add --set FIELD=VALUE"),
        (["correct", "cdnow", ID, "--set", "secret"], "--set is FIELD=VALUE"),
        (["waive", "cdnow", "--reason", "why"], "give their ids, or --rule ID"),
        (["waive", "cdnow", ID, "--rule", "date_type", "--reason", "why"], "give their ids, or --rule ID"),
    ],
)
def test_what_makes_no_sense_is_refused(argv: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["quarantine", *argv]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert said in told
    assert "secret" not in told


def test_a_field_may_hold_the_sign_and_be_empty() -> None:
    assert _field("a=b=c") == ("a", "b=c")
    assert _field("a=") == ("a", "")


@pytest.mark.parametrize("text", ["", "[]", '{"a": 1}'])
def test_private_fields_are_an_object_of_texts(text: str, tmp_path) -> None:
    file = tmp_path / "fields.json"
    file.write_text('{"name": "Bob"}')
    assert _private_fields(str(file)) == {"name": "Bob"}
    file.write_text(text)
    with pytest.raises(UsageError, match="no JSON object of texts"):
        _private_fields(str(file))


@pytest.mark.parametrize(
    ("width", "whole"),
    [
        (80, (ID, "2026-11-22 08:00", "2026-11-22 09:00")),
        (100, (ID, "date_type", "date_required", "2026-11-22 08:00")),
    ],
)
def test_ids_rules_and_times_are_shown_whole_in_a_narrow_terminal(width: int, whole: tuple[str, ...]) -> None:
    record = {"id": ID, "state": "open", "rules": ["date_type", "date_required"], "file": "1997/01/monthly.txt"}
    seen = {"line": 3, "copies": 1, "occurrences": 2, "first_seen": "2026-11-22T08:00", "last_seen": "2026-11-22T09:00"}
    told = {"dataset": "cdnow", "counts": [{"rule": "date_type", "state": "open", "rows": 1}], "more": False}
    console = Console(width=width)
    with console.capture() as shown:
        console.print(listed({**told, "records": [{**record, **seen}]}))
    assert [text for text in whole if text not in shown.get()] == []
