"""Places at which a test may kill the process: before and after every commit that a batch makes.

``LEVEE_FAILPOINT=bronze.committed`` kills the process (SIGKILL, as a lost machine would) when it gets there for the
first time, ``LEVEE_FAILPOINT=bronze.committed:3`` for the third. ``LEVEE_FAILPOINTS_REACHED=FILE`` writes the name of
each one that it reaches into a file, a line each. Without these variables a failpoint does nothing.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from pathlib import Path
from typing import Final

VARIABLE: Final = "LEVEE_FAILPOINT"
REACHED: Final = "LEVEE_FAILPOINTS_REACHED"

FAILPOINTS: Final[dict[str, str]] = {
    "extract.planned": "the range of an extraction is recorded, nothing of it was read",
    "extract.staged": "its files are written under names that bronze passes over",
    "extract.landed": "a file has its name, the others perhaps not; the record does not know it",
    "extract.recorded": "the record knows what was landed",
    "bronze.before_commit": "a batch of deliveries is parsed lazily, nothing is written",
    "bronze.committed": "the batch is in bronze, the ledger does not know it",
    "bronze.recorded": "the ledger knows the batch",
    "silver.before_commit": "the batch's rules are compiled, nothing is written",
    "silver.staged": "the batch is typed, masked and judged in a folder of its own, nothing is published",
    "staging.linked": "silver's folder has the batch's files, its log does not know them",
    "silver.published": "silver has the batch, the ledger does not know it; quarantine may or may not have it",
    "silver.rejected": "quarantine has the batch, the ledger does not know it; silver may or may not have it",
    "silver.before_history": "the changes are in, the tables that show them are as they were",
    "silver.historised": "a table shows the batch's changes; of SCD 4 the current rows may or may not",
    "silver.settled": "changes that nothing will ask for are gone, the ledger does not know the batch",
    "silver.counted": "both tables have the batch and its counts are recorded, the ledger does not know it",
    "silver.held": "the ledger knows that the batch is held, nothing of it is written",
    "silver.recorded": "the ledger knows the batch",
    "quarantine.noted": "what a replay is about to judge is entered as open, nothing is judged",
    "quarantine.settled": "the states know what has left quarantine",
    "quarantine.before_landing": "a correction is written beside the deliveries, under a name that bronze passes over",
    "quarantine.landed": "a correction is a delivery, the states do not know it",
    "quarantine.before_entry": "it is decided which records are waived, nobody knows",
    "quarantine.entered": "the states know what somebody decided",
    "gold.withheld": "rows of small groups are in quarantine, the table is as it was",
    "gold.before_commit": "the table's SQL is planned, nothing is written",
    "gold.committed": "the gold table is built, its record is not",
    "vault.deposited": "the vault has the batch's tokens, silver has none of them",
    "rotate.emptied": "silver has nothing of the former key, and nothing of the new one",
    "rotate.refined": "silver is masked with the new key, the record says that it is being rotated",
    "restore.committed": "a table is as it was, others that go with it perhaps not; the ledger knows what is undone",
    "restore.told": "the ledger knows what is undone, the damaged entries are still in the log",
    "erase.suppressed": "the subject is not taken in again, and is still everywhere",
    "erase.before_rewriting": "it is recorded that a landing file loses records, which it still has",
    "erase.rewritten": "a landing file is without the subject's records, bronze is not",
    "erase.before_commit": "it is recorded that a table loses rows, which it still has",
    "erase.committed": "a table is without the subject's rows, others perhaps not; the ledger knows of none",
    "erase.recorded": "the ledger knows how many records bronze's deliveries have left",
    "erase.forgotten": "the vault has nothing of the subject; gold is as it was",
    "erase.built": "gold is built from silver without the subject; former versions are all there",
    "erase.purged": "former versions of a table are gone, those of others perhaps not",
    "erase.certified": "the certificate is written, the record does not know it",
    "alerts.recorded": "it is recorded that a message is to be sent, nobody was told",
    "alerts.sent": "somebody was told, the record does not know it",
    "budget.before_decision": "it is decided whether a run may start, or go on; nobody knows",
    "budget.decided": "the decision is recorded, nothing has followed it",
}
"""Every failpoint, and what is done there and what is not; a test kills the process at each of them."""

_reached: Counter[str] = Counter()


def failpoint(name: str) -> None:
    """Die here where a test asked for it.

    Args:
        name: One of `FAILPOINTS`.
    """
    if reached := os.environ.get(REACHED):
        with Path(reached).open("a") as out:
            out.write(f"{name}\n")
    wanted, _, times = os.environ.get(VARIABLE, "").partition(":")
    if wanted != name:
        return
    _reached[name] += 1
    if _reached[name] == int(times or 1):
        os.kill(os.getpid(), signal.SIGKILL)
