"""The two sides of a review, taken out of git without touching the user's checkout, index or list of worktrees.

A tree is written by ``git checkout-index`` with an index of its own: it is just what a worktree of that commit holds,
and nothing stays behind in ``.git`` should the review be killed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from levee.errors import EngineError, UsageError
from levee.review.model import Revision

_BASES: Final = ("origin/HEAD", "origin/main", "origin/master", "main", "master")
"""What a change is compared with where nothing is said, the first that there is."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A git repository with a checkout.

    Attributes:
        root: The top folder of the checkout.
    """

    root: Path

    @classmethod
    def around(cls, folder: Path) -> Self:
        """The repository that a folder lies in.

        Raises:
            UsageError: It lies in none.
        """
        asked = _git(folder, "rev-parse", "--show-toplevel")
        if asked.returncode != 0:
            raise UsageError(
                f"not in a git repository: {_said(asked)}", where=str(folder), fix="git init, and commit the project"
            )
        return cls(Path(asked.stdout.strip()).resolve())

    def revisions(self, base: str | None, head: str) -> tuple[Revision, Revision]:
        """Both sides. Where the head does not contain the base, it is reviewed as it would be after the merge.

        Args:
            base: A commit, branch or tag; ``None`` for the repository's main branch.
            head: The same, of what is proposed.

        Raises:
            UsageError: There is no such commit, they have no common history, or they conflict.
        """
        name = base or self._main_branch()
        before, after = self._commit(name, "--base"), self._commit(head, "--head")
        contains = _git(self.root, "merge-base", "--is-ancestor", before, after).returncode == 0
        tree = self._tree(after) if contains else self._merged(before, after, name, head)
        return Revision(name, before, self._tree(before)), Revision(head, after, tree)

    def tree_of(self, name: str) -> str:
        """The tree of a commit, branch or tag, hexadecimal.

        Raises:
            UsageError: There is no such commit.
        """
        return self._tree(self._commit(name, "--base"))

    def history(self, file: Path, most: int = 40) -> tuple[tuple[str, str, str], ...]:
        """The commits that changed a file, newest first: short name, day (ISO 8601), first line of what was said."""
        done = _git(self.root, "log", f"--max-count={most}", "--format=%h%x1f%cs%x1f%s%x1e", "--", str(file))
        found = [entry.strip("\n").split("\x1f") for entry in done.stdout.split("\x1e") if entry.strip()]
        return tuple((name, day, subject) for name, day, subject in found) if done.returncode == 0 else ()

    def changed(self, base: Revision, head: Revision) -> tuple[str, ...]:
        """The files that differ, relative to the repository; both names of a renamed one."""
        listed = self._run("diff", "--name-only", "--no-renames", "-z", base.tree, head.tree)
        return tuple(name for name in listed.split("\0") if name)

    def uncommitted(self) -> bool:
        """Whether the checkout has changes that no commit holds."""
        leave_index = {"GIT_OPTIONAL_LOCKS": "0"}
        return bool(self._run("status", "--porcelain", "--untracked-files=no", more=leave_index).strip())

    def check_out(self, tree: str, into: Path) -> None:
        """Write a tree into a folder, which must be absent or empty.

        Raises:
            UsageError: A symbolic link in it leads out of it: what is read or written there would be somebody else's.
            EngineError: Git fails.
        """
        into.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="levee-") as scratch:
            own = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
            self._run("read-tree", tree, more=own)
            self._run("checkout-index", "--all", "--force", f"--prefix={into}/", more=own)
        _refuse_links_out(into)

    def _main_branch(self) -> str:
        for name in _BASES:
            if _git(self.root, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}").returncode == 0:
                return name
        raise UsageError("there is no main branch to compare with", where=str(self.root), fix="--base REF")

    def _commit(self, name: str, flag: str) -> str:
        asked = _git(self.root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        if asked.returncode != 0:
            raise UsageError(
                f"git knows no commit {name!r}", where=str(self.root), fix=f"git fetch origin, then {flag} REF"
            )
        return asked.stdout.strip()

    def _tree(self, commit: str) -> str:
        return self._run("rev-parse", f"{commit}^{{tree}}").strip()

    def _merged(self, base: str, head: str, base_name: str, head_name: str) -> str:
        merged = _git(self.root, "merge-tree", "--write-tree", "--name-only", base, head)
        if merged.returncode == 0:
            return merged.stdout.split("\n", 1)[0]
        if merged.returncode == 1:
            files = [line for line in merged.stdout.split("\n\n", 1)[0].splitlines()[1:] if line]
            raise UsageError(
                f"{head_name} does not merge into {base_name}: conflicts in {', '.join(files[:5])}",
                where=str(self.root),
                fix=f"git merge {base_name}, and resolve them",
            )
        raise UsageError(
            f"{head_name} and {base_name} cannot be merged: {_said(merged)}",
            where=str(self.root),
            fix="git fetch --unshallow, where the clone is shallow",
        )

    def _run(self, *arguments: str, more: Mapping[str, str] | None = None) -> str:
        done = _git(self.root, *arguments, more=more)
        if done.returncode != 0:
            raise EngineError(f"git {arguments[0]} failed: {_said(done)}", where=str(self.root))
        return done.stdout


def listed(folder: Path) -> tuple[str, ...]:
    """The files below a folder that git does not ignore, relative to it; none where it lies in no repository."""
    asked = _git(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    return tuple(dict.fromkeys(filter(None, asked.stdout.split("\0")))) if asked.returncode == 0 else ()


def _git(folder: Path, *arguments: str, more: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    if shutil.which("git") is None:
        raise UsageError("git is not on PATH", fix="install git")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return subprocess.run(
        ["git", "-C", str(folder), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**environment, **(more or {})},
    )


def _said(done: subprocess.CompletedProcess[str]) -> str:
    return " ".join(done.stderr.split()).removeprefix("fatal: ")


def _refuse_links_out(root: Path) -> None:
    inside = root.resolve()
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = Path(folder) / name
            if path.is_symlink() and not path.resolve().is_relative_to(inside):
                raise UsageError(
                    "a symbolic link leads out of the repository",
                    where=str(path.relative_to(root)),
                    fix="commit the file itself, or a link to one in the repository",
                )
