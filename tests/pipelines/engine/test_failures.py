"""An engine's failure in one sentence."""

import pytest

from pipelines.engine.failures import failure, interrupted
from pipelines.errors import UsageError

WORKER = """An exception was thrown from the Python worker. Please see the stack trace below.
Traceback (most recent call last):
  File "/cluster/pipelines/privacy/masking.py", line 61, in batches
    secret = key.read()
{raised}
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("PERMISSION_DENIED: nobody may\nat org.apache.spark", "PERMISSION_DENIED: nobody may"),
        (WORKER.format(raised="pipelines.errors.PipelineError: the key has 0 bytes"), "failed: the key has 0 bytes"),
        (WORKER.format(raised="ValueError: not a number"), "ValueError: not a number"),
        (WORKER.format(raised="nothing that looks like an error"), "thrown from the Python worker"),
        ("OSError: No space left on device", "the disk is full"),
        ("", "RuntimeError"),
    ],
)
def test_it_says_what_was_raised_and_where(text: str, said: str) -> None:
    told = failure(RuntimeError(text), "silver sales.orders")
    assert said in told.message
    assert told.where == "silver sales.orders"
    assert told.fix
    assert "Traceback" not in str(told)


def test_what_a_worker_refuses_as_wrong_use_stays_that() -> None:
    raised = "pipelines.errors.UsageError: the file with a secret is empty\n  at  file:/k\n  fix write the secret to /k"
    told = failure(RuntimeError(WORKER.format(raised=raised)), "silver sales.orders")
    assert isinstance(told, UsageError)
    assert (told.message, told.fix) == ("the file with a secret is empty", "write the secret to /k")


@pytest.mark.parametrize("by", [KeyboardInterrupt, ValueError])
@pytest.mark.timeout(30)
def test_ctrl_c_is_found_behind_what_it_caused_and_a_ring_of_causes_has_an_end(by: type[BaseException]) -> None:
    first, second = RuntimeError("the commit failed"), RuntimeError("the view could not be dropped")
    second.__cause__ = first
    first.__context__ = by()
    assert interrupted(second) is (by is KeyboardInterrupt)
    first.__cause__ = second
    assert not interrupted(first)
