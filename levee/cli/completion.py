"""``levee completion SHELL``: what a shell must know to complete this command line."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer
from typer.completion import completion_init, get_completion_script

from levee.cli import panels
from levee.cli.console import answer, write_texts
from levee.cli.options import JsonFile

ASKED: Final = "_LEVEE_COMPLETE"
"""Variable that a shell sets when it asks how a word goes on."""


class Shell(StrEnum):
    """Shells that can be told."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"
    PWSH = "pwsh"


def register(app: typer.Typer) -> None:
    """Add the command."""
    panels.command(app, completion, example="levee completion bash >> ~/.bashrc", panel=panels.MACHINE)


def prepare() -> None:
    """Know the shells, where one asks."""
    if ASKED in os.environ:
        completion_init()


def completion(
    shell: Annotated[Shell, typer.Argument(metavar="SHELL", help="bash, zsh, fish or pwsh.")], *, json: JsonFile = None
) -> int:
    """Print the script that lets a shell complete commands, options, environments, domains and datasets."""
    script = get_completion_script(prog_name="levee", complete_var=ASKED, shell=shell.value) + "\n"
    answer({"shell": shell.value, "script": script}, json)
    if json != Path("-"):
        write_texts([(shell.value, script)], None)
    return 0
