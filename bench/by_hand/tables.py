"""One run of many small tables, in the wheel's environment: ``python tables.py FOLDER TABLES STEPS``.

Prints JSON: seconds of the run, processor seconds of the process and its children, peak memory in MiB.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipelines.bronze.ingest import ingest
from pipelines.contracts import load_domain
from pipelines.engine import Engine
from pipelines.jobs import TABLES_AT_ONCE, check_dataset
from pipelines.settings import EngineName, Layer, RunSettings
from pipelines.silver.refine import refine
from pipelines.tables import run_tables, tables_error

ROWS = 100
STEPS: dict[str, Callable[..., Any]] = {"bronze": ingest, "silver": refine, "quality": check_dataset}
CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: {name}
version: 1.0.0
status: active
domain: many
schema:
  - name: {name}
    properties:
      - {{name: id, logicalType: integer, physicalType: bigint, required: true, classification: internal}}
      - {{name: name, logicalType: string, classification: internal, logicalTypeOptions: {{minLength: 1}}}}
      - name: price
        logicalType: number
        physicalType: decimal(9,2)
        classification: internal
        logicalTypeOptions: {{minimum: 0}}
customProperties:
  - {{property: layer, value: source}}
  - {{property: ingestion, value: {{format: csv}}}}
"""


def lay(folder: Path, tables: int) -> None:
    """Write the contracts and a delivery each: 100 rows, of which three are rejected."""
    for number in range(tables):
        name = f"t{number:04d}"
        contract = folder / "domains" / "many" / f"{name}.odcs.yaml"
        contract.parent.mkdir(parents=True, exist_ok=True)
        contract.write_text(CONTRACT.format(name=name))
        landing = folder / "landing" / "many" / name
        landing.mkdir(parents=True)
        rows = [f"{row},n{row},{-1 if row % 40 == 7 else row}.50\n" for row in range(ROWS)]
        (landing / "a.csv").write_text("id,name,price\n" + "".join(rows))


def main(folder: Path, tables: int, steps: str) -> int:
    """Run the tables once and print what it took."""
    lay(folder, tables)
    domain = load_domain("many", folder / "domains")
    roots = {layer: str(folder / layer.value) for layer in Layer}
    settings = RunSettings(domain="many", roots=roots, run_id="bench")
    engine = Engine.open(EngineName.SAIL)
    chosen = {name: STEPS[name] for name in steps.split(",")}
    started, spent = time.perf_counter(), processor_seconds()
    runs = run_tables(engine, settings, domain.sources, chosen, workers=TABLES_AT_ONCE)
    seconds, processor = time.perf_counter() - started, processor_seconds() - spent
    if error := tables_error(runs):
        raise error
    counted = sum(engine.count(settings.table_path(Layer.SILVER, run.dataset)) for run in runs)
    rejected = sum(engine.count(settings.table_path(Layer.QUARANTINE, run.dataset)) for run in runs)
    assert (counted, rejected) == (97 * tables, 3 * tables), (counted, rejected)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "processor": processor, "peak_mib": peak}))
    return 0


def processor_seconds() -> float:
    """Of this process and of those that it waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
