"""Which of a contract's servers a run reads: by name, and by environment where several have the name."""

from __future__ import annotations

from pipelines.contracts.model import Contract
from pipelines.contracts.odcs import Server
from pipelines.errors import UsageError


def choose_server(contract: Contract, environment: str | None) -> Server:
    """Return the server that `contract.extraction` names.

    Args:
        contract: One with an extraction; that it has such a server was checked when it was read.
        environment: The run's environment; with ``None``, or among servers that name none, the only one is taken.

    Raises:
        UsageError: the environment has none, or several could be meant.
    """
    assert contract.extraction is not None, "the caller asks for contracts with an extraction"
    name = contract.extraction.server
    named = [server for server in contract.standard.servers if server.server == name]
    found = [server for server in named if server.environment == environment] if environment else named
    if not found:
        found = [server for server in named if server.environment is None]
    if len(found) == 1:
        return found[0]
    environments = ", ".join(sorted(server.environment or "none" for server in named))
    told = f"the environment {environment}" if environment else "no environment"
    raise UsageError(
        f"{contract.dataset} was told {told}, and its server {name} is there for: {environments}",
        where=str(contract.path),
        fix="pass --environment with one of them, or add the server to the contract",
    )
