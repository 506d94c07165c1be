"""Write the schema of the plan's JSON: ``python -m levee.plan docs/reference/plan.schema.json``."""

import json
import sys
from pathlib import Path

from levee.plan.document import schema

if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(schema(), indent=2) + "\n", encoding="utf-8")
