"""Files and folders that stand for paths that nobody has set: in the *program's own* interpreter, loaded by path.

A program opens its key file and walks its site's folder, so the path must lead somewhere, and not to the project's own
folder: a walk through that goes through its virtual environment.
"""

from __future__ import annotations

import os
import pathlib
import re

_CONTENT = ("www", "wwwroot", "site", "public", "static", "html", "dist", "build", "content", "app", "src", "assets")
"""Folders of a project that hold what a program uploads or packs, the likeliest first."""
_A_FILE = re.compile(r"(?i)(file|key|cert|certificate|pem|json|ya?ml|script|template)[_-]?(path|name)?$")


def is_file(key: str, *, opened: bool) -> bool:
    """Whether that path is a file's: the program opens it, or its name says so (``publicKeyPath``)."""
    return opened or bool(_A_FILE.search(key))


def content_of(key: str) -> str:
    """The name of what is in that file: ``publicKey`` for ``publicKeyPath``."""
    return re.sub(r"(?i)[_-]?(file)?[_-]?(path|name|file)$", "", key) or key


def folder(home: pathlib.Path, key: str) -> str:
    """A folder of the project that holds content, else a new one with a page in it; relative to the working directory.

    Args:
        home: Where a new one is made, outside what is under version control.
        key: The configuration's key.
    """
    there = next((name for name in _CONTENT if pathlib.Path(name).is_dir()), None)
    if there is not None:
        return there
    made = home / _slug(key)
    made.mkdir(parents=True, exist_ok=True)
    (made / "index.html").write_text(f"<!doctype html><title>stands for {key}</title>\n", encoding="utf-8")
    return os.path.relpath(made)


def file(home: pathlib.Path, key: str, content: str) -> str:
    """A new file with that content; relative to the working directory.

    Args:
        home: The folder that it is made in, outside what is under version control.
        key: The configuration's key.
        content: What it holds.
    """
    made = home / _slug(key)
    home.mkdir(parents=True, exist_ok=True)
    made.write_text(content, encoding="utf-8")
    return os.path.relpath(made)


def _slug(key: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]+", "-", key)
