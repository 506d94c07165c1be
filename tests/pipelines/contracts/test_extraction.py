"""What a contract may say about a source that is no file, which server a run reads, and the job's task."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.contracts import ContractError, Domain, choose_server, job_spec
from pipelines.contracts.checks.extraction import KAFKA_FIELDS
from pipelines.contracts.extensions.extraction import FORMATS, SERVER_KEYS, SERVER_TYPES, overlap_of
from pipelines.contracts.odcs import Server
from pipelines.errors import UsageError
from pipelines.extract.kafka import FIELDS
from pipelines.settings import RunSettings

POSTGRES = {"server": "shop", "type": "postgresql", "host": "db", "port": 5432, "database": "shop"}
JDBC = {"table": "things", "user": "env:U", "password": "file:/run/secrets/p"}
REST = {"path": "/things"}
WHOLE = {"redelivery": {"policy": "replace"}}
LINES = {"ingestion": {"format": "jsonl"}}


def extraction(**kinds: Any) -> dict[str, Any]:
    return {"server": "shop", **kinds}


def refused(make_contract: Any, *columns: Any, servers: Any = (POSTGRES,), **custom: Any) -> tuple[str, str, str]:
    """Message of the refusal, the line that it names, and its fix."""
    with pytest.raises(ContractError) as caught:
        make_contract(*columns, servers=list(servers), **{**LINES, **WHOLE, **custom})
    assert caught.value.where is not None
    path, line = caught.value.where.rsplit(":", 1)
    return caught.value.message, Path(path).read_text().splitlines()[int(line) - 1].strip(), caught.value.fix or ""


@pytest.mark.parametrize(
    ("value", "message", "line"),
    [
        (extraction(), "exactly one of `jdbc`, `rest` and `kafka`", "value:"),
        (extraction(jdbc=JDBC, rest=REST), "exactly one of `jdbc`, `rest` and `kafka`", "value:"),
        (
            extraction(jdbc={**JDBC, "password": "hunter2"}),
            "extraction.jdbc.password: String should match",
            "password:",
        ),
        (extraction(jdbc={**JDBC, "mode": "incremental"}), "`watermark` and mode `incremental` need", "jdbc:"),
        (extraction(jdbc={**JDBC, "overlap": 5}), "`overlap` is of mode `incremental`", "jdbc:"),
        (extraction(jdbc={**JDBC, "partitions": 4}), "`partitions` above 1 and `partitionColumn`", "jdbc:"),
        (extraction(jdbc={**JDBC, "overlap": "an hour"}), "ISO 8601 duration such as PT1H", "overlap:"),
        (extraction(jdbc={**JDBC, "overlap": "P1Q"}), "no ISO 8601 duration", "overlap:"),
        (extraction(jdbc={**JDBC, "overlap": -1}), "not negative", "overlap:"),
        (extraction(rest={"path": "things"}), "extraction.rest.path: String should match", "path:"),
        (extraction(rest={**REST, "records": "data"}), "extraction.rest.records: String should match", "records:"),
        (extraction(rest={**REST, "paging": {"style": "page"}}), "`parameter` and the styles", "paging:"),
        (extraction(rest={**REST, "paging": {"style": "cursor", "parameter": "c"}}), "`next` and the style", "paging:"),
        (extraction(rest={**REST, "paging": {"size": 3}}), "`size` and `sizeParameter` need", "paging:"),
        (extraction(rest={**REST, "auth": {}}), "exactly one of `bearer`", "auth:"),
        (extraction(rest={**REST, "auth": {"bearer": "sesame"}}), "extraction.rest.auth.bearer: String", "bearer:"),
        (extraction(kafka={"topic": "a b"}), "extraction.kafka.topic: String should match", "topic:"),
    ],
)
def test_what_an_extraction_may_not_say(make_contract, value, message, line) -> None:
    said, where, _ = refused(make_contract, extraction=value)
    assert message in said
    assert where.startswith(line)
    assert not {"hunter2", "sesame"} & set(said.split())


@pytest.mark.parametrize(
    ("custom", "servers", "message", "line", "fix"),
    [
        ({}, [], "names the server 'shop', which there is not", "server: shop", "add `servers:"),
        ({}, [{**POSTGRES, "server": "shops"}], "names the server 'shop'", "server: shop", "did you mean `shops`?"),
        ({}, [{**POSTGRES, "type": "mysql"}], "jdbc reads no server of the type 'mysql'", "type: mysql", "valid: post"),
        (
            {},
            [{"server": "shop", "type": "postgresql", "host": "db"}],
            "does not say its port, database",
            "- server:",
            "",
        ),
        ({"redelivery": {}}, [POSTGRES], "redeliveries are not replaced", "value:", "policy: replace"),
        (
            {"ingestion": {"format": "csv"}},
            [POSTGRES],
            "lands jsonl, and ingestion reads csv",
            "value:",
            "format: jsonl",
        ),
        ({"ingestion": {"format": "jsonl", "glob": "x*"}}, [POSTGRES], "takes x*", "value:", 'glob: "*.jsonl.gz"'),
        (
            {"extraction": extraction(format="parquet", rest=REST), "ingestion": {"format": "parquet"}},
            [{"server": "shop", "type": "api", "location": "https://example.org"}],
            "extraction.rest lands no parquet",
            "value:",
            "format: jsonl",
        ),
        (
            {
                "extraction": extraction(jdbc={**JDBC, "mode": "incremental", "watermark": "id"}),
                "deduplication": {"identicalRows": "keep"},
            },
            [POSTGRES],
            "lands rows at its edge twice",
            "value:",
            "identicalRows: remove",
        ),
        (
            {"history": {"type": 2, "businessKey": ["id"], "deliveries": "snapshots"}, "redelivery": {}},
            [POSTGRES],
            "they are the folders of whole extractions",
            "value:",
            'snapshot: "^(.*)/"',
        ),
        (
            {"extraction": extraction(format="parquet", kafka={"topic": "t"}), "ingestion": {"format": "parquet"}},
            [{"server": "shop", "type": "kafka", "host": "b:9092"}],
            "a record of Kafka has no id, name, price",
            "value:",
            "get_json_object",
        ),
    ],
)
def test_what_must_fit_an_extraction(make_contract, custom, servers, message, line, fix) -> None:
    said, where, mend = refused(make_contract, servers=servers, **{"extraction": extraction(jdbc=JDBC), **custom})
    assert message in said
    assert where.startswith(line)
    assert fix in mend


def test_overlaps_are_durations_or_numbers() -> None:
    assert str(overlap_of("P1DT2H")) == "1 day, 2:00:00"
    assert overlap_of(7) == 7


def of(make_contract: Any, *environments: str | None) -> Any:
    servers = [{**POSTGRES, "host": str(name), **({"environment": name} if name else {})} for name in environments]
    return make_contract(servers=servers, extraction=extraction(jdbc=JDBC), **LINES, **WHOLE)


@pytest.mark.parametrize(
    ("environments", "asked", "host"),
    [
        ((None,), None, "None"),
        ((None,), "prod", "None"),
        (("prod",), None, "prod"),
        (("prod", "dev"), "dev", "dev"),
        (("prod", None), "dev", "None"),
        (("prod", None), "prod", "prod"),
    ],
)
def test_the_environment_chooses_the_server(make_contract, environments, asked, host) -> None:
    assert choose_server(of(make_contract, *environments), asked).host == host


@pytest.mark.parametrize(
    ("environments", "asked", "message"),
    [
        (("prod", "dev"), None, "was told no environment, and its server shop is there for: dev, prod"),
        (("prod", "dev"), "test", "was told the environment test, and its server shop is there for: dev, prod"),
        (("prod", "prod"), "prod", "was told the environment prod"),
    ],
)
def test_a_server_that_is_not_told_is_asked_for(make_contract, environments, asked, message) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        choose_server(of(make_contract, *environments), asked)
    assert "--environment" in (caught.value.fix or "")


def test_a_task_is_told_its_environment() -> None:
    assert RunSettings.parse(["--domain=d", "--environment=prod"], {}).environment == "prod"
    assert RunSettings.parse(["--domain=d"], {}).environment is None


def test_the_job_extracts_before_it_takes_in(make_contract) -> None:
    contract = of(make_contract, None)
    other = replace(contract, dataset="delivered", extraction=None)
    domain = Domain("test", contract.path.parent, (other, contract), ())
    tasks = {task.key: task for task in job_spec(domain, environment="prod").tasks}
    assert list(tasks)[:6] == [
        *("bronze_delivered", "silver_delivered", "quality_delivered"),
        *("extract_things", "bronze_things", "silver_things"),
    ]
    assert tasks["extract_things"].depends_on == ()
    assert tasks["bronze_things"].depends_on == ("extract_things",)
    assert tasks["bronze_delivered"].depends_on == ()
    told = tasks["extract_things"].parameters
    assert {key: told[key] for key in ("environment", "dataset")} == {"environment": "prod", "dataset": "things"}
    assert tasks["extract_things"].max_retries == 2


def test_every_kind_has_its_servers_and_forms() -> None:
    assert SERVER_TYPES.keys() == SERVER_KEYS.keys() == FORMATS.keys() == {"jdbc", "rest", "kafka"}
    assert all(key in Server.model_fields for keys in SERVER_KEYS.values() for key in keys)
    assert tuple(FIELDS) == KAFKA_FIELDS
