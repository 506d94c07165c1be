"""The simulated cloud: what was created, per stack, in one SQLite file.

It outlives the process, so a later ``refresh`` finds what was changed or removed behind the engine's back.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self

from levee.engine.standin.sealing import Sealer, is_sealed
from levee.engine.standin.values import Secret, Values
from levee.errors import UsageError

Origin = Literal["created", "invented", "imported", "existing"]

_NAMED: Final = "coalesce({})".format(
    ", ".join(
        f"json_extract({side}, '$.{name}')"
        for name in ("vpcId", "virtualNetworkName", "network")
        for side in ("outputs", "inputs")
    )
)
_NETWORK: Final = f"replace({_NAMED}, rtrim({_NAMED}, replace({_NAMED}, '/', '')), '')"
"""The last segment of the network that a resource names: what is left without the longest head that ends in ``/``."""
_SCHEMA: Final = f"""
CREATE TABLE IF NOT EXISTS resource (
    scope   TEXT NOT NULL,
    type    TEXT NOT NULL,
    id      TEXT NOT NULL,
    urn     TEXT NOT NULL,
    seed    TEXT NOT NULL,
    inputs  TEXT NOT NULL,
    outputs TEXT NOT NULL,
    origin  TEXT NOT NULL,
    removed INTEGER NOT NULL DEFAULT 0,
    changed REAL NOT NULL,
    PRIMARY KEY (type, id, scope, urn)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS resource_by_urn ON resource (urn);
CREATE INDEX IF NOT EXISTS resource_by_network ON resource ({_NETWORK});
CREATE TABLE IF NOT EXISTS creation (urn TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS unconfirmed (type TEXT, id TEXT, scope TEXT, urn TEXT, taken INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (type, id, scope, urn)) WITHOUT ROWID;
"""
_REPLACE: Final = """
REPLACE INTO resource (scope, type, id, urn, seed, inputs, outputs, origin, removed, changed)
VALUES (?,?,?,?,?,?,?,?,?,?)
"""
_UNCONFIRMED: Final = "REPLACE INTO unconfirmed (type, id, scope, urn) VALUES (?,?,?,?)"
_SELECT: Final = "SELECT scope, type, id, urn, seed, inputs, outputs, origin, removed FROM resource WHERE "


@dataclass(frozen=True, slots=True)
class Record:
    """One resource in the cloud.

    Attributes:
        scope: The account, subscription or project, and the region, that it lies in.
        type: Its type token.
        id: Its id. Most are unique within scope and type; a random integer's, or a policy's on its bucket, is not.
        urn: The URN that created or last touched it.
        seed: What its invented values are derived from; stays when the URN changes.
        inputs: Inputs as the engine last gave them, secrets sealed.
        outputs: Outputs, secrets sealed.
        origin: Whether the engine created it, it was invented for a program's ``get``, imported as the program says, or
            existed before.
        removed: Whether it is gone. A removed row is kept: it tells a vanished resource from one never heard of.
    """

    scope: str
    type: str
    id: str
    urn: str
    seed: str
    inputs: Values
    outputs: Values
    origin: Origin = "created"
    removed: bool = False


class SimulatedCloud:
    """The cloud of one stack.

    Args:
        path: The SQLite file; made when absent, with its key file beside it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self.sealer = Sealer.beside(path)
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what was written stays."""
        with self._lock:
            self._db.close()

    def get(self, scope: str, token: str, id_: str, urn: str = "") -> Record | None:
        """The resource of that id, removed ones too; ``None`` where the cloud never had it.

        The row of that URN comes first, then that of the scope: a URN may have changed by an alias, and an import may
        come over another connection.
        """
        rows = self._query(
            "type = ? AND id = ? ORDER BY urn = ? DESC, scope = ? DESC, removed, changed DESC LIMIT 1",
            (token, id_, urn, scope),
        )
        return next(iter(rows), None)

    def holders(self, scope: str, token: str, id_: str) -> list[Record]:
        """Every live resource of that id in that scope."""
        return self._query("removed = 0 AND type = ? AND id = ? AND scope = ?", (token, id_, scope))

    def named(self, token: str, name: str) -> list[Record]:
        """Every live resource of that type, in any scope, whose id is that name or ends in it; case aside."""
        ending = f"/{name}".lower()
        return self._query(
            "removed = 0 AND type = ? AND (lower(id) = ? OR substr(lower(id), ?) = ?)",
            (token, ending[1:], -len(ending), ending),
        )

    def find(self, urn_or_id: str) -> Record:
        """The one live resource of that URN or id.

        Raises:
            UsageError: There is none, or more than one has the id.
        """
        found = list(self._query("removed = 0 AND (urn = ? OR id = ?)", (urn_or_id, urn_or_id)))
        if len(found) != 1:
            raise UsageError(
                f"{len(found)} resources in the simulated cloud answer to {urn_or_id!r}",
                where=str(self.path),
                fix="pass the URN of one of: " + ", ".join(sorted(r.urn for r in found or self.resources())[:10]),
            )
        return found[0]

    def resources(self) -> Iterator[Record]:
        """Every live resource."""
        return iter(self._query("removed = 0 ORDER BY urn", ()))

    def of_type(self, token: str) -> list[Record]:
        """Every live resource of that type."""
        return self._query("removed = 0 AND type = ? ORDER BY urn, id", (token,))

    def in_network(self, token: str, network: str) -> list[Record]:
        """Every live resource of that type that has that ``vpcId``, ``virtualNetworkName`` or ``network``.

        Args:
            token: The type.
            network: The network's name or id, without the path before it.
        """
        return self._query(f"removed = 0 AND type = ? AND {_NETWORK} = ? ORDER BY urn, id", (token, network))

    def creations(self, urn: str) -> int:
        """How many times a resource of that URN was created."""
        with self._lock:
            row = self._db.execute("SELECT count FROM creation WHERE urn = ?", (urn,)).fetchone()
        return row[0] if row else 0

    def count(self, scope: str, token: str) -> int:
        """How many live resources of that type there are in that scope."""
        with self._lock:
            found = self._db.execute(
                "SELECT count(*) FROM resource WHERE removed = 0 AND type = ? AND scope = ?", (token, scope)
            ).fetchone()
        return found[0]

    def unconfirmed(self) -> list[Record]:
        """Live resources that were created and of which nobody has said since that the engine's state holds them."""
        return self._query(
            "removed = 0 AND (type, id, scope, urn) IN (SELECT type, id, scope, urn FROM unconfirmed) ORDER BY urn", ()
        )

    def confirm(self, records: Iterable[Record]) -> None:
        """Note that the engine's state holds those resources."""
        keys = [(r.type, r.id, r.scope, r.urn) for r in records]
        with self._lock:
            self._db.executemany("DELETE FROM unconfirmed WHERE type=? AND id=? AND scope=? AND urn=?", keys)

    def offer(self, record: Record) -> None:
        """Let the next create of that URN take up a resource that the engine's state does not hold.

        It gets the same name, id and computed values again, as if it were the first.
        """
        key = (record.type, record.id, record.scope, record.urn)
        with self._lock:
            changed = self._db.execute(
                "UPDATE unconfirmed SET taken = 1 WHERE taken = 0 AND type=? AND id=? AND scope=? AND urn=?", key
            )
            if changed.rowcount:
                self._db.execute("UPDATE creation SET count = count - 1 WHERE urn = ?", (record.urn,))

    def put(self, record: Record, *, created: bool = False, was: Record | None = None) -> None:
        """Write a resource whole.

        Args:
            record: The resource.
            created: Count it as one more creation of its URN.
            was: The row that it takes the place of, where its URN changed.
        """
        row = (
            record.scope,
            record.type,
            record.id,
            record.urn,
            record.seed,
            json.dumps(record.inputs, separators=(",", ":")),
            json.dumps(record.outputs, separators=(",", ":")),
            record.origin,
            int(record.removed),
            time.time(),
        )
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                if was is not None:
                    key = (was.type, was.id, was.scope, was.urn)
                    self._db.execute("DELETE FROM resource WHERE type=? AND id=? AND scope=? AND urn=?", key)
                self._db.execute(_REPLACE, row)
                if created:
                    self._db.execute(_UNCONFIRMED, (record.type, record.id, record.scope, record.urn))
                    self._db.execute(
                        "INSERT INTO creation VALUES (?, 1) ON CONFLICT (urn) DO UPDATE SET count = count + 1",
                        (record.urn,),
                    )
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise

    def add(self, token: str, id_: str, inputs: Values, outputs: Values | None = None, *, scope: str = "") -> Record:
        """Put a resource there that no Pulumi program created, for imports and for ``get``."""
        record = Record(
            scope=scope,
            type=token,
            id=id_,
            urn="",
            seed=f"{token}|{id_}",
            inputs=self.sealer.seal(inputs),
            outputs=self.sealer.seal({**inputs, **(outputs or {})}),
            origin="existing",
        )
        self.put(record)
        return record

    def change(self, urn_or_id: str, properties: Mapping[str, Any]) -> Record:
        """Change outputs behind the engine's back; a ``None`` takes the property away.

        An input of the same name follows, as it would be read back from a real cloud.

        Raises:
            UsageError: No single live resource answers to ``urn_or_id``.
        """
        record = self.find(urn_or_id)
        inputs, outputs = dict(record.inputs), dict(record.outputs)
        for name, value in properties.items():
            for side in (inputs, outputs):
                if name not in side and side is inputs and name in outputs:
                    continue
                if value is None:
                    side.pop(name, None)
                else:
                    secret = is_sealed(side.get(name)) and not isinstance(value, Secret)
                    side[name] = self.sealer.seal(Secret(value) if secret else value)
        changed = replace(record, inputs=inputs, outputs=outputs)
        self.put(changed)
        return changed

    def remove(self, urn_or_id: str) -> Record:
        """Delete a resource behind the engine's back.

        Raises:
            UsageError: No single live resource answers to ``urn_or_id``.
        """
        record = self.find(urn_or_id)
        self.put(replace(record, removed=True))
        return record

    def _query(self, where: str, parameters: tuple[Any, ...]) -> list[Record]:
        with self._lock:
            rows = self._db.execute(_SELECT + where, parameters).fetchall()
        return [
            Record(scope, token, id_, urn, seed, json.loads(inputs), json.loads(outputs), origin, bool(removed))
            for scope, token, id_, urn, seed, inputs, outputs, origin, removed in rows
        ]
