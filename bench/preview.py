"""Preview of N components offline, with the merged pack, against the same program under Pulumi's own mocks.

Each component holds one S3 bucket with five tags. The floor is the program's own work: ``pulumi.runtime.set_mocks``
in one process, no engine, no provider, no pack. Run by ``make bench``, or alone: ``.venv/bin/python bench/preview.py``.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from levee import compliance, engine

SIZES = (64, 256, 1000)
RUNS = 3

PROGRAM = """
import pulumi
import pulumi_aws as aws

TAGS = {
    "owner": "data-platform", "cost-centre": "CC-1234", "environment": "dev",
    "data-classification": "internal", "managed-by": "levee", "expires-on": "2099-01-01",
}

class Store(pulumi.ComponentResource):
    def __init__(self, name, opts=None):
        super().__init__("bench:index:Store", name, {}, opts)
        bucket = aws.s3.Bucket(f"{name}-bucket", tags=TAGS, opts=pulumi.ResourceOptions(parent=self))
        self.register_outputs({"arn": bucket.arn})

def build(count):
    for index in range(count):
        Store(f"store-{index}")
"""

MOCKED = """
import sys, time
sys.path.insert(0, ".")
import pulumi
class Mocks(pulumi.runtime.Mocks):
    def new_resource(self, args): return args.name, dict(args.inputs)
    def call(self, args): return {}
pulumi.runtime.set_mocks(Mocks(), preview=True)
from store import build
@pulumi.runtime.test
def run():
    build(int(sys.argv[1]))
start = time.perf_counter()
run()
print(time.perf_counter() - start)
"""


def main() -> None:
    """Print a table: size, seconds, milliseconds a resource, the floor, the ratio."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "Pulumi.yaml").write_text("name: bench\nruntime: python\n")
        (root / "store.py").write_text(PROGRAM)
        (root / "mocked.py").write_text(MOCKED)
        (root / "__main__.py").write_text(
            "import pulumi\nfrom store import build\nbuild(pulumi.Config().require_int('count'))\n"
        )
        print("| components | resources | offline preview, s | ms a resource | under mocks, s | ratio |")
        print("|---:|---:|---:|---:|---:|---:|")
        for size in SIZES:
            offline, floor = [], []
            for _ in range(RUNS):
                offline.append(_preview(root, size))
                floor.append(_mocked(root, size))
            ours, mocks = statistics.median(offline), statistics.median(floor)
            resources = 2 * size
            print(
                f"| {size} | {resources} | {ours:.2f} | {1000 * ours / resources:.2f} | {mocks:.2f} "
                f"| {ours / mocks:.1f} |",
                flush=True,
            )


def _preview(root: Path, size: int) -> float:
    start = time.perf_counter()
    plan = engine.preview(
        root,
        "bench",
        engine.Options(
            config={"count": str(size)},
            packs=(compliance.merged_pack(),),
            pack_config=compliance.pack_config(None),
        ),
    )
    seconds = time.perf_counter() - start
    assert plan.summary.resources == 2 * size
    return seconds


def _mocked(root: Path, size: int) -> float:
    ran = subprocess.run([sys.executable, "mocked.py", str(size)], cwd=root, capture_output=True, text=True, check=True)
    return float(ran.stdout)


if __name__ == "__main__":
    main()
