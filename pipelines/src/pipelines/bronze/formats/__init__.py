"""Forms in which deliveries come, a module each: csv, json, jsonl, parquet, avro.

A form (:class:`pipelines.bronze.formats.form.Form`) is a frozen value that travels to the workers. It looks at a file
before any row is read, says where a large one may be cut, and reads it: batches of text columns, the same for every
form, so that silver knows none of them.
"""
