"""Whether the quality task of a dataset says no: what its lines must say, and who waits for them."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.contracts.model import Contract
from pipelines.errors import QualityError
from pipelines.quality.results import Line


def gate(contract: Contract, lines: Sequence[Line]) -> None:
    """Let a dataset pass that its lines are well of; a check that only warns stops nothing.

    Raises:
        QualityError: suite and quarantine disagree, a batch is held, or the published table does not hold its contract.
    """
    apart = [line for line in lines if line.batch == "quarantine" and line.success is False]
    if apart:
        said = "; ".join(f"{line.check_id}: suite {line.failed}, quarantine {line.observed:.0f}" for line in apart)
        raise QualityError(
            f"suite and quarantine of {contract.dataset} disagree ({said})",
            where=str(contract.path),
            fix=f"if the contract has changed since silver ran: levee replay {contract.dataset}",
        )
    held = [line for line in lines if line.batch == "held"]
    if held:
        raise QualityError(
            f"{len(held)} batches of {contract.dataset} are held: {'; '.join(line.description or '' for line in held)}",
            where=str(contract.path),
            fix=f"correct the contract and `levee replay {contract.dataset}`, or let one go on as it is: "
            f"`levee replay {contract.dataset} --accept {held[0].check_id} --reason WHY`",
        )
    broken = [line for line in lines if line.batch in ("published", "table", "newest") and _fails(line)]
    if broken:
        said = "; ".join(f"{line.check_id} ({line.description})" for line in broken)
        raise QualityError(
            f"{contract.dataset} does not hold its contract: {said}",
            where=str(contract.path),
            fix="see Data Docs and the table quality_results under checkpoints",
        )


def _fails(line: Line) -> bool:
    return line.success is False and line.on_failure != "warn"
