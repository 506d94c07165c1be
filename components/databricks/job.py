"""A domain's job, task for task what its contracts say (``pipelines.contracts.job_spec``)."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pulumi
import pulumi_databricks as databricks

from components import names
from components.databricks import grants
from components.databricks.args import DatabricksArgs, DomainArgs
from components.databricks.compute import Compute
from components.databricks.unity import UnityCatalog
from pipelines.contracts import JobSpec, TaskSpec, job_spec

_CLUSTER = "jobs"
_RETRY_AFTER_MILLISECONDS = 60_000

CONTENT_TAG = "wheel-content"
"""Job tag: digest of the wheel that the job was derived from, which whoever runs it compares with the wheel at hand."""


class DomainJob(pulumi.ComponentResource):
    """The Databricks job of one domain.

    Attributes:
        id: Id of the job.
        spec: What it was made from.
    """

    def __init__(
        self,
        name: str,
        args: DatabricksArgs,
        domain: DomainArgs,
        *,
        compute: Compute,
        unity: UnityCatalog,
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__("levee:databricks:DomainJob", name, None, opts)
        self.spec = job_spec(domain.domain, sources=domain.sources, environment=args.environment)
        tags = args.tags.classified(domain.domain.classification)
        places = {layer.value: root for layer, root in unity.roots.items()} | {"catalog": unity.catalog}
        told = {**places, **_money(args, domain)}
        wheel = pulumi.Output.format(
            "{0}/{1}-{2}-py3-none-any.whl", unity.wheels, self.spec.package_name, args.wheel_version
        )
        job = databricks.Job(
            name,
            name=names.plain(args.company, args.environment, self.spec.name),
            description=f"Domain {self.spec.domain}: {', '.join(self.spec.sources)}",
            job_clusters=[
                databricks.JobJobClusterArgs(job_cluster_key=_CLUSTER, new_cluster=_cluster(args, compute, tags.gcp()))
            ],
            tasks=[_task(task, self.spec, told, wheel) for task in self.spec.tasks],
            schedule=_schedule(domain),
            run_as=databricks.JobRunAsArgs(service_principal_name=args.run_as) if args.run_as else None,
            max_concurrent_runs=1,
            queue=databricks.JobQueueArgs(enabled=True),
            timeout_seconds=_longest(self.spec),
            health=databricks.JobHealthArgs(
                rules=[
                    databricks.JobHealthRuleArgs(
                        metric="RUN_DURATION_SECONDS", op="GREATER_THAN", value=_longest(self.spec) // 2
                    )
                ]
            ),
            email_notifications=databricks.JobEmailNotificationsArgs(
                on_failures=[args.notify], on_duration_warning_threshold_exceededs=[args.notify]
            ),
            notification_settings=databricks.JobNotificationSettingsArgs(no_alert_for_canceled_runs=True),
            tags={**tags.databricks(), "domain": self.spec.domain, CONTENT_TAG: self.spec.content},
            opts=pulumi.ResourceOptions(parent=self),
        )
        readers = grants.readers([domain.domain])
        databricks.Permissions(
            name,
            job_id=job.id,
            access_controls=[
                databricks.PermissionsAccessControlArgs(group_name=args.admins, permission_level="CAN_MANAGE"),
                *(
                    databricks.PermissionsAccessControlArgs(group_name=group, permission_level="CAN_VIEW")
                    for group in readers
                    if group != args.admins
                ),
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.id = job.id
        self.register_outputs({"id": self.id})


def _money(args: DatabricksArgs, domain: DomainArgs) -> dict[str, str]:
    """What the runs cost and may cost, as parameters: whoever starts the job, the tasks know it.

    Parameters, for Databricks exports a cluster's variables through a shell, to which JSON with quotes and dollars is
    more than text.
    """
    rates = {args.size.node_type: domain.rate} if domain.rate else None
    told = {"rates": rates, "budget": args.budget}
    return {name: json.dumps(value, sort_keys=True, default=dict) for name, value in told.items() if value is not None}


def _cluster(args: DatabricksArgs, compute: Compute, tags: dict[str, str]) -> databricks.JobJobClusterNewClusterArgs:
    size = args.size
    return databricks.JobJobClusterNewClusterArgs(
        policy_id=compute.policy,
        apply_policy_default_values=True,
        instance_pool_id=compute.pool,
        driver_instance_pool_id=compute.driver_pool,
        spark_version=size.spark_version,
        runtime_engine="STANDARD",
        data_security_mode="SINGLE_USER",
        single_user_name=args.run_as,
        enable_local_disk_encryption=True,
        autoscale=databricks.JobJobClusterNewClusterAutoscaleArgs(
            min_workers=size.min_workers, max_workers=size.max_workers
        ),
        spark_env_vars=dict(compute.variables),
        custom_tags=tags,
    )


def _task(
    task: TaskSpec, spec: JobSpec, told: Mapping[str, pulumi.Input[str]], wheel: pulumi.Output[str]
) -> databricks.JobTaskArgs:
    parameters: dict[str, pulumi.Input[str]] = {**task.parameters, **told}
    return databricks.JobTaskArgs(
        task_key=task.key,
        description=task.description,
        job_cluster_key=_CLUSTER,
        depends_ons=[databricks.JobTaskDependsOnArgs(task_key=key) for key in task.depends_on],
        run_if=None if task.run_if == "ALL_SUCCESS" else task.run_if,
        python_wheel_task=databricks.JobTaskPythonWheelTaskArgs(
            package_name=spec.package_name, entry_point=task.entry_point, named_parameters=parameters
        ),
        libraries=[
            databricks.JobTaskLibraryArgs(whl=wheel),
            *(
                databricks.JobTaskLibraryArgs(pypi=databricks.JobTaskLibraryPypiArgs(package=requirement))
                for requirement in spec.libraries
            ),
        ],
        timeout_seconds=task.timeout_seconds,
        max_retries=task.max_retries,
        min_retry_interval_millis=_RETRY_AFTER_MILLISECONDS,
        retry_on_timeout=False,
    )


def _schedule(domain: DomainArgs) -> databricks.JobScheduleArgs | None:
    if domain.schedule is None:
        return None
    return databricks.JobScheduleArgs(
        quartz_cron_expression=domain.schedule.cron,
        timezone_id=domain.schedule.timezone,
        pause_status="PAUSED" if domain.schedule.paused else "UNPAUSED",
    )


def _longest(spec: JobSpec) -> int:
    """Seconds that the job may take: its longest chain of tasks, every try of each used up."""
    ends: dict[str, int] = {}
    for task in spec.tasks:
        started = max((ends[key] for key in task.depends_on), default=0)
        ends[task.key] = started + task.timeout_seconds * (task.max_retries + 1)
    return max(ends.values(), default=0)
