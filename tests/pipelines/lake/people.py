"""The people of the lake, and what becomes of their records: plain rows, and a plain model of the tables.

Every source tells the same story in its own form. A first delivery has twelve people, a record that breaks a rule and
one that comes twice; a second one changes four of them, repeats a fifth and brings three more.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

ERASED = 3
"""The person who is erased: two of the good records are theirs, the bad one, and somebody else's note names them."""
NUMBER = "17850"
"""Their customer number, which is a real customer's of the shop in `online_retail`, too."""
BAD = 13
MENTIONING = 8
PEOPLE = range(1, 13)
CHANGED = range(1, 5)
REPEATED = 5
LATER = range(20, 23)
GONE = 6
"""Who is deleted, where a source tells deletes."""
MANY = range(1001, 1801)
"""Others, of sources whose files are large."""

Record = dict[str, Any]


def of(person: int, day: int = 1, **other: Any) -> Record:
    """A record about somebody, with the types of its source."""
    who = other.pop("who", person)
    return {
        "id": person,
        "guest": NUMBER if who == ERASED else f"GUEST-{who:04d}-QX",
        "name": f"Quillon{who:04d} Ashgrove",
        "mail": f"kestrel.{who:04d}@quillon.example",
        "phone": f"+44 7700 9{who:05d}",
        "born": dt.date(1950 + who % 50, 1 + who % 12, 2 + who % 27),  # no first of a month, which a mask makes of it
        "seen": dt.date(2024, 1 + who % 12, 1 + who % 28),
        "age": 20 + who % 75,
        "postcode": f"ZQ{who % 90 + 10}",
        "note": f"came with {NUMBER}" if who == MENTIONING else None,
        "city": f"town {person} on day {day}",
        "amount": Decimal(person) + Decimal("0.50"),
        "at": dt.date(2024, 3, day),
        **other,
    }


def first(*, many: bool = False) -> list[Record]:
    """The first delivery."""
    bad = of(BAD, who=ERASED, amount=Decimal("-1.00"))
    others = [of(person) for person in MANY] if many else []
    return [*(of(person) for person in PEOPLE), bad, of(1), *others]


def second() -> list[Record]:
    """The second one."""
    return [*(of(person, 2) for person in CHANGED), of(REPEATED), *(of(person, 2) for person in LATER)]


def state(records: Iterable[Record]) -> list[Record]:
    """What a table holds in which a person has one row: the last of each."""
    return list({record["id"]: record for record in records}.values())


def private(who: int) -> tuple[str, ...]:
    """What names somebody and nobody else."""
    record = of(who)
    return tuple(record[name] for name in ("guest", "name", "mail", "phone"))


@dataclass(frozen=True)
class Count:
    """Rows of a dataset's tables.

    Attributes:
        bronze: Records taken in.
        silver: Rows published.
        quarantine: Rows rejected.
        history: Versions, of a dataset that keeps them beside.
    """

    bronze: int
    silver: int
    quarantine: int
    history: int | None = None


def counted(records: Sequence[Record], history: int, gone: frozenset[int], deletes: str, beside: int = 0) -> Count:
    """What the tables hold after all of the records came.

    Args:
        records: What was delivered, in its order.
        history: 0 for none, else its type.
        gone: Who was deleted at the end.
        deletes: What a delete does.
        beside: Records that say of nobody how they are, which `records` lacks.
    """
    bronze = len(records) + beside
    distinct = list({repr(record): record for record in records}.values())
    good = [record for record in distinct if record["amount"] >= 0]
    bad = len(distinct) - len(good)
    if not history:
        return Count(bronze, len(good), bad)
    lost = gone if deletes == "hard" else frozenset()
    kept = [record for record in good if record["id"] not in lost]
    versions = len({(record["id"], record["city"]) for record in kept})
    current = len({record["id"] for record in kept})
    silver = versions if history == 2 else current
    return Count(bronze, silver, bad, versions if history == 4 else None)


def remaining(records: Iterable[Record]) -> list[Record]:
    """What is left when the person is erased: nothing of theirs, nor what names them."""
    return [record for record in records if NUMBER not in (record["guest"], str(record["note"]).split()[-1])]
