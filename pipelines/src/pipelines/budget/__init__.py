"""Budget inside execution: what a run is expected to cost, what its cost centre has left, and who decided what.

``terms`` (what the job is told), ``metering`` (node-seconds), ``estimate`` and ``decision`` are pure; ``spending`` and
``purse`` read the run records, ``record`` writes decisions, ``guard`` stops a run.
"""
