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


MODEL = ("ingestion\n    value: {format: csv}", "model\n    value: {inputs: [silver.orders], sql: query.sql}")


def model(write, name: str, layer: str, inputs: str, more: str = "") -> None:
    """Write the contract of a model beside the orders."""
    value = f"model\n    value: {{inputs: [{inputs}], sql: query.sql{more}}}"
    path = write(
        ("name: orders", f"name: {name}"), ("value: source", f"value: {layer}"), (MODEL[0], value),
        ("        transformSourceObjects: [Order]\n", ""), name=f"{name}.odcs.yaml",
    )  # fmt: skip
    (path.parent / "query.sql").write_text("SELECT 1")


def test_models_come_after_what_they_read(write) -> None:
    folder = write().parent
    model(write, "a_report", "gold", "gold.totals, silver.clean")
    model(write, "clean", "silver", "silver.orders")
    model(write, "totals", "gold", "silver.clean")
    job = job_spec(load_domain("shop", folder.parent))
    assert [task.key for task in job.tasks] == [
        "bronze_orders", "silver_orders", "quality_orders", "silver_clean", "gold_totals", "gold_a_report", "maintain",
    ]  # fmt: skip
    tasks = {task.key: task for task in job.tasks}
    assert tasks["gold_a_report"].depends_on == ("gold_totals", "silver_clean")
    assert (tasks["silver_clean"].entry_point, tasks["silver_clean"].parameters["dataset"]) == ("silver", "clean")
    assert tasks["silver_clean"].max_retries == 0  # it says yes or no, as gold does
    assert tasks["maintain"].depends_on == ("quality_orders", "gold_a_report")


@pytest.mark.parametrize(
    ("on_failure", "waits_for"),
    [("warn", "silver"), ("quarantine", "silver"), ("failBatch", "silver"), ("stopPipeline", "quality")],
)
def test_models_wait_for_the_quality_task_of_a_source_that_may_stop_them(write, on_failure, waits_for) -> None:
    told = f"mustBe: 0\n            customProperties: [{{property: onFailure, value: {on_failure}}}]\n"
    folder = write(("mustBe: 0\n", told)).parent
    model(write, "clean", "silver", "silver.orders")
    model(write, "totals", "gold", "silver.clean")
    tasks = {task.key: task for task in job_spec(load_domain("shop", folder.parent)).tasks}
    assert tasks["silver_clean"].depends_on == (f"{waits_for}_orders",)
    assert tasks["gold_totals"].depends_on == ("silver_clean",)  # which waits already


def test_models_that_read_each_other_in_a_circle_are_refused_with_the_chain(write) -> None:
    folder = write().parent
    model(write, "one", "gold", "gold.two")
    model(write, "two", "gold", "gold.three")
    model(write, "three", "gold", "gold.one")
    with pytest.raises(ContractError, match=r"gold\.\w+ reads gold\.\w+ reads gold\.\w+ reads gold\.\w+") as caught:
        load_domain("shop", folder.parent)
    said = caught.value.message.split(": ")[1].split(" reads ")
    assert said[0] == said[-1]
    assert sorted(said[1:]) == ["gold.one", "gold.three", "gold.two"]
    assert (said[0], said[1]) in {("gold.one", "gold.two"), ("gold.two", "gold.three"), ("gold.three", "gold.one")}
    file = folder / f"{said[0].removeprefix('gold.')}.odcs.yaml"
    line = next(n for n, text in enumerate(file.read_text().splitlines(), 1) if "inputs" in text)
    assert caught.value.where == f"{file}:{line}"


@pytest.mark.parametrize(
    ("layer", "inputs", "more", "message"),
    [
        ("gold", "silver.ordres", "", "reads silver.ordres, which no contract of its domain describes"),
        ("gold", "silver.orders", ", optional: [silver.other]", "silver.other is optional and no input"),
        ("silver", "gold.orders", "", "silver is made before gold, and report reads gold.orders"),
        ("source", "silver.orders", "", "the layer source has SQL"),
        ("gold", "bronze.orders", "", "String should match pattern"),
    ],
)
def test_a_model_that_does_not_fit_in_is_refused(write, layer, inputs, more, message) -> None:
    folder = write().parent
    model(write, "report", layer, inputs, more)
    with pytest.raises(ContractError, match=message):
        load_domain("shop", folder.parent)


