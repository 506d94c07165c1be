"""The ``time`` provider tells the real time; an offset or a rotation counts from it.

Source: ``hashicorp/terraform-provider-time``, ``internal/provider``.
"""

from __future__ import annotations

import calendar
import datetime as dt
from typing import Any, Final

from levee.engine.standin.values import Values

_FIELDS: Final = ("year", "month", "day", "hour", "minute", "second")


def draw(type_name: str, inputs: Values) -> tuple[str, Values]:
    """The id and the outputs of one new ``time`` resource.

    Args:
        type_name: The class (``Offset``).
        inputs: Its inputs, known and without secret wrappers.
    """
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    base = _read(inputs.get("baseRfc3339") or inputs.get("rfc3339")) or now
    if type_name == "Sleep":
        return _text(now), {}
    if type_name == "Offset":
        return _text(base), {"baseRfc3339": _text(base), **_parts(_moved(base, inputs, "offset"))}
    if type_name == "Rotating":
        end = _read(inputs.get("rotationRfc3339")) or _moved(base, inputs, "rotation")
        return _text(base), {"rotationRfc3339": _text(end), **_parts(base)}
    return _text(base), _parts(base)


def _read(text: Any) -> dt.datetime | None:
    return dt.datetime.fromisoformat(str(text)).astimezone(dt.UTC) if text else None


def _text(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _parts(moment: dt.datetime) -> Values:
    numbers: Values = {name: getattr(moment, name) for name in _FIELDS}
    return {"rfc3339": _text(moment), "unix": int(moment.timestamp()), **numbers}


def _moved(base: dt.datetime, inputs: Values, prefix: str) -> dt.datetime:
    """``base`` and so many years, months, days, hours, minutes and seconds."""
    count = {unit: int(inputs.get(f"{prefix}{unit}") or 0) for unit in ("Years", "Months", "Days", "Hours", "Minutes")}
    months = 12 * (base.year + count["Years"]) + base.month - 1 + count["Months"]
    year, month = divmod(months, 12)
    day = min(base.day, calendar.monthrange(year, month + 1)[1])
    seconds = int(inputs.get(f"{prefix}Seconds") or 0)
    step = dt.timedelta(days=count["Days"], hours=count["Hours"], minutes=count["Minutes"], seconds=seconds)
    return base.replace(year=year, month=month + 1, day=day) + step
