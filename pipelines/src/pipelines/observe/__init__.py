"""What the world is told of runs: OpenLineage events, Prometheus metrics, OpenTelemetry traces and logs.

``facts`` is what is known of a task run; ``lineage``, ``metrics`` and ``tracing`` are functions of it; ``outbox``
sends, in the background and within bounds: telemetry never fails a run, never holds it up for long, and what was lost
is counted.
"""
