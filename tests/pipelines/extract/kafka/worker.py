"""Does one step after another in a Spark session that has the connector: ``worker.py LAKE CONTRACT SERVERS STEP...``.

Steps: ``produce:FROM:UNTIL`` writes records with these numbers, ``extract``, ``bronze``, and ``dump`` prints bronze.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pipelines.bronze.ingest import ingest
from pipelines.contracts import load_contract
from pipelines.engine import Engine
from pipelines.extract.task import extract
from pipelines.settings import EngineName, Layer, RunSettings


def main(folder: Path, path: Path, servers: str, steps: list[str]) -> None:
    """Do the steps."""
    engine = Engine.open(EngineName.SPARK)
    contract = load_contract(path)
    assert contract.extraction is not None
    assert contract.extraction.kafka is not None
    roots = {layer: str(folder / layer.value) for layer in Layer}
    for number, step in enumerate(steps):
        settings = RunSettings(domain="test", dataset="things", roots=roots, run_id=f"run-{number}")
        name, *bounds = step.split(":")
        match name:
            case "produce":
                rows = [
                    (str(n), json.dumps({"id": n}).encode() if n else b"\xff\x00") for n in range(*map(int, bounds))
                ]
                frame = engine.spark.createDataFrame(rows, "key string, value binary")
                writer = frame.write.format("kafka").option("kafka.bootstrap.servers", servers)
                writer.option("topic", contract.extraction.kafka.topic).save()
            case "extract":
                extract(engine, contract, settings)
            case "bronze":
                ingest(engine, contract, settings)
            case "dump":
                bronze = engine.read(settings.table_path(Layer.BRONZE, "things"))
                rows = bronze.select("key", "value", "topic", "partition", "offset", "timestamp").collect()
                print(json.dumps([tuple(row) for row in rows]), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4:])
