"""OpenLineage events, made of what is known of a run with the classes of openlineage-python."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Final

from openlineage.client import facet_v2 as facets
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState, set_producer

from pipelines.contracts.model import Contract
from pipelines.observe import columns, datasets
from pipelines.observe.columns import Origin
from pipelines.observe.datasets import Place
from pipelines.observe.facts import Ended, TaskRun, job_run_uuid
from pipelines.settings import Layer, RunSettings

_VERSION: Final = version("levee-pipelines")
PRODUCER: Final = f"urn:levee:pipelines:{_VERSION}"
NAMESPACE: Final = "OPENLINEAGE_NAMESPACE"
"""Environment variable with the namespace of jobs, as OpenLineage's own integrations have it; else ``levee``."""
_QUALITY_TASKS: Final = ("silver", "replay", "quality")

set_producer(PRODUCER)  # of every event and facet that is made from here on


def started(run: TaskRun) -> RunEvent:
    """The task run begins; what it reads and writes is told in full when it has ended."""
    return _event(run, RunState.START, run.started, {}, None)


def ended(end: Ended) -> RunEvent:
    """The task run has ended."""
    state, run = (RunState.COMPLETE if end.error is None else RunState.FAIL), end.run
    said = {"errorMessage": _error(end.error)} if end.error is not None else {}
    return _event(run, state, end.at, said, end)


def aborted(run: TaskRun) -> RunEvent:
    """The task run was interrupted."""
    return _event(run, RunState.ABORT, datetime.now(UTC), {}, None)


def of_job(settings: RunSettings, state: str) -> RunEvent:
    """The job run begins or has ended."""
    return RunEvent(
        eventType=RunState(state),
        eventTime=datetime.now(UTC).isoformat(),
        run=Run(runId=job_run_uuid(settings.domain, settings.run_id)),
        job=Job(_namespace(), _job_name(settings), {"jobType": _job_type("JOB")}),
    )


def _event(
    run: TaskRun,
    state: RunState,
    at: datetime,
    said: Mapping[str, facets.RunFacet],
    end: Ended | None,
) -> RunEvent:
    settings = run.settings
    parent = facets.parent_run.ParentRunFacet(
        run=facets.parent_run.Run(runId=job_run_uuid(settings.domain, settings.run_id)),
        job=facets.parent_run.Job(_namespace(), _job_name(settings)),
    )
    engine = facets.processing_engine_run.ProcessingEngineRunFacet(version=_VERSION, name=run.engine.value)
    about = facets.documentation_job.DocumentationJobFacet(description=_purpose(run))
    return RunEvent(
        eventType=state,
        eventTime=at.isoformat(),
        run=Run(run.id, {"parent": parent, "processing_engine": engine, **said}),
        job=Job(
            _namespace(),
            f"{settings.domain}.{run.task}.{run.contract.dataset}",
            {"jobType": _job_type("TASK"), "documentation": about},
        ),
        inputs=_inputs(run, end),
        outputs=_outputs(run, end),
    )


def _inputs(run: TaskRun, end: Ended | None) -> list[InputDataset]:
    return [
        InputDataset(place.namespace, place.name)
        if end is None
        else InputDataset(place.namespace, place.name, _read(end, place), facets=_about(place))
        for place in datasets.inputs(run)
    ]


def _outputs(run: TaskRun, end: Ended | None) -> list[OutputDataset]:
    """Facets add up over the events of a run (OpenLineage, Run Cycle): they are told once, when it ends."""
    return [
        OutputDataset(place.namespace, place.name)
        if end is None
        else OutputDataset(
            place.namespace, place.name, _wrote(end, place), facets={**_about(place), **_lineage(run, place)}
        )
        for place in datasets.outputs(run)
    ]


def _about(place: Place) -> dict[str, facets.DatasetFacet]:
    """What the contract says of a dataset."""
    contract = place.contract
    told: dict[str, facets.DatasetFacet] = {
        "schema": facets.schema_dataset.SchemaDatasetFacet(fields=_fields(place)),
        "dataSource": facets.datasource_dataset.DatasourceDatasetFacet(name=place.namespace, uri=place.uri),
    }
    if contract.description:
        told["documentation"] = facets.documentation_dataset.DocumentationDatasetFacet(description=contract.description)
    if contract.owner:
        owner = facets.ownership_dataset.Owner(name=f"team:{contract.owner}", type="MAINTAINER")
        told["ownership"] = facets.ownership_dataset.OwnershipDatasetFacet(owners=[owner])
    return told


