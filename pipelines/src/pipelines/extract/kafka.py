"""A topic of Kafka as files: as a stream with a checkpoint, or by the offsets that are recorded.

A stream's files are Spark's own, and its log says which of them count (:mod:`pipelines.bronze.stream_log`); its place
in the topic is in its checkpoint. By recorded offsets a file is named for its partition and offsets.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from pipelines.bronze.stream_log import committed_files
from pipelines.contracts.extensions.extraction import Kafka
from pipelines.engine.failures import failure
from pipelines.errors import PipelineError
from pipelines.extract.landing import Landed, Record
from pipelines.extract.records import Event
from pipelines.extract.source import Source
from pipelines.settings import Layer
from pipelines.storage import file_system

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

log = logging.getLogger(__name__)

BLOCK_ROWS = 10_000
TIMEOUTS = {"kafka.request.timeout.ms": "20000", "kafka.default.api.timeout.ms": "30000"}


def _text_or_data(field: str) -> str:
    """SQL: bytes as the text that they are, else as a URL of data (RFC 2397)."""
    text = f"CAST({field} AS STRING)"
    return f"CASE WHEN is_valid_utf8({text}) THEN {text} ELSE concat('data:;base64,', base64({field})) END"


FIELDS: Mapping[str, str] = {
    "key": _text_or_data("key"),
    "value": _text_or_data("value"),
    "topic": "topic",
    "partition": "CAST(partition AS STRING)",
    "offset": "CAST(offset AS STRING)",
    "timestamp": "date_format(timestamp, \"yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'\")",
}
"""Each field of a record as text, in Spark's SQL; ``KAFKA_FIELDS`` of the contracts has their names."""


def extract_topic(source: Source) -> list[Landed]:
    """Land what is new of a topic.

    Raises:
        PipelineError: the broker cannot be reached, has lost records that were not read, or the session lacks Spark's
            connector.
    """
    kafka = source.extraction.kafka
    assert kafka is not None, "the caller goes by the kind"
    with _in_plain_words(source, kafka):
        return _stream(source, kafka) if kafka.mode == "stream" else _batch(source, kafka)


def _stream(source: Source, kafka: Kafka) -> list[Landed]:
    folder = source.settings.deliveries(source.contract.dataset)
    system, root = file_system(folder)
    before = committed_files(system, root) or {}
    reader = source.engine.spark.readStream.format("kafka").options(**_options(source))
    reader = reader.option("subscribe", kafka.topic).option("startingOffsets", kafka.starting)
    if kafka.most_records is not None:
        reader = reader.option("maxOffsetsPerTrigger", str(kafka.most_records))
    writer = _texts(source, reader.load()).writeStream.format("parquet")
    query = (
        writer.option("path", folder)
        .option("checkpointLocation", checkpoint(source))
        .trigger(availableNow=True)
        .start()
    )
    query.awaitTermination()
    after = committed_files(system, root) or {}
    return [_landed(system, root, name, size) for name, size in after.items() if name not in before]


def _landed(system: Any, root: str, name: str, size: int) -> Landed:
    with system.open_input_file(f"{root}/{name}") as file:
        return Landed(name, None, pq.ParquetFile(file).metadata.num_rows, size)


def checkpoint(source: Source) -> str:
    """Where a dataset's stream keeps its place: a folder under checkpoints."""
    return source.settings.path(Layer.CHECKPOINTS, source.contract.domain, "_streams", source.contract.dataset)


def _batch(source: Source, kafka: Kafka) -> list[Landed]:
    event = source.extracts.unfinished or _plan(source, kafka)
    if event is None:
        return []
    ranges = {int(partition): (start, end) for partition, (start, end) in event.position["ranges"].items()}
    staged = [
        source.landing.stage(
            f"{event.stem}{kafka.topic}-{partition:05d}-{start:020d}-{end:020d}",
            _records(source, kafka, partition, start, end),
            source.contract.source_fields,
        )
        for partition, (start, end) in ranges.items()
        if start < end
    ]
    source.landing.publish(staged)
    source.extracts.landed(event, event.position, staged, whole=True)
    return staged


def _plan(source: Source, kafka: Kafka) -> Event | None:
    """Fix the offsets of a new extraction, by partition: from where the last one ended to what is there now."""
    from pyspark.sql import functions as F  # noqa: N812 - the customary name

    before = source.extracts.finished
    ended = {} if before is None else {name: end for name, (_, end) in before.position["ranges"].items()}
    starting = json.dumps({kafka.topic: ended}) if ended else kafka.starting
    rows = (
        _read(source, {"subscribe": kafka.topic, "startingOffsets": starting})
        .groupBy("partition")
        .agg(F.min("offset").alias("least"), F.max("offset").alias("most"))
        .collect()
    )
    found = {str(row["partition"]): [ended.get(str(row["partition"]), row["least"]), row["most"] + 1] for row in rows}
    if not found:
        return None
    unchanged = {partition: [end, end] for partition, end in ended.items() if partition not in found}
    return source.extracts.plan({"ranges": {**unchanged, **found}})


def _records(source: Source, kafka: Kafka, partition: int, start: int, end: int) -> Iterator[tuple[Record, ...]]:
    name = str(partition)
    frame = _read(
        source,
        {
            "assign": json.dumps({kafka.topic: [partition]}),
            "startingOffsets": json.dumps({kafka.topic: {name: start}}),
            "endingOffsets": json.dumps({kafka.topic: {name: end}}),
        },
    )
    rows = (row.asDict() for row in _texts(source, frame).toLocalIterator())
    return iter(lambda: tuple(islice(rows, BLOCK_ROWS)), ())


def _read(source: Source, options: Mapping[str, str]) -> DataFrame:
    return source.engine.spark.read.format("kafka").options(**_options(source), **options).load()


def _options(source: Source) -> dict[str, str]:
    return {"kafka.bootstrap.servers": source.server.host or "", **TIMEOUTS}


def _texts(source: Source, frame: DataFrame) -> DataFrame:
    """The fields that the contract reads, as text."""
    return frame.selectExpr(*(f"{FIELDS[name]} AS `{name}`" for name in source.contract.source_fields))


@contextmanager
def _in_plain_words(source: Source, kafka: Kafka) -> Generator[None]:
    where = f"topic {kafka.topic} at {source.server.host}"
    try:
        yield
    except PipelineError:
        raise
    except Exception as error:
        said = str(error)
        for sign, message, fix in _SIGNS:
            if sign in said:
                raise PipelineError(message, where=where, fix=fix) from error
        raise failure(error, where) from error


_SIGNS = (
    (
        "Failed to find data source: kafka",
        "the session has no connector for Kafka",
        "put spark-sql-kafka-0-10 and what it needs, of Spark's own version, into the folder LEVEE_SPARK_JARS",
    ),
    (
        "FailOnDataLoss",
        "the topic has lost records that were not read: its retention is shorter than the time between two runs",
        "run more often; to go on without them, remove the stream's folder under checkpoints",
    ),
    (
        "must specify all TopicPartitions",
        "the topic has partitions that were not there at the last run",
        "set `mode: stream`, which follows them",
    ),
    ("UnknownTopicOrPartition", "there is no such topic", "correct extraction.kafka.topic"),
    ("Timed out waiting for a node assignment", "no broker answers", "see that the contract's server is right and up"),
    ("TimeoutException", "no broker answers in time", "see that the contract's server is right and up"),
)
"""What an error says, in whose words, and what mends it; the first that fits."""

__all__ = ["checkpoint", "extract_topic"]
