"""Runs the jobs that a deployed stack holds on this machine, in an environment like a cluster's."""

from levee.runner.actor import actor
from levee.runner.alerts import alerts
from levee.runner.catalogue import catalogue
from levee.runner.costs import spending
from levee.runner.dataenv import DataEnv, engine_of, ensure_data_env
from levee.runner.execute import run_job
from levee.runner.job import LAYERS, Job, Task, job_of, jobs_of
from levee.runner.observe import observing
from levee.runner.privacy import privacy
from levee.runner.quality import quality
from levee.runner.quarantine import quarantine
from levee.runner.result import RunResult, TaskError, TaskResult, TaskState
from levee.runner.run import replay, run
from levee.runner.surroundings import Surroundings
from levee.runner.tables import summary
from levee.runner.terms import Terms
from levee.runner.wheel import call

__all__ = [
    "LAYERS",
    "DataEnv",
    "Job",
    "RunResult",
    "Surroundings",
    "Task",
    "TaskError",
    "TaskResult",
    "TaskState",
    "Terms",
    "actor",
    "alerts",
    "call",
    "catalogue",
    "engine_of",
    "ensure_data_env",
    "job_of",
    "jobs_of",
    "observing",
    "privacy",
    "quality",
    "quarantine",
    "replay",
    "run",
    "run_job",
    "spending",
    "summary",
]
