"""Does phases of the small lake in a process that a test may kill: ``python -m ... LAKE DOMAINS``.

Says ``ready`` when the session is open. Reads a line of JSON for each phase (``phase``, ``run``, ``again``,
``failpoint``) and says ``done`` when it has ended.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from pipelines.failpoints import VARIABLE
from pipelines.silver import refinement
from tests.pipelines.faults.phases import PHASES, Town


def main(folder: Path, domains: Path) -> int:
    """Do what is asked until nobody asks any more."""
    refinement.COMPUTED_ROWS = 3  # batches of more are worked on as large ones are
    town = Town(folder, domains, "ready")
    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        os.environ[VARIABLE] = asked["failpoint"]
        town.run, town.again = asked["run"], asked["again"]
        PHASES[asked["phase"]](town)
        print("done", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
