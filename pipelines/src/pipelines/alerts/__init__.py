"""Tells a dataset's owners what went wrong, once, and once that it is well again (decision 0029).

``facts`` is what an alert says; ``findings`` makes alerts of a run that has ended; ``planning`` decides which are told
where; ``record`` is what was told; ``forms`` writes them as Slack, Teams, mail and CloudEvents want them; ``sending``
sends; ``task`` is where runs come in.
"""
