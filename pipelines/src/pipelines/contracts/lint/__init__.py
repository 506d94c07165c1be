"""What is wrong with contract files, and what would be better: every error of the loader, and advice by rule."""

from pipelines.contracts.lint.files import contract_files, lint_contracts
from pipelines.contracts.lint.rules import LINT_RULES, LintFinding, LintLevel, LintRule

__all__ = ["LINT_RULES", "LintFinding", "LintLevel", "LintRule", "contract_files", "lint_contracts"]
