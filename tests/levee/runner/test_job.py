import pytest

from levee.errors import UsageError
from levee.plan import SECRET, Plan
from levee.runner import job_of


def keys(job):
    return [task.key for task in job.tasks]


@pytest.fixture
def medallion(stack, task):
    return stack(
        task("maintain", after=["gold_month", "quality_retail"]),
        task("gold_month", "gold", after=["silver_retail"]),
        task("quality_retail", "quality", after=["silver_retail"]),
        task("silver_retail", "silver", after=["bronze_retail"]),
        task("bronze_retail", "bronze", maxRetries=2.0, timeoutSeconds=3600, minRetryIntervalMillis=1500),
        variables={"LEVEE_PSEUDONYM_KEY": "{{secrets/levee/pseudonym}}"},
    )


def test_what_is_deployed_is_read(medallion):
    job = job_of(medallion, "sales")
    first = job.tasks[0]
    assert (job.name, job.domain) == ("levee-sales", "sales")
    assert (first.key, first.package, first.entry_point) == ("bronze_retail", "levee_probe", "bronze")
    assert (first.max_retries, first.timeout_seconds, first.retry_seconds) == (2, 3600, 1.5)
    assert first.parameters["landing"] == "s3://acme-landing/sales"
    assert first.environment == {"LEVEE_PSEUDONYM_KEY": "{{secrets/levee/pseudonym}}"}
    assert "--bronze=gs://acme-bronze" in first.argv("run-1")


def test_tasks_stand_after_what_they_wait_for(medallion):
    order = keys(job_of(medallion, "sales"))
    assert order[:2] == ["bronze_retail", "silver_retail"]
    assert order[-1] == "maintain"


def test_a_run_may_start_at_a_layer(medallion):
    job = job_of(medallion, "sales")
    assert keys(job.starting_at("silver")) == keys(job)[1:]
    assert keys(job.starting_at("gold")) == ["gold_month", "maintain"]
    with pytest.raises(UsageError, match="has no platinum task"):
        job.starting_at("platinum")


def test_a_stack_that_is_not_up_names_the_command():
    empty = Plan(project="levee", stack="dev", operation="deployed", offline=True)
    with pytest.raises(UsageError) as caught:
        job_of(empty, "sales")
    assert "the stack dev is not up" in str(caught.value)
    assert caught.value.fix == "levee up dev"


def test_an_unknown_domain_is_answered_with_those_there_are(medallion):
    with pytest.raises(UsageError, match="choose one of sales"):
        job_of(medallion, "hr")


def test_a_secret_is_never_a_parameter(stack, task):
    bad = task("bronze")
    bad["pythonWheelTask"]["namedParameters"]["key"] = SECRET
    with pytest.raises(UsageError, match="parameter 'key' of task bronze is a secret"):
        job_of(stack(bad), "sales")


def test_a_task_that_is_no_wheel_is_refused_by_name(stack, task):
    notebook = {"taskKey": "look", "notebookTask": {"notebookPath": "/look"}}
    with pytest.raises(UsageError, match=r"tasks\.1\.pythonWheelTask: Field required"):
        job_of(stack(task("bronze"), notebook), "sales")


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [(["b"], ["a"], "wait for each other"), (["absent"], [], "depends on 'absent'")],
)
def test_a_graph_that_cannot_run_is_refused(stack, task, first, second, message):
    with pytest.raises(UsageError, match=message):
        job_of(stack(task("a", after=first), task("b", after=second)), "sales")


def test_dynamic_references_are_resolved_or_refused(stack, task):
    dynamic = task("bronze")
    dynamic["pythonWheelTask"]["namedParameters"] |= {"run-id": "{{job.run_id}}"}
    [read] = job_of(stack(dynamic), "sales").tasks
    assert "--run-id=run-7" in read.argv("run-7")
    dynamic["pythonWheelTask"]["namedParameters"] |= {"day": "{{job.start_time.iso_date}}"}
    [read] = job_of(stack(dynamic), "sales").tasks
    with pytest.raises(UsageError, match=r"job\.start_time\.iso_date"):
        read.argv("run-7")
