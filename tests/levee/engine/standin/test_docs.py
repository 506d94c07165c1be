"""The reference pages name everything there is to name."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import get_args

from levee.engine.standin.__main__ import _parser
from levee.engine.standin.fault_rules import Action, Operation, Rule
from levee.engine.standin.journal import Kind

REFERENCE = Path(__file__).parents[4] / "docs" / "reference"


def code(page: str) -> set[str]:
    return set(re.findall(r"`([^`\n]+)`", (REFERENCE / page).read_text()))


def test_every_fault_key_action_and_operation_is_described() -> None:
    assert {f.name for f in fields(Rule)} | {*get_args(Action), *get_args(Operation)} <= code("faults.md")


def test_every_kind_of_log_line_is_described() -> None:
    assert set(get_args(Kind)) <= code("simulated-cloud.md")


def test_every_option_is_described() -> None:
    page = (REFERENCE / "simulated-cloud.md").read_text()
    options = {o for action in _parser()._actions for o in action.option_strings if o.startswith("--")} - {"--help"}
    assert all(option in page for option in options)
