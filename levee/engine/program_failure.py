"""What a program itself did to fail: it could not begin, it raised, it left."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from levee.engine.dependencies import OLD_SETUPTOOLS, distribution, install_command, installed_version
from levee.engine.failed_run import FailedRun, ProgramError, exception, last_own_frame
from levee.engine.program import LEFT, NO_SDK
from levee.errors import LeveeError
from levee.plan import SECRET, FilledConfig

_OWN_ERROR: Final = re.compile(
    r"(?:levee|pipelines)\.[\w.]*Error: (?P<message>.+?)(?:\n  at  (?P<where>.+?))?(?:\n  fix (?P<fix>.+))?", re.DOTALL
)
"""An error of ours as it prints itself (``LeveeError.__str__``, ``PipelineError.__str__``)."""

_MISSING_MODULE: Final = re.compile(r"No module named '([^']+)'")
_MISSING_NAME: Final = re.compile(r"cannot import name '([^']+)' from '([\w.]+)'")
_MISSING_KEY: Final = re.compile(r"KeyError: '(\w[\w.-]*)'")
_ENUMERATED: Final = re.compile(
    r"(?:must|should|has to) be (?:one of|either|in)|allowed|valid (?:values|options)|expected one of", re.IGNORECASE
)


def no_sdk(run: FailedRun) -> LeveeError | None:
    """An interpreter that cannot even begin."""
    if NO_SDK not in run.text:
        return None
    reason = run.text.split(NO_SDK, 1)[1].strip().splitlines()[0]
    too_old = "Descriptors cannot be created directly" in reason
    return ProgramError(
        f"the program's Python lacks the Pulumi SDK: {reason}"
        if not too_old
        else "the program's Pulumi SDK is too old for the protobuf beside it",
        where=str(run.project.interpreter),
        fix=install_command(run.project, "'protobuf<3.21'" if too_old else None),
    )


def raised(run: FailedRun) -> LeveeError | None:
    """What was raised, at the last frame of the traceback that lies in the project."""
    if "unhandled exception" not in run.text:
        return None
    where = last_own_frame(run.project, run.text) or run.unsent or str(run.project.main)
    last = exception(run.text)
    if own := _OWN_ERROR.fullmatch(last):
        return ProgramError(own["message"], where=own["where"] or where, fix=own["fix"])
    if lacking := _not_imported(run, last, where):
        return lacking
    fix = refused_placeholder(run, last) or _unanswered(run, last) or "mend that line"
    return ProgramError(f"the program raised {last}", where=where, fix=fix)


def _not_imported(run: FailedRun, said: str, where: str) -> LeveeError | None:
    """A module that is not there, or a name in one that is there in another version."""
    if missing := _MISSING_MODULE.search(said):
        module = missing[1]
    elif name := _MISSING_NAME.search(said):
        module = f"{name[2]}.{name[1]}"
    else:
        return None
    package = distribution(module)
    if package == OLD_SETUPTOOLS:
        return ProgramError(
            "an SDK of the program is so old that it needs `pkg_resources`, which setuptools 81 no longer has",
            where=where,
            fix=install_command(run.project, OLD_SETUPTOOLS),
        )
    if version := installed_version(run.project, package):
        older = f"'{package}<{version.split('.')[0]}'"
        return ProgramError(
            f"the program, made for another version, imports {module!r}, which {package} {version} lacks",
            where=where,
            fix=f"{install_command(run.project, older)}, or whichever version it was written for",
        )
    if not missing:
        return None  # a name that the program's own module lacks
    return ProgramError(
        f"the program imports {module!r}, which its Python does not have",
        where=where,
        fix=install_command(run.project, package),
    )


def refused_placeholder(run: FailedRun, said: str) -> str | None:
    """What to do where the program or a provider does not like a value that was invented."""
    suspects = [f for f in run.filled if _mentions(said, f)]
    if not run.filled or not (suspects or _ENUMERATED.search(said)):
        return None
    named = suspects[0] if len(suspects) == 1 else None
    key = named.key if named else "KEY"
    values = ", ".join(f"{f.key}={f.value}" for f in suspects or run.filled)[:400]
    only = " takes certain values only" if _ENUMERATED.search(said) else " does not take an invented value"
    return f"the program{only}: --config {key}=VALUE, or pulumi config set {key} VALUE (invented were {values})"


def _unanswered(run: FailedRun, said: str) -> str | None:
    """What to do where a program looks for a key in a map that nobody but the cloud, or ``lookups.yaml``, can fill."""
    if not (missing := _MISSING_KEY.fullmatch(said)):
        return None
    for lookup in run.notes.invented:
        maps = [name for name, value in lookup.answer.items() if isinstance(value, Mapping) and missing[1] not in value]
        if maps:
            answer = f"{{function: '{lookup.token}', result: {{{maps[0]}: {{{missing[1]}: VALUE}}}}}}"
            return (
                f"mend that line; or, if it reads the answer at {lookup.source}, which was invented and of which only "
                f"you know {', '.join(maps)}: `lookups: [{answer}]` in {run.project.root / 'lookups.yaml'}"
            )
    return None


def _mentions(said: str, filled: FilledConfig) -> bool:
    name = filled.key.rsplit(":", 1)[-1]
    value = str(filled.value)
    in_value = value != SECRET and len(value) > 1 and re.search(rf"(?<![\w-]){re.escape(value)}(?![\w-])", said)
    return bool(in_value or re.search(rf"(?<!\w){re.escape(name)}(?!\w)", said))


def left(run: FailedRun) -> LeveeError | None:
    """A program that called ``sys.exit``."""
    if LEFT not in run.text:
        return None
    said = run.text[run.text.index(LEFT) :].splitlines()[0]
    return ProgramError(said, where=run.where, fix="leave with 0 or not at all where all is well")
