"""``levee-pipelines TASK --name value ...``: one task by hand, with its error in words and its exit code."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence

from pipelines.contracts.document import nearest
from pipelines.errors import PipelineError

USAGE = """\
usage: levee-pipelines TASK --domain NAME [--dataset NAME | --table NAME] [--sources A,B] [--bronze URL ...]
       levee-pipelines TASK --help

tasks: {tasks}
example: levee-pipelines gold --domain sales --table revenue_by_month --silver lake/silver --gold lake/gold ...
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one task; its errors go to standard error, its progress and its run record to the log."""
    from pipelines.jobs import TASKS

    arguments = list(sys.argv[1:] if argv is None else argv)
    usage = USAGE.format(tasks=", ".join(TASKS))
    if not arguments or arguments[0] in ("-h", "--help"):
        (sys.stdout if arguments else sys.stderr).write(usage)
        return 0 if arguments else 2
    task, *parameters = arguments
    if task not in TASKS:
        sys.stderr.write(f"there is no task {task!r}\n  fix {nearest(task, list(TASKS))}\n{usage}")
        return 2
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        return _run(task, parameters)
    except PipelineError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code


def _run(task: str, parameters: Sequence[str]) -> int:
    from pipelines.jobs import TASKS

    try:
        return TASKS[task](parameters)
    except ModuleNotFoundError as error:
        raise PipelineError(
            f"the wheel is installed without an engine: there is no {error.name}",
            fix="pip install 'levee-pipelines[sail]', or [spark]",
        ) from error


if __name__ == "__main__":
    sys.exit(main())