def _fields(place: Place) -> list[facets.schema_dataset.SchemaDatasetFacetFields]:
    field = facets.schema_dataset.SchemaDatasetFacetFields
    if place.layer in (Layer.SILVER, Layer.GOLD):
        return [field(name=each.name, type=each.type, description=each.description) for each in place.contract.columns]
    return [field(name=name, type="string") for name in place.contract.source_fields]


def _lineage(run: TaskRun, place: Place) -> dict[str, facets.DatasetFacet]:
    told = columns.lineage(run, place.layer) if place.layer else columns.Lineage({})
    if not told.columns:
        return {}
    known = {(each.layer, each.contract.dataset): each for each in datasets.inputs(run) if each.layer}
    fields = {
        name: facets.column_lineage_dataset.Fields(inputFields=_input_fields(origins, known))
        for name, origins in told.columns.items()
    }
    rows = _input_fields(told.rows, known)
    return {"columnLineage": facets.column_lineage_dataset.ColumnLineageDatasetFacet(fields=fields, dataset=rows)}


def _input_fields(
    origins: Iterable[Origin], known: Mapping[tuple[Layer, str], Place]
) -> list[facets.column_lineage_dataset.InputField]:
    """A field once, with every way in which it is used; of inputs that this run does not read there is nothing."""
    found: dict[tuple[Layer, str, str], list[facets.column_lineage_dataset.Transformation]] = {}
    for origin in origins:
        if (origin.layer, origin.dataset) in known:
            way = facets.column_lineage_dataset.Transformation(
                type=origin.type, subtype=origin.subtype, description=origin.description, masking=origin.masking
            )
            found.setdefault((origin.layer, origin.dataset, origin.column), []).append(way)
    return [
        facets.column_lineage_dataset.InputField(
            known[layer, dataset].namespace, known[layer, dataset].name, name, ways
        )
        for (layer, dataset, name), ways in found.items()
    ]


def _read(end: Ended, place: Place) -> dict[str, facets.InputDatasetFacet]:
    """What was seen of an input."""
    tally = end.tally
    size, files = (tally.bytes, tally.files) if place.layer is Layer.LANDING else (None, None)
    told: dict[str, facets.InputDatasetFacet] = {
        "inputStatistics": facets.input_statistics_input_dataset.InputStatisticsInputDatasetFacet(
            rowCount=tally.rows_in, size=size, fileCount=files
        ),
        "dataQualityMetrics": facets.data_quality_metrics_input_dataset.DataQualityMetricsInputDatasetFacet(
            columnMetrics={}, rowCount=tally.rows_in, bytes=size, fileCount=files
        ),
    }
    judged = end.run.task in _QUALITY_TASKS and end.run.contract.model is None
    if judged and (assertions := _assertions(end.run.contract, tally.rules)):
        told["dataQualityAssertions"] = facets.data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet(
            assertions=assertions
        )
    return told


def _assertions(
    contract: Contract, broken: Mapping[str, int]
) -> list[facets.data_quality_assertions_dataset.Assertion]:
    from pipelines.quality.rules import rules

    return [
        facets.data_quality_assertions_dataset.Assertion(
            assertion=rule.kind,
            success=broken.get(rule.id, 0) == 0,
            column=rule.column,
            severity="warn" if rule.on_failure == "warn" else "error",
            name=rule.id,
            description=rule.description,
            actual=f"{broken.get(rule.id, 0):,} rows",
        )
        for rule in rules(contract)
    ]


def _wrote(end: Ended, place: Place) -> dict[str, facets.OutputDatasetFacet]:
    rows = end.tally.quarantine if place.layer is Layer.QUARANTINE else end.tally.rows_out
    return {
        "outputStatistics": facets.output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(rowCount=rows)
    }


def _error(message: str) -> facets.RunFacet:
    return facets.error_message_run.ErrorMessageRunFacet(message=message, programmingLanguage="PYTHON")


def _purpose(run: TaskRun) -> str:
    return f"{run.task} of {run.contract.dataset}: {run.contract.description}".rstrip(": ")


def _job_type(kind: str) -> facets.JobFacet:
    return facets.job_type_job.JobTypeJobFacet(processingType="BATCH", integration="LEVEE", jobType=kind)


def _job_name(settings: RunSettings) -> str:
    return f"levee-{settings.domain}"


def _namespace() -> str:
    return os.environ.get(NAMESPACE) or "levee"
