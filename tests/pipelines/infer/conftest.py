"""One table in every form, and a real PostgreSQL."""

from tests.pipelines.extract.conftest import postgres

__all__ = ["postgres"]
