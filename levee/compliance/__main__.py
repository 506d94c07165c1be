"""``python -m levee.compliance ENGINE PACK``: start a policy pack, as ``python -m pulumi.policy`` does.

Levee's own packs need the protocol's stubs only, so they start without the rest of Pulumi's SDK, in half the time. Any
other pack is started by ``pulumi.policy`` itself.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

from levee.compliance import merged_pack
from levee.sdk import protocol


def main(argv: list[str]) -> None:
    """Run the pack's ``__main__.py`` as the engine wants it.

    Args:
        argv: The engine's address, the pack's folder, and whatever else the engine passes.
    """
    pack = Path(argv[1]).resolve()
    if not pack.is_relative_to(merged_pack()):
        runpy.run_module("pulumi.policy", run_name="__main__", alter_sys=True)
        return
    protocol.lean()
    runpy.run_path(str(pack), run_name="__main__")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: python -m levee.compliance ENGINE PACK")
    main(sys.argv[1:])
