from dataclasses import replace

import pytest

from levee.errors import UsageError
from levee.plan import Plan
from levee.runner import job_of, replay
from levee.runner.replay import replay_job


@pytest.fixture
def plan(stack, task):
    def of(dataset, key, entry_point, after=()):
        made = task(key, entry_point, after)
        made["pythonWheelTask"]["namedParameters"]["dataset"] = dataset
        return made

    return stack(
        of("retail", "bronze_retail", "bronze"),
        of("retail", "silver_retail", "silver", ["bronze_retail"]),
        of("retail", "quality_retail", "quality", ["silver_retail"]),
        of("cdnow", "bronze_cdnow", "bronze"),
        of("cdnow", "silver_cdnow", "silver", ["bronze_cdnow"]),
        task("gold_month", "gold", ["silver_retail", "silver_cdnow"]),
        task("gold_cdnow", "gold", ["silver_cdnow"]),
        task("maintain", "maintain", ["gold_month", "gold_cdnow", "quality_retail"]),
    )


def test_a_replay_is_the_dataset_again_and_what_is_built_from_it(plan):
    job = replay_job(job_of(plan, "sales"), "retail")
    first, *after = job.tasks
    assert (first.key, first.entry_point, first.depends_on) == ("replay_retail", "replay", ())
    assert first.parameters["dataset"] == "retail"
    assert {task.key for task in after} == {"quality_retail", "gold_month", "maintain"}
    waits = {task.key: task.depends_on for task in after}
    assert waits["gold_month"] == ("replay_retail", "silver_cdnow")


def test_corrections_are_taken_in_before_all_is_judged_again(plan):
    intake, again, *after = replay_job(job_of(plan, "sales"), "retail", intake=True).tasks
    assert (intake.key, intake.entry_point, intake.depends_on) == ("bronze_retail", "bronze", ())
    assert intake.parameters["dataset"] == "retail"
    assert (again.entry_point, again.depends_on) == ("replay", ("bronze_retail",))
    assert {task.key for task in after} == {"quality_retail", "gold_month", "maintain"}


def test_an_unknown_dataset_is_answered_with_those_there_are(plan, tmp_path):
    with pytest.raises(UsageError, match=r"choose one of sales\.retail, sales\.cdnow"):
        replay(plan, "retial", root=tmp_path)
    with pytest.raises(UsageError, match=r"choose one of sales\.retail, sales\.cdnow"):
        replay(plan, "sales.retial", root=tmp_path)
    with pytest.raises(UsageError, match="holds no job of the domain 'hr'"):
        replay(plan, "hr.retail", root=tmp_path)
    with pytest.raises(UsageError, match=r"did you mean sales\.retail\?"):
        replay(plan, "retial", root=tmp_path)


def test_a_name_that_two_domains_have_must_be_qualified(plan, tmp_path):
    [job] = plan.resources
    tasks = [dict(one) for one in job.inputs["tasks"]]
    for one in tasks:
        wheel = one["pythonWheelTask"]
        one["pythonWheelTask"] = wheel | {"namedParameters": wheel["namedParameters"] | {"domain": "hr"}}
    other = replace(job, urn=job.urn.replace("::sales", "::hr"), name="hr", inputs={**job.inputs, "tasks": tasks})
    with pytest.raises(UsageError, match="more than one domain has a dataset 'retail'"):
        replay(replace(plan, resources=(job, other)), "retail", root=tmp_path)


def test_a_stack_that_is_not_up_names_the_command(tmp_path):
    with pytest.raises(UsageError, match="levee up dev"):
        replay(Plan(project="levee", stack="dev", operation="deployed", offline=True), "retail", root=tmp_path)


@pytest.fixture
def grouped(stack, task):
    """A job whose tables are one task."""
    return stack(task("tables"), task("gold_month", "gold", ["tables"]), task("maintain", "maintain", ["gold_month"]))


def test_one_of_many_tables_is_replayed_alone(grouped):
    job = job_of(grouped, "sales")
    assert {"cdnow", "online_retail"} <= set(job.datasets)  # the domain's, as the task names none
    first, gold, maintain = replay_job(job, "cdnow").tasks
    assert (first.key, first.entry_point, first.parameters["dataset"]) == ("replay_cdnow", "replay", "cdnow")
    assert (gold.depends_on, maintain.depends_on) == (("replay_cdnow",), ("gold_month",))
    intake, again, *_ = replay_job(job, "cdnow", intake=True).tasks
    assert (intake.key, intake.entry_point, again.depends_on) == ("bronze_cdnow", "bronze", ("bronze_cdnow",))
    with pytest.raises(UsageError, match="no dataset 'retail'"):
        replay_job(job, "retail")


def test_many_tables_are_both_bronze_and_silver(grouped):
    job = job_of(grouped, "sales")
    for layer in ("bronze", "silver"):
        assert [task.key for task in job.starting_at(layer).tasks] == ["tables", "gold_month", "maintain"]
    assert [task.key for task in job.starting_at("gold").tasks] == ["gold_month", "maintain"]
