"""The lake: a copy of the project whose domain `sales` has three hundred contracts more, brought up and delivered to.

Its tables lie in the copy, its database and addresses are on this machine, and it is worked with by `levee` alone.
``LEVEE_LAKE_TABLES=40`` makes a smaller one for whoever works on it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from tests.pipelines.extract.conftest import Api, Postgres, postgres, served
from tests.pipelines.lake.datasets import MOST, Dataset, datasets
from tests.pipelines.lake.forms import objects
from tests.pipelines.lake.people import Record

__all__ = ["postgres"]

ROOT = Path(__file__).resolve().parents[3]
PAGE = 5
"""Records of a page of an address."""
KINDS = {"id": "bigint", "age": "int", "amount": "numeric(9,2)", **dict.fromkeys(("born", "seen", "at"), "date")}


@dataclass(frozen=True)
class Lake:
    """A checkout that is up, and what lies in its buckets.

    Attributes:
        checkout: Its folder.
        datasets: The datasets that were added to `sales`.
        said: Seconds of each phase.
    """

    checkout: Path
    datasets: Sequence[Dataset]
    said: dict[str, float] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where the buckets are."""
        return self.checkout / ".levee" / "local" / "lake"

    @cached_property
    def buckets(self) -> Mapping[str, Path]:
        """Folder of the domain by layer."""
        (job,) = self._job()
        named = job["inputs"]["tasks"][0]["pythonWheelTask"]["namedParameters"]
        volumes = {volume["inputs"]["name"]: volume["inputs"].get("storageLocation") for volume in self._volumes()}
        urls = {layer: volumes.get(layer) or named.get(layer) for layer in (*volumes, *named)}
        return {
            layer: self.folder / url.removeprefix("s3://") / "sales"
            for layer, url in urls.items()
            if url and url.startswith("s3://")
        }

    def _plan(self) -> list[dict[str, Any]]:
        return json.loads((self.checkout / ".levee" / "local" / "plans" / "up.json").read_bytes())["resources"]

    def _job(self) -> list[dict[str, Any]]:
        return [one for one in self._plan() if one["type"].endswith(":Job")]

    def _volumes(self) -> list[dict[str, Any]]:
        return [one for one in self._plan() if one["type"].endswith(":Volume")]

    def levee(self, *arguments: str, code: int = 0, told: str | None = None) -> str:
        """Run `levee` and return what it printed; it must end as it is meant to."""
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, (self.checkout / "pipelines" / "src", ROOT))),
            "LAKE_USER": "postgres",
            "LAKE_PASSWORD": "any",
            "NO_PROXY": "*",
        }
        began = time.monotonic()
        done = subprocess.run(
            [ROOT / ".venv" / "bin" / "levee", *arguments],
            cwd=self.checkout,
            env=environment,
            input=told,
            capture_output=True,
            text=True,
            check=False,
        )
        phase = " ".join(arguments[:2])
        self.said[f"{len(self.said) + 1} {phase}"] = round(time.monotonic() - began, 1)
        said = f"{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
        assert done.returncode == code, said
        assert "Traceback" not in said, said
        return done.stdout + done.stderr

    def there(self, layer: str, name: str) -> bool:
        """Whether there is a table."""
        return (self.buckets[layer] / name / "_delta_log").is_dir()

    def table(self, layer: str, name: str, *columns: str) -> pa.Table:
        """A table, read past the platform."""
        return DeltaTable(str(self.buckets[layer] / name)).to_pyarrow_table(columns=list(columns) or None)

    def rows(self, layer: str, name: str) -> int:
        """Rows of a table; none where it is not there."""
        return self.table(layer, name).num_rows if self.there(layer, name) else 0

    def record(self, name: str) -> list[dict[str, Any]]:
        """Rows of a record table."""
        return self.table("checkpoints", name).to_pylist()


def answer(rows: Mapping[str, Sequence[Record]]) -> Callable[..., tuple[int, Mapping[str, str], bytes]]:
    """Serves `/<style>/<dataset>` in pages of that style."""

    def respond(path: str, _headers: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes]:
        place = urlsplit(path)
        _, style, name = place.path.split("/")
        asked = dict(parse_qsl(place.query))
        found = [row for row in objects(rows[name]) if row["at"] >= asked.get("since", "")[:10]]
        if style == "none":
            return 200, {}, json.dumps({"items": found}).encode()
        numbered = {"page": (int(asked.get("page", 1)) - 1) * PAGE, "offset": int(asked.get("offset", 0))}
        start = numbered.get(style, int(asked.get("after", 0)))
        following = start + PAGE if start + PAGE < len(found) else None
        link = f'<{place.path}?{urlencode({**asked, "after": following})}>; rel="next"'
        headers = {"Link": link} if style == "link" and following else {}
        body = {"items": found[start : start + PAGE], "next": following and str(following)}
        return 200, headers, json.dumps(body).encode()

    return respond


def fill(database: Postgres, made: Sequence[Dataset]) -> None:
    """Make the datasets' tables."""
    for dataset in made:
        columns = ", ".join(f'"{name}" {KINDS.get(name, "text")}' for name in dataset.rows[0])
        rows = json.dumps(objects(dataset.rows)).replace("'", "''")
        database.run(
            f'CREATE TABLE "{dataset.name}" ({columns})',
            f'INSERT INTO "{dataset.name}" SELECT * FROM json_populate_recordset(NULL::"{dataset.name}", \'{rows}\')',
        )


def copied(folder: Path, made: Sequence[Dataset]) -> Path:
    """A checkout of the program with the datasets' contracts, and this one's environments and Pulumi CLI."""
    for name in ("stacks", "environments", "policy_packs", "pipelines", "tools"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".venv"))
    for name in ("Pulumi.yaml", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    (folder / ".levee").mkdir()
    for name in (".venv", ".levee/bin", ".levee/uv"):
        (folder / name).symlink_to(ROOT / name)
    for dataset in made:
        path = folder / "pipelines" / "src" / "pipelines" / "domains" / "sales" / f"{dataset.name}.odcs.yaml"
        path.write_text(json.dumps(dataset.contract(), indent=1))
    return folder


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres) -> Iterator[Lake]:
    """The lake, up and delivered to, before its first run."""
    if not os.environ.get("LEVEE_DATA"):
        pytest.skip("LEVEE_DATA is not set: no online-retail here")
    api = Api()
    with served(api):
        most = int(os.environ.get("LEVEE_LAKE_TABLES", MOST))
        made = datasets(postgres.host, api.url, most)
        api.respond = answer({one.name: one.rows for one in made if one.kind == "rest"})
        fill(postgres, [one for one in made if one.kind == "jdbc"])
        lake = Lake(copied(tmp_path_factory.mktemp("lake"), made), made)
        lake.levee("up", "local")
        for dataset in made:
            for name, content in dataset.files.items():
                file = lake.buckets["landing"] / dataset.name / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
        yield lake
    print(f"\nseconds of each phase: {lake.said}")