def test_a_model_is_skipped_with_those_that_read_it_unless_the_lacking_input_is_optional(write) -> None:
    folder = write().parent
    write(("name: orders", "name: returns"), name="returns.odcs.yaml")
    both = "silver.orders, silver.returns"
    model(write, "net", "silver", both)
    model(write, "report", "gold", "silver.net")
    model(write, "moved", "gold", both, f", optional: [{both}]")
    domain = load_domain("shop", folder.parent)
    assert job_spec(domain).skipped == {}
    job = job_spec(domain, sources={"orders"})
    assert job.skipped == {"net": ("silver.returns",), "report": ("silver.net",)}
    assert {task.key: task.depends_on for task in job.tasks}["gold_moved"] == ("silver_orders",)
    assert job_spec(domain, sources=set()).skipped["moved"] == ("silver.orders", "silver.returns")


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
        "gold_product_performance",
        "gold_revenue_by_country",
        "silver_sales",
        "gold_customer_cohorts",
        "gold_customer_value",
        "gold_revenue_by_customer",
        "gold_revenue_by_month",
        "gold_revenue_by_week",
        "gold_revenue_trends",
        "gold_revenue_variance",
        "maintain",
    ]
    assert tasks["bronze_online_retail"].depends_on == ()
    assert tasks["silver_online_retail"].depends_on == ("bronze_online_retail",)
    assert tasks["silver_sales"].depends_on == ("silver_online_retail",)
    assert tasks["gold_revenue_by_month"].depends_on == ("silver_sales",)
    assert tasks["gold_revenue_trends"].depends_on == ("gold_revenue_by_month", "gold_revenue_by_week")
    read = {key for task in job.tasks if task.key != "maintain" for key in task.depends_on}
    assert set(tasks["maintain"].depends_on) == set(tasks) - read - {"maintain"}
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
    assert job.skipped == {"profit_by_month": ("silver.product_costs",), "revenue_against_plan": ("silver.sales_plan",)}
    assert job.tags == {"domain": "sales", "data-classification": "personal", "owner": "sales-data"}
    assert job.schedule == "0 0 5 * * ?"


def test_every_task_comes_after_what_it_depends_on() -> None:
    done: set[str] = set()
    for task in job_spec(load_domain("sales")).tasks:
        assert done >= set(task.depends_on)
        done.add(task.key)


def test_a_source_without_a_country_gives_no_table_by_country() -> None:
    job = job_spec(load_domain("sales"), sources={"cdnow"})
    assert job.skipped == {
        "product_performance": ("silver.online_retail",),
        "profit_by_month": ("silver.product_costs",),
        "revenue_against_plan": ("silver.sales_plan",),
        "revenue_by_country": ("silver.online_retail",),
    }


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
    folder = write(("name: orders", f"name: {names[0]}"), name=f"{names[0]}.odcs.yaml").parent
    for name in names[1:]:
        write(("name: orders", f"name: {name}"), name=f"{name}.odcs.yaml")
    model(write, "by_order", "gold", ", ".join(f"silver.{name}" for name in names), f", optional: [silver.{names[0]}]")
    domain = load_domain("shop", folder.parent)

    together = job_spec(domain)
    apart = job_spec(domain, sources=names[1:])
    some = job_spec(domain, sources=names[:3])
    assert some.skipped == {"by_order": tuple(f"silver.{name}" for name in names[3:])}

    assert [(task.key, task.depends_on, task.run_if) for task in together.tasks] == [
        ("tables", (), "ALL_SUCCESS"),
        ("gold_by_order", ("tables",), "ALL_DONE"),
        ("maintain", ("tables", "gold_by_order"), "ALL_SUCCESS"),
    ]
    assert "sources" not in together.tasks[0].parameters
    assert {task.run_if for task in apart.tasks} == {"ALL_SUCCESS"}
    assert some.tasks[0].parameters["sources"] == ",".join(names[:3])
