"""The command line: what a person types and what other tools call."""

from levee.cli.app import app, main

__all__ = ["app", "main"]
