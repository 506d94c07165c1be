"""Data contracts: the Open Data Contract Standard v3.1, read, checked and resolved. Imports no engine.

``load_domain`` and ``load_contract`` read files; ``job_spec`` derives the job; everything they return is frozen.
"""

from pipelines.contracts.catalogue import schema_name
from pipelines.contracts.content import installed_content, wheel_content
from pipelines.contracts.diff import DIFF_RULES, Difference, Impact, differences, gold_fed, widens
from pipelines.contracts.domain import Domain, domain_names, domains_folder, load_domain
from pipelines.contracts.extensions import (
    Deduplication,
    Extraction,
    Ingestion,
    LayerRetention,
    Maintenance,
    Masking,
    Redelivery,
    Source,
    SqlModel,
)
from pipelines.contracts.jobs import PACKAGE, JobSpec, TaskSpec, job_spec
from pipelines.contracts.lint import LINT_RULES, LintFinding, LintLevel, LintRule, contract_files, lint_contracts
from pipelines.contracts.loader import contract_errors, load_contract
from pipelines.contracts.model import Check, Classification, Column, Contract
from pipelines.contracts.servers import choose_server
from pipelines.errors import ContractError
from pipelines.settings import Layer

__all__ = [
    "DIFF_RULES",
    "LINT_RULES",
    "PACKAGE",
    "Check",
    "Classification",
    "Column",
    "Contract",
    "ContractError",
    "Deduplication",
    "Difference",
    "Domain",
    "Extraction",
    "Impact",
    "Ingestion",
    "JobSpec",
    "Layer",
    "LayerRetention",
    "LintFinding",
    "LintLevel",
    "LintRule",
    "Maintenance",
    "Masking",
    "Redelivery",
    "Source",
    "SqlModel",
    "TaskSpec",
    "choose_server",
    "contract_errors",
    "contract_files",
    "differences",
    "domain_names",
    "domains_folder",
    "gold_fed",
    "installed_content",
    "job_spec",
    "lint_contracts",
    "load_contract",
    "load_domain",
    "schema_name",
    "wheel_content",
    "widens",
]
