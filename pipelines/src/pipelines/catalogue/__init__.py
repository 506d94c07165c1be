"""A domain as its catalogue shows it: contracts, lineage, and what its tables and records hold.

The JSON of ``python -m pipelines.catalogue``, schema 1:

``domain``    its name
``tables``    one a published table: ``name``, ``layer`` (``silver``, ``gold``), ``source`` (whether it is one),
              ``file`` (below the folder of domains), words of the contract (``title``, ``description``, ``purpose``,
              ``usage``, ``limitations``), ``version``, ``status``, ``classification``, ``owner``, ``contacts``,
              ``roles``, ``sla``, ``retention`` (days by layer; null for ever), ``origin`` (where deliveries come from),
              ``inputs`` (``silver.NAME``, ``gold.NAME``), ``columns``, ``rules``, ``edges``, ``state``, ``quality``,
              ``batches``, ``sample``
``columns``   ``name``, ``type``, ``required``, ``key``, ``unique``, ``classification``, ``masking`` (method or null),
              ``made`` (expression or source fields), ``description``
``rules``     ``id``, ``on`` (``rows``, ``table``), ``on_failure``, ``description``, ``dimension``
``edges``     ``to`` (null: every row), ``table``, ``column``, ``type``, ``subtype``, by OpenLineage's words
``state``     ``rows``, ``quarantined``, ``last_run`` (ISO 8601, UTC), ``status``; null where nothing ran
``quality``   one an evaluation: ``at``, ``held``, ``failed``, ``not_run`` (numbers of checks)
``batches``   one a batch: ``at``, ``rows``, ``good``, ``duplicates``, ``quarantined``
``sample``    ``columns``, ``rows`` (texts), ``left_out`` (columns too sensitive); null where there is none
"""

from pipelines.catalogue.describe import described
from pipelines.catalogue.records import Records

SCHEMA = 1

__all__ = ["SCHEMA", "Records", "described"]
