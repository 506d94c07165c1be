"""Domains, which gold their sources allow, and the job that follows from them."""

import pytest

from pipelines.contracts import ContractError, Layer, job_spec, load_domain
from pipelines.contracts.jobs import GROUPED_ABOVE
from pipelines.errors import UsageError


def test_an_unknown_domain_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="sails") as caught:
        load_domain("sails")
    assert caught.value.fix == "did you mean `sales`?"


def test_an_unknown_dataset_names_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        load_domain("sales").contract("online_retial")
    assert caught.value.fix == "did you mean `online_retail`?"


def test_a_contract_in_the_wrong_folder_is_refused(write) -> None:
    folder = write(("domain: shop", "domain: store")).parent
    with pytest.raises(ContractError, match="'store'"):
        load_domain("shop", folder.parent)


def test_two_contracts_of_one_dataset_are_refused(write) -> None:
    folder = write().parent
    write(name="orders2.odcs.yaml")
    with pytest.raises(ContractError, match="two contracts describe"):
        load_domain("shop", folder.parent)


def test_gold_that_no_source_can_feed_is_refused_unless_it_is_optional(write) -> None:
    folder = write().parent
    (folder / "orders_by_day.sql").write_text("SELECT 1")
    gold = (
        ("name: orders", "name: orders_by_day"),
        ("value: source", "value: gold"),
        ("ingestion\n    value: {format: csv}", "gold\n    value: {inputs: [order_idd], sql: orders_by_day.sql}"),
    )
    write(*gold, name="orders_by_day.odcs.yaml")
    with pytest.raises(ContractError, match="order_idd") as caught:
        load_domain("shop", folder.parent)
    assert caught.value.fix == "did you mean `order_id`?"
    write(
        *gold[:2],
        (gold[2][0], "gold\n    value: {inputs: [cost], sql: orders_by_day.sql, optional: true}"),
        name="orders_by_day.odcs.yaml",
    )
    assert job_spec(load_domain("shop", folder.parent)).skipped == {"orders_by_day": ("cost",)}


def test_the_job_of_one_source() -> None:
    job = job_spec(
        load_domain("sales"),
        sources={"online_retail"},
        roots={"bronze": "s3://levee-bronze", "gold": "s3://levee-gold"},
        catalog="levee",
        environment="prod",
    )
    tasks = {task.key: task for task in job.tasks}
    assert list(tasks) == [
        "bronze_online_retail",
        "silver_online_retail",
        "quality_online_retail",
        "gold_revenue_by_country",
        "gold_revenue_by_customer",
        "gold_revenue_by_month",
        "gold_revenue_variance",
        "maintain",
    ]
    assert tasks["bronze_online_retail"].depends_on == ()
    assert tasks["silver_online_retail"].depends_on == ("bronze_online_retail",)
    assert tasks["gold_revenue_by_month"].depends_on == ("silver_online_retail",)
    assert set(tasks["maintain"].depends_on) == {key for key in tasks if key.startswith(("gold", "quality"))}
    assert tasks["gold_revenue_by_month"].parameters == {
        "domain": "sales",
        "sources": "online_retail",
        "bronze": "s3://levee-bronze",
        "gold": "s3://levee-gold",
        "catalog": "levee",
        "environment": "prod",
        "run-id": "{{job.run_id}}",
        "attempt": "{{task.execution_count}}",
        "table": "revenue_by_month",
    }
    assert job.skipped == {"profit_by_month": ("cost",)}
    assert job.tags == {"domain": "sales", "data-classification": "personal", "owner": "sales-data"}
    assert job.schedule == "0 0 5 * * ?"


def test_every_task_comes_after_what_it_depends_on() -> None:
    done: set[str] = set()
    for task in job_spec(load_domain("sales")).tasks:
        assert done >= set(task.depends_on)
        done.add(task.key)


def test_a_source_without_a_country_gives_no_table_by_country() -> None:
    job = job_spec(load_domain("sales"), sources={"cdnow"})
    assert job.skipped == {"profit_by_month": ("cost",), "revenue_by_country": ("country",)}


def test_a_source_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="revenue_by_month"):
        job_spec(load_domain("sales"), sources={"revenue_by_month"})


def test_the_longest_retention_of_those_who_write_a_layer_counts() -> None:
    domain = load_domain("sales")
    assert domain.retention_days(Layer.LANDING) == 400
    assert domain.retention_days(Layer.GOLD) == 2555
    assert domain.retention_days(Layer.AUDIT) == 2555


def test_the_tables_of_many_sources_are_one_task_and_gold_goes_on_without_those_that_failed(write) -> None:
    names = [f"orders{number}" for number in range(GROUPED_ABOVE + 1)]
    for name in names:
        folder = write(("name: orders", f"name: {name}"), name=f"{name}.odcs.yaml").parent
    (folder / "by_order.sql").write_text("SELECT 1")
    write(
        ("name: orders", "name: by_order"),
        ("value: source", "value: gold"),
        ("ingestion\n    value: {format: csv}", "gold\n    value: {inputs: [order_id], sql: by_order.sql}"),
        name="by_order.odcs.yaml",
    )
    domain = load_domain("shop", folder.parent)

    together = job_spec(domain)
    apart = job_spec(domain, sources=names[1:])
    some = job_spec(domain, sources=names[:3])

    assert [(task.key, task.depends_on, task.run_if) for task in together.tasks] == [
        ("tables", (), "ALL_SUCCESS"),
        ("gold_by_order", ("tables",), "ALL_DONE"),
        ("maintain", ("tables", "gold_by_order"), "ALL_SUCCESS"),
    ]
    assert "sources" not in together.tasks[0].parameters
    assert {task.run_if for task in apart.tasks} == {"ALL_SUCCESS"}
    assert some.tasks[0].parameters["sources"] == ",".join(names[:3])
