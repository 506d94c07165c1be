"""Opens the Spark Connect session of an engine; one server and one session a process and engine.

* ``sail``: pysail's server, in this process, on a free port of the loopback address. No Java.
* ``spark``: a Spark driver with the Connect plugin, a child process on a free port of the loopback address, with
  Delta's jars from the folder ``LEVEE_SPARK_JARS`` or else through Ivy, which keeps them in its cache.
* ``databricks``: the cluster's own session.
"""

from __future__ import annotations

import atexit
import os
import secrets
import signal
import socket
import sys
import threading
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import PipelineError
from pipelines.settings import EngineName

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
    from pyspark.sql.connect.client.core import DefaultChannelBuilder

LOOPBACK = "127.0.0.1"
SCALA = "2.13"

SESSION_CONF = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
}
"""Set on every session: times are UTC, and a cast that fails says so unless it is a ``try_cast``."""

SPARK_CONF = {
    "spark.plugins": "org.apache.spark.sql.connect.SparkConnectPlugin",
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.driver.host": LOOPBACK,
    "spark.driver.bindAddress": LOOPBACK,
    "spark.connect.grpc.binding.address": LOOPBACK,
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.shuffle.partitions": "4",
    "spark.sql.parallelPartitionDiscovery.parallelism": "4",
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "4",
    "spark.databricks.delta.snapshotPartitions": "2",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "100000",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.caseSensitive": "false",
}
"""For a driver on one machine: small shuffles, few tasks for Delta's own bookkeeping, nothing beyond the loopback."""

PROVIDED = (
    "com.fasterxml.jackson.core",
    "com.fasterxml.jackson.datatype",
    "com.github.luben",
    "com.google.code.findbugs",
    "commons-logging",
    "commons-pool",
    "io.airlift",
    "javax.annotation",
    "org.apache.hadoop",
    "org.apache.logging.log4j",
    "org.apache.parquet",
    "org.roaringbitmap",
    "org.scala-lang",
    "org.slf4j",
    "org.xerial.snappy",
)
"""Groups of Delta's dependencies that Spark ships itself."""

_lock = threading.Lock()
_sessions: dict[EngineName, SparkSession] = {}
_servers: list[object] = []  # pysail's server stops when it is collected


def session(engine: EngineName) -> SparkSession:
    """Return this process's session of an engine; the first call opens it.

    Raises:
        PipelineError: the engine is not installed or does not start.
    """
    with _lock:
        if engine not in _sessions:
            _sessions[engine] = _open(engine)
        return _sessions[engine]


def _open(engine: EngineName) -> SparkSession:
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    # pyspark 4.2 warns about pandas 3 at import; no pipeline uses pandas.
    warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas", category=FutureWarning)
    try:
        match engine:
            case EngineName.SAIL:
                opened = _open_sail()
            case EngineName.SPARK:
                opened = _open_spark()
            case EngineName.DATABRICKS:
                opened = _open_databricks()
    except ImportError as error:
        raise PipelineError(
            f"the engine {engine} is not installed: {error}",
            fix=f"pip install 'levee-pipelines[{engine}]'" if engine != "databricks" else "run on a Databricks cluster",
        ) from error
    for key, value in SESSION_CONF.items():
        opened.conf.set(key, value)
    if engine is EngineName.SAIL:
        _take_back_ctrl_c()
    return opened


def _open_sail() -> SparkSession:
    os.environ.setdefault("RUST_LOG", "error")
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer(ip=LOOPBACK, port=0)
    server.start(background=True)
    address = server.listening_address
    if address is None:
        raise PipelineError("Sail's server did not start", fix="run again with RUST_LOG=info to see why")
    _servers.append(server)
    from pipelines.engine.sail_client import channel_to

    return _connect(address[1], channel_to)


def _take_back_ctrl_c() -> None:
    """Let Ctrl-C interrupt Python alone.

    Sail's server, once it serves, hears it too, and takes no more requests while it waits for those in flight: what the
    client sends afterwards, at the latest when the interpreter ends, is never answered. Here the server lives and dies
    with the process.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.getsignal(signal.SIGINT))


def _open_spark() -> SparkSession:
    from pyspark.conf import SparkConf
    from pyspark.core.context import SparkContext

    port = _free_port()
    token = os.environ.setdefault("SPARK_CONNECT_AUTHENTICATE_TOKEN", secrets.token_hex(16))
    conf = SparkConf(loadDefaults=False).setMaster(f"local[{os.cpu_count() or 2}]").setAppName("levee")
    settings = {
        **SPARK_CONF,
        **_delta_jars(),
        "spark.driver.memory": os.environ.get("LEVEE_SPARK_MEMORY", "3g"),
        "spark.connect.grpc.binding.port": str(port),
        "spark.connect.authenticate.token": token,
        "spark.driver.extraJavaOptions": "-Duser.timezone=UTC",
    }
    conf.setAll(list(settings.items()))
    # Without it no driver may start in a process that has opened a Connect session, of Sail say.
    os.environ["SPARK_LOCAL_REMOTE"] = "1"
    try:
        SparkContext.getOrCreate(conf).setLogLevel("ERROR")
    except (OSError, RuntimeError) as error:
        raise PipelineError(
            f"Spark did not start: {error}", fix="install Java 17 (Debian: openjdk-17-jre-headless), or use sail"
        ) from error
    return _connect(port)


def _open_databricks() -> SparkSession:
    from pyspark.sql import SparkSession

    return SparkSession.builder.getOrCreate()


def _connect(port: int, channel: Callable[[str], DefaultChannelBuilder] | None = None) -> SparkSession:
    from pyspark.sql.connect.client.retries import DefaultPolicy
    from pyspark.sql.connect.session import SparkSession

    # Lets `pyspark.sql.functions` build Connect's columns.
    os.environ["SPARK_CONNECT_MODE_ENABLED"] = "1"
    # By name: Connect's client sends the token that guards Spark's server without TLS to `localhost` only. Connect's
    # session offers what the pipelines use of the classic class; the two share no base in the stubs.
    url = f"sc://localhost:{port}"
    opened = (
        SparkSession.builder.channelBuilder(channel(url)) if channel else SparkSession.builder.remote(url)
    ).create()
    # The server lives and dies with this process: where it has gone, the default of ten minutes of retries would be ten
    # minutes of waiting for nobody.
    opened.client.set_retry_policies([DefaultPolicy(max_retries=3, max_backoff=200, jitter=50)])
    # For the same reason it has nothing to tidy up when the interpreter ends; and where Ctrl-C came while grpc held a
    # call's lock, which nobody gives back, that last request would wait for ever.
    atexit.unregister(opened.client._on_exit)  # noqa: SLF001 - it has no other name
    return opened  # ty: ignore[invalid-explicit-return]


def _delta_jars() -> dict[str, str]:
    """Where Spark finds Delta: a folder of jars, or coordinates for Ivy, pinned to the installed delta-spark."""
    if folder := os.environ.get("LEVEE_SPARK_JARS"):
        jars = sorted(str(jar) for jar in Path(folder).glob("*.jar"))
        if not jars:
            raise PipelineError("LEVEE_SPARK_JARS names a folder without jars", where=folder, fix="unset it to use Ivy")
        return {"spark.jars": ",".join(jars)}
    spark = ".".join(version("pyspark").split(".")[:2])
    return {
        "spark.jars.packages": f"io.delta:delta-spark_{spark}_{SCALA}:{version('delta-spark')}",
        # Spark's distribution has the rest, in the versions that it was built with.
        "spark.jars.excludes": ",".join(f"{group}:*" for group in PROVIDED),
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
